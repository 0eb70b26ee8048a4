#include "cli/editor.h"

#include "cli/file.h"
#include "cli/output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *
editor_command(void)
{
    const char *command = g_getenv("VISUAL");

    if (!command || !*command)
        command = g_getenv("EDITOR");
    return command && *command ? command : "vi";
}

/* The shell splits what the variable says; the path is ours and needs no quoting but this. */
static gboolean
run_editor(const char *path, GError **error)
{
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *line = g_strconcat(editor_command(), " ", quoted, NULL);
    const char *argv[] = { "/bin/sh", "-c", line, NULL };
    int status;

    if (!g_spawn_sync(NULL, (char **)argv, NULL,
                      G_SPAWN_CHILD_INHERITS_STDIN | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL,
                      NULL, NULL, &status, error))
        return FALSE;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0
               ? TRUE
               : cli_fail(error, _("the editor '%s' failed"), editor_command());
}

static char *
write_temporary(const char *xml, GError **error)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("vmctlXXXXXX.xml", &path, error);

    if (fd < 0)
        return NULL;
    close(fd);
    if (g_file_set_contents(path, xml, -1, error))
        return g_steal_pointer(&path);
    g_unlink(path);
    return NULL;
}

typedef enum Again {
    AGAIN_NOT,
    AGAIN_EDIT,
    AGAIN_SET,
} Again;

static void
explain(const Editable *document)
{
    output("%s\n%s\n", _("y - yes, start editor again"), _("n - no, throw away my changes"));
    if (document->relax)
        output("%s\n", _("i - turn off validation and try to redefine again"));
    output("%s\n%s\n", _("f - force, try to redefine again"), _("? - print this help"));
}

/* After a failure: what the user wants, in virsh's letters. Nobody is asked who is no person. */
static Again
ask_again(const Editable *document, GError **error)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return AGAIN_NOT;
    output_gerror(*error);
    for (;;) {
        output("%s [%s]: ", _("Failed. Try again?"), document->relax ? "y,n,i,f,?" : "y,n,f,?");
        fflush(stdout);
        if (!fgets(answer, sizeof(answer), stdin) || *answer == 'n')
            return AGAIN_NOT;
        if (*answer == '?')
            explain(document);
        if (*answer == 'y' || *answer == 'f' || (*answer == 'i' && document->relax))
            break;
    }
    g_clear_error(error);
    if (*answer == 'i')
        document->relax(document->data);
    return *answer == 'y' ? AGAIN_EDIT : AGAIN_SET;
}

/* Nothing that another user has put there meanwhile is written over unknowingly: the second time it is what is
 * changed. */
static gboolean
set_changed(const Editable *document, char **before, const char *after, GError **error)
{
    char *now = document->get(document->data, error);
    gboolean same = now && strcmp(*before, now) == 0;

    if (!now)
        return FALSE;
    g_free(*before);
    *before = now;
    return same ? document->set(document->data, after, error)
                : cli_fail(error, "%s",
                           _("ERROR: the XML configuration was changed by another user"));
}

static gboolean
edit_file(const Editable *document, char **before, const char *path, gboolean *ret_changed,
          GError **error)
{
    g_autofree char *after = NULL;
    GError *failure = NULL;
    Again again = AGAIN_EDIT;

    do {
        if (again == AGAIN_EDIT) {
            g_clear_pointer(&after, g_free);
            if (!run_editor(path, error) || !(after = file_read_text(path, error)))
                return FALSE;
        }
        *ret_changed = strcmp(*before, after) != 0;
        if (!*ret_changed || set_changed(document, before, after, &failure))
            return TRUE;
        again = ask_again(document, &failure);
    } while (again != AGAIN_NOT);
    g_propagate_error(error, failure);
    return FALSE;
}

gboolean
editor_edit(const Editable *document, gboolean *ret_changed, GError **error)
{
    g_autofree char *before = document->get(document->data, error);
    g_autofree char *path = before ? write_temporary(before, error) : NULL;
    gboolean done;

    if (!path)
        return FALSE;
    done = edit_file(document, &before, path, ret_changed, error);
    g_unlink(path);
    return done;
}
