#include "cli/shell.h"

#include "cli/complete.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One line without its end, for free(); NULL at the end of the input. */
static char *
read_plain_line(void)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    n = getline(&line, &size, stdin);
    if (n < 0) {
        free(line);
        return NULL;
    }
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = '\0';
    return line;
}

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>

#define HISTORY_LINES      500
#define MOST_HISTORY_LINES 500000

static Session *completing; /* libedit's callbacks get no data of ours */

static int
history_lines(void)
{
    const char *text = g_getenv("VMCTL_HISTSIZE");
    guint64 lines = HISTORY_LINES;

    if (text && !g_ascii_string_to_unsigned(text, 10, 0, MOST_HISTORY_LINES, &lines, NULL))
        output_error(_("Bad $%s value."), "VMCTL_HISTSIZE");
    return (int)lines;
}

static char *
history_path(void)
{
    return g_build_filename(g_get_user_cache_dir(), "vmctl", "history", NULL);
}

/* libedit's form: what all matches share, then the matches, NULL; all from malloc(). */
static char **
to_libedit(char **found)
{
    guint n = g_strv_length(found);
    gsize shared = strlen(found[0]);
    char **matches = calloc(n + 2, sizeof *matches);

    if (!matches)
        return NULL;
    for (guint i = 0; i < n; i++) {
        matches[i + 1] = strdup(found[i]);
        while (strncmp(found[0], found[i], shared) != 0)
            shared--;
    }
    matches[0] = strndup(found[0], shared);
    return matches;
}

static char **
propose(const char *word, int start, int end)
{
    g_autofree char *before = g_strndup(rl_line_buffer, (gsize)start);
    g_auto(GStrv) found = complete(completing, before, word);

    if (!found[0])
        return NULL; /* libedit goes on with the names of files */
    rl_attempted_completion_over = 1;
    return to_libedit(found);
}

static void
open_editor(Session *session)
{
    g_autofree char *path = history_path();

    completing = session;
    rl_readline_name = "vmctl";
    rl_attempted_completion_function = propose;
    using_history();
    stifle_history(history_lines());
    read_history(path);
}

/* Losing the history is no reason to complain. */
static void
close_editor(void)
{
    g_autofree char *path = history_path();
    g_autofree char *directory = g_path_get_dirname(path);

    if (g_mkdir_with_parents(directory, 0700) == 0 && write_history(path) == 0)
        g_chmod(path, 0600);
}

static char *
read_edited_line(const char *prompt)
{
    char *line = readline(prompt);

    if (line && *line)
        add_history(line);
    return line;
}
#else
static void
open_editor(Session *session)
{
}

static void
close_editor(void)
{
}

static char *
read_edited_line(const char *prompt)
{
    output("%s", prompt);
    return read_plain_line();
}
#endif

static void
greet(void)
{
    output_extra("%s", _("Welcome to vmctl, the virtualization interactive terminal.\n\n"
                         "Type:  'help' for help with commands\n"
                         "       'quit' to quit\n\n"));
}

static const char *
prompt(const Session *session)
{
    return session->readonly ? "vmctl > " : "vmctl # ";
}

/* What is typed at a terminal is seen there. What comes from a file or a pipe is written behind the prompt, as virsh's
 * line editor does it: what scripts make of virsh's output counts on these lines. */
static char *
read_line(Session *session, gboolean at_terminal)
{
    char *line;

    if (at_terminal)
        return read_edited_line(prompt(session));
    output("%s", prompt(session));
    line = read_plain_line();
    if (line)
        output("%s\n", line);
    return line;
}

void
shell_run(Session *session)
{
    gboolean at_terminal = isatty(STDIN_FILENO);
    char *line;

    session->interactive = TRUE;
    greet();
    if (at_terminal)
        open_editor(session);
    while (!session->leaving && (line = read_line(session, at_terminal))) {
        session_run_line(session, line);
        free(line);
    }
    if (at_terminal)
        close_editor();
    output("\n"); /* the end of the input came on the prompt's line */
}
