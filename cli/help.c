#include "cli/help.h"

#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>

char *
help_option_synopsis(const Option *option)
{
    gboolean required = (option->flags & OPTION_REQUIRED) != 0;

    switch (option->kind) {
    case OPTION_BOOL:
        return g_strdup_printf(required ? "--%s" : "[--%s]", option->name);
    case OPTION_INT:
    case OPTION_SIZE:
        return g_strdup_printf(required ? "<%s>" : _("[--%s <number>]"), option->name);
    case OPTION_STRING:
        return g_strdup_printf(required ? _("--%s <string>") : _("[--%s <string>]"), option->name);
    case OPTION_DATA:
        return g_strdup_printf(required ? "<%s>" : "[<%s>]", option->name);
    case OPTION_ARGV:
        return g_strdup_printf(required ? "<%s>..." : "[<%s>]...", option->name);
    }
    g_assert_not_reached();
}

/* The left column of the list of options. */
static char *
option_label(const Option *option)
{
    gboolean required = (option->flags & OPTION_REQUIRED) != 0;

    switch (option->kind) {
    case OPTION_BOOL:
        return g_strdup_printf("--%s", option->name);
    case OPTION_INT:
    case OPTION_SIZE:
        return g_strdup_printf(required ? _("[--%s] <number>") : _("--%s <number>"), option->name);
    case OPTION_STRING:
        return g_strdup_printf(_("--%s <string>"), option->name);
    case OPTION_DATA:
        return g_strdup_printf(_("[--%s] <string>"), option->name);
    case OPTION_ARGV:
        return g_strdup_printf(required ? _("[--%s] <string>") : "<%s>", option->name);
    }
    g_assert_not_reached();
}

static void
help_options(const Option *options)
{
    output("%s", _("\n  OPTIONS\n"));
    for (const Option *option = options; option->name; option++) {
        g_autofree char *label = option_label(option);
        output("    %-*s  %s\n", text_in(15, label), _(option->help));
    }
}

void
help_command(const Command *command)
{
    output("%s    %s - %s\n", _("  NAME\n"), command->name, _(command->summary));
    output("%s    %s", _("\n  SYNOPSIS\n"), command->name);
    for (const Option *option = command->options; option && option->name; option++) {
        g_autofree char *synopsis = help_option_synopsis(option);
        output(" %s", synopsis);
    }
    output("\n");
    if (command->description)
        output("%s    %s\n", _("\n  DESCRIPTION\n"), _(command->description));
    if (command->options)
        help_options(command->options);
    output("\n");
}

static void
list_commands(const CommandGroup *group)
{
    for (const Command *const *command = group->commands; *command; command++)
        if (!((*command)->flags & COMMAND_HIDDEN))
            output("    %-30s %s\n", (*command)->name, _((*command)->summary));
}

void
help_group(const CommandGroup *group)
{
    output(_(" %s (help keyword '%s'):\n"), _(group->title), group->keyword);
    list_commands(group);
}

void
help_all(void)
{
    output("%s", _("Grouped commands:\n\n"));
    for (const CommandGroup *group = command_groups; group->title; group++) {
        help_group(group);
        output("\n");
    }
}

void
help_groups(void)
{
    for (const CommandGroup *group = command_groups; group->title; group++) {
        output(_(" %s (help keyword '%s')\n"), _(group->title), group->keyword);
        list_commands(group);
        output("\n");
    }
}
