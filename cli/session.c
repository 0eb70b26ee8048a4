#include "cli/session.h"

#include "cli/args.h"
#include "cli/help.h"
#include "cli/hint.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/words.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

gboolean
session_connect(Session *session, GError **error)
{
    if (session->connection)
        return TRUE;
    session->connection =
        connection_open(session->uri ? session->uri : connection_default_uri(), error);
    if (!session->connection)
        output_error("%s", _("failed to connect to the hypervisor"));
    return session->connection != NULL;
}

void
session_set_uri(Session *session, const char *uri)
{
    g_clear_pointer(&session->connection, connection_free);
    g_free(session->uri);
    session->uri = g_strdup(uri);
}

void
session_clear(Session *session)
{
    session_set_uri(session, NULL);
}

gboolean
escape_parse(const char *text, char *ret_escape)
{
    gsize length = strlen(text);

    if (length == 2 && text[0] == '^' && g_ascii_toupper(text[1]) >= '@' &&
        g_ascii_toupper(text[1]) <= '_')
        *ret_escape = (char)(g_ascii_toupper(text[1]) ^ '@');
    else if (length == 1 && text[0] != '^')
        *ret_escape = text[0];
    else
        return FALSE;
    return TRUE;
}

char *
escape_name(char escape)
{
    return (guchar)escape < ' ' ? g_strdup_printf("^%c", escape ^ '@')
                                : g_strdup_printf("%c", escape);
}

/* How the result is printed: as the command's own --output says, or vmctl's. */
static const char *
form_of(Session *session, const Args *args)
{
    if (args_form(args))
        return args_form(args);
    return session->form ? session->form : "text";
}

static gboolean
choose_form(Session *session, const Args *args, GError **error)
{
    const char *form = form_of(session, args);

    if (!output_set_form(form))
        return cli_fail(error, _("unknown form of output '%s': it is text or json"), form);
    if (output_is_json() && !(args_command(args)->flags & COMMAND_JSON))
        return cli_fail(error, _("command '%s' has no output as JSON"), args_command(args)->name);
    return TRUE;
}

static gboolean
check_readonly(const Args *args, GError **error)
{
    const Command *command = args_command(args);

    if (command->flags & COMMAND_CHANGES || args_have_flag(args, OPTION_CHANGES))
        return cli_fail(error, _("operation forbidden: read only access prevents %s"),
                        command->name);
    return !args_have_flag(args, OPTION_SECRET) ||
           cli_fail(error, _("operation forbidden: %s with secure flag"), command->name);
}

/* What stands before the command itself: may it run at all? */
static gboolean
prepare(Session *session, const Args *args, GError **error)
{
    const Command *command = args_command(args);

    if (!args_check(args, error) || !choose_form(session, args, error))
        return FALSE;
    if (session->readonly && !check_readonly(args, error))
        return FALSE;
    return (command->flags & COMMAND_OFFLINE) || session_connect(session, error);
}

/* A daemon that went away is looked for again by the next command of a shell. */
static void
drop_lost_connection(Session *session, const GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED))
        g_clear_pointer(&session->connection, connection_free);
}

/* @args is NULL where a line was not understood. */
static void
advise(const Args *args)
{
    g_autofree char *complaints = output_take_complaints();
    g_autofree char *hint = hint_for(complaints, args);

    if (hint)
        output_hint(hint);
}

/* The words of a command as they are understood, which is before any of its line's runs. */
static Args *
parse(Session *session, const char *const *words, gsize n, GError **error)
{
    Args *args = args_parse(words, n, error);

    if (args) {
        output_set_form(form_of(session, args)); /* where the log goes; whether there is one is checked later */
        log_lines(LOG_LEVEL_INFO, args_told(args));
    }
    return args;
}

static gboolean
run_command(Session *session, const Args *args)
{
    const Command *command = args_command(args);
    g_autoptr(GError) error = NULL;
    gboolean done;

    if (args_wants_help(args)) {
        help_command(command);
        return TRUE;
    }
    log_set_command(command->name);
    done = prepare(session, args, &error) && command->run(session, args, &error);
    log_set_command(NULL);
    if (!done && error) {
        output_gerror(error);
        drop_lost_connection(session, error);
    }
    if (!done)
        advise(args);
    session->leaving = (command->flags & COMMAND_LEAVES) != 0;
    return done;
}

/* Runs it, and ends its output as virsh does: with the time it took, or an empty line. */
static gboolean
run_and_part(Session *session, const Args *args)
{
    gint64 start_us = g_get_monotonic_time();
    gboolean done = run_command(session, args);

    if (session->leaving)
        return done;
    if (session->timing && !output_is_json())
        output(_("\n(Time: %.3f ms)\n\n"), (double)(g_get_monotonic_time() - start_us) / 1000);
    else
        output_extra("\n");
    fflush(stdout);
    return done;
}

gboolean
session_run_words(Session *session, const char *const *words, gsize n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Args) args = parse(session, words, n, &error);

    if (!args) {
        output_gerror(error);
        advise(NULL);
        return FALSE;
    }
    return run_and_part(session, args);
}

/* The commands of @line, all of them understood, or NULL. */
static GPtrArray *
parse_line(Session *session, const char *line, GError **error)
{
    g_autoptr(GPtrArray) parsed = g_ptr_array_new_with_free_func((GDestroyNotify)args_free);
    g_autoptr(GPtrArray) commands = words_split(line, error);

    if (!commands)
        return NULL;
    for (guint i = 0; i < commands->len; i++) {
        const GPtrArray *words = commands->pdata[i];
        Args *args = parse(session, (const char *const *)words->pdata, words->len, error);
        if (!args)
            return NULL;
        g_ptr_array_add(parsed, args);
    }
    return g_steal_pointer(&parsed);
}

gboolean
session_run_line(Session *session, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) commands = parse_line(session, line, &error);
    gboolean done = FALSE;

    if (!commands) {
        output_gerror(error);
        advise(NULL);
        return FALSE;
    }
    for (guint i = 0; i < commands->len && !session->leaving; i++)
        done = run_and_part(session, commands->pdata[i]);
    return done;
}
