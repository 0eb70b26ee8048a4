/* complete: what the shells' completions ask for; the same words as in vmctl's own shell. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/complete.h"
#include "cli/output.h"
#include "cli/session.h"

#include <glib/gi18n.h>

/* The line before the word, as vmctl's shell would have it. */
static char *
line_before(const char *const *words, guint n)
{
    GString *line = g_string_new(NULL);

    for (guint i = 0; i < n; i++) {
        g_autofree char *quoted = g_shell_quote(words[i]);
        g_string_append_printf(line, "%s ", quoted);
    }
    return g_string_free(line, FALSE);
}

static gboolean
run_complete(Session *session, const Args *args, GError **error)
{
    const char *const *words = args_list(args, "word");
    guint n = g_strv_length((char **)words);
    const char *uri = session->uri ? session->uri : connection_default_uri();
    g_autofree char *before = line_before(words, n ? n - 1 : 0);
    g_auto(GStrv) found = NULL;

    /* Pressing a key is no reason to start a daemon, nor for an error to be shown. */
    if (!session->connection && connection_is_served(uri))
        session->connection = connection_open(uri, NULL);
    found = complete(session, before, n ? words[n - 1] : "");
    for (gsize i = 0; found[i]; i++)
        output("%s\n", found[i]);
    return TRUE;
}

static const Option complete_options[] = {
    { "word", OPTION_ARGV, OPTION_EMPTY_OK, N_("the words so far, the last one unfinished") },
    { NULL },
};

const Command command_complete = {
    "complete",   N_("print how a line could go on"), NULL, complete_options,
    run_complete, COMMAND_OFFLINE | COMMAND_HIDDEN,
};
