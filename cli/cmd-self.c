/* The commands about vmctl and its shell. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/session.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

static gboolean
run_help(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "command");
    const Command *command = name ? command_find(name) : NULL;
    const CommandGroup *group = name ? command_group_find(name) : NULL;

    if (!name)
        help_all();
    else if (command)
        help_command(command);
    else if (group)
        help_group(group);
    else
        return cli_fail(error, _("command or command group '%s' doesn't exist"), name);
    return TRUE;
}

static const Option help_options[] = {
    { "command", OPTION_STRING, 0, N_("a command, or the keyword of a group of commands") },
    { NULL },
};

const Command command_help = {
    "help", N_("explain the commands"), NULL, help_options, run_help, COMMAND_OFFLINE,
};

/* Leaving is the row's flag. */
static gboolean
run_quit(Session *session, const Args *args, GError **error)
{
    return TRUE;
}

const Command command_quit = {
    "quit", N_("leave the shell"), NULL, NULL, run_quit, COMMAND_OFFLINE | COMMAND_LEAVES,
};

const Command command_exit = {
    "exit", N_("leave the shell"), NULL, NULL, run_quit, COMMAND_OFFLINE | COMMAND_LEAVES,
};

static gboolean
run_connect(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "name");

    if (name) { /* virsh keeps what it has, and how, where no other daemon is named */
        session_set_uri(session, *name ? name : NULL);
        session->readonly = args_has(args, "readonly");
    }
    return session_connect(session, error);
}

static const Option connect_options[] = {
    { "name", OPTION_STRING, OPTION_EMPTY_OK, N_("URI of the daemon (default: the one in use)") },
    { "readonly", OPTION_BOOL, 0, N_("refuse commands that change something") },
    { NULL },
};

const Command command_connect = {
    "connect",   N_("use another daemon, or connect to it again"),
    NULL,        connect_options,
    run_connect, COMMAND_OFFLINE,
};

static gboolean
run_cd(Session *session, const Args *args, GError **error)
{
    const char *directory = args_string(args, "dir");

    if (!session->interactive)
        return cli_fail(error, "%s", _("cd: command valid only in interactive mode"));
    if (!directory)
        directory = g_get_home_dir();
    if (chdir(directory) < 0)
        return cli_fail(error, _("cd: %s: %s"), directory, g_strerror(errno));
    return TRUE;
}

static const Option cd_options[] = {
    { "dir", OPTION_STRING, 0, N_("where to (default: the home directory)") },
    { NULL },
};

const Command command_cd = {
    "cd", N_("change the current directory"), NULL, cd_options, run_cd, COMMAND_OFFLINE,
};

static gboolean
run_pwd(Session *session, const Args *args, GError **error)
{
    g_autofree char *directory = g_get_current_dir();

    output("%s\n", directory);
    return TRUE;
}

const Command command_pwd = {
    "pwd", N_("print the current directory"), NULL, NULL, run_pwd, COMMAND_OFFLINE,
};

static gboolean
run_echo(Session *session, const Args *args, GError **error)
{
    g_autofree char *text = g_strjoinv(" ", (GStrv)args_list(args, "string"));

    if (args_has(args, "err"))
        output_error("%s", text);
    else
        output("%s", text);
    return TRUE;
}

static const Option echo_options[] = {
    { "err", OPTION_BOOL, 0, N_("print them as an error") },
    { "string", OPTION_ARGV, OPTION_EMPTY_OK, N_("words to print") },
    { NULL },
};

const Command command_echo = {
    "echo",          N_("print words, to see how a line is read"), NULL, echo_options, run_echo,
    COMMAND_OFFLINE,
};
