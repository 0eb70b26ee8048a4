#include "cli/command.h"

#include <string.h>

const Command *
command_find(const char *name)
{
    for (const CommandGroup *group = command_groups; group->title; group++)
        for (const Command *const *command = group->commands; *command; command++)
            if (strcmp((*command)->name, name) == 0)
                return *command;
    for (const CommandAlias *alias = command_aliases; alias->name; alias++)
        if (strcmp(alias->name, name) == 0)
            return alias->command;
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

const OptionAlias *
command_option_alias(const Command *command, const char *name)
{
    for (const OptionAlias *alias = command->aliases; alias && alias->name; alias++)
        if (strcmp(alias->name, name) == 0)
            return alias;
    return NULL;
}
