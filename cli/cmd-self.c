/* The commands about vmctl and its shell. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/facts.h"
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

    return facts_tell("directory", directory, NULL);
}

const Command command_pwd = {
    "pwd",
    N_("print the current directory"),
    NULL,
    NULL,
    run_pwd,
    COMMAND_OFFLINE | COMMAND_JSON,
};

/* In quotes where the shell would see more in it than a word. */
static char *
for_shell(const char *word)
{
    gboolean plain =
        *word != '\0' && word[strcspn(word, "\r\t\n !\"#$&'()*;<>?[\\]^`{|}~")] == '\0';

    return plain ? g_strdup(word) : g_shell_quote(word);
}

static char *
for_xml(const char *word)
{
    return g_markup_escape_text(word, -1);
}

/* A line for each part between commas, of which two are one that is meant; no word, no line. */
static char *
in_lines(const char *word)
{
    GString *text = g_string_new(NULL);

    for (const char *byte = word; *byte; byte++) {
        gboolean comma = byte[0] == ',';

        g_string_append_c(text, comma && byte[1] != ',' ? '\n' : *byte);
        byte += comma && byte[1] == ',';
    }
    if (*word)
        g_string_append_c(text, '\n');
    return g_string_free(text, FALSE);
}

static gboolean
run_echo(Session *session, const Args *args, GError **error)
{
    static const struct {
        const char *option;
        char *(*write)(const char *word);
    } ways[] = { { "shell", for_shell }, { "xml", for_xml }, { "split", in_lines } };
    const char *const *words = args_list(args, "string");
    g_autoptr(GString) text = g_string_new(NULL);

    if (!args_exclusive(args, "shell", "xml", error) ||
        !args_exclusive(args, "shell", "split", error) ||
        !args_exclusive(args, "xml", "split", error))
        return FALSE;
    for (gsize i = 0; words[i]; i++) {
        g_autofree char *word = NULL;

        for (gsize j = 0; j < G_N_ELEMENTS(ways); j++) {
            if (args_has(args, ways[j].option))
                word = ways[j].write(words[i]);
        }
        g_string_append_printf(text, "%s%s", i > 0 ? " " : "", word ? word : words[i]);
    }
    if (args_has(args, "err"))
        output_error("%s", text->str);
    else
        output("%s", text->str);
    return TRUE;
}

static const Option echo_options[] = {
    { "shell", OPTION_BOOL, 0, N_("in quotes where a shell needs them") },
    { "xml", OPTION_BOOL, 0, N_("as the text of an XML document") },
    { "split", OPTION_BOOL, 0, N_("a line for each part of a word between commas") },
    { "err", OPTION_BOOL, 0, N_("print them as an error") },
    { "string", OPTION_ARGV, OPTION_EMPTY_OK, N_("words to print") },
    { NULL },
};

static const OptionAlias echo_aliases[] = {
    { "str", "string" },
    { "hi", "string", "hello" },
    { NULL },
};

const Command command_echo = {
    "echo",          N_("print words, to see how a line is read"), NULL, echo_options, run_echo,
    COMMAND_OFFLINE,
    .aliases = echo_aliases,
};
