#include "cli/command.h"

#include <string.h>

const Command *
command_find(const char *name)
{
    for (const CommandGroup *group = command_groups; group->title; group++)
        for (const Command *const *command = group->commands; *command; command++)
            if (strcmp((*command)->name, name) == 0)
                return *command;
    return NULL;
}

const CommandGroup *
command_group_find(const char *keyword)
{
    for (const CommandGroup *group = command_groups; group->title; group++)
        if (strcmp(group->keyword, keyword) == 0)
            return group;
    return NULL;
}

const Option *
command_option(const Command *command, const char *name)
{
    for (const Option *option = command->options; option && option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}
