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

/* After a failure: whether the user wants to go on. Nobody is asked who is no person. */
static gboolean
ask_again(GError **error)
{
    char answer[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return FALSE;
    output_gerror(*error);
    for (;;) {
        output("%s", _("Failed. Try again? [y,n]: "));
        fflush(stdout);
        if (!fgets(answer, sizeof(answer), stdin) || *answer == 'n')
            return FALSE;
        if (*answer == 'y')
            break;
    }
    g_clear_error(error);
    return TRUE;
}

/* Nothing that another user has put there meanwhile is written over. */
static gboolean
set_changed(const Editable *document, const char *before, const char *after, GError **error)
{
    g_autofree char *now = document->get(document->data, error);

    if (!now)
        return FALSE;
    if (strcmp(before, now) != 0)
        return cli_fail(error, "%s", _("ERROR: the XML configuration was changed by another user"));
    return document->set(document->data, after, error);
}

static gboolean
edit_file(const Editable *document, const char *before, const char *path, gboolean *ret_changed,
          GError **error)
{
    GError *failure = NULL;

    do {
        g_autofree char *after = NULL;

        if (!run_editor(path, error) || !(after = file_read_text(path, error)))
            return FALSE;
        *ret_changed = strcmp(before, after) != 0;
        if (!*ret_changed || set_changed(document, before, after, &failure))
            return TRUE;
    } while (ask_again(&failure));
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
    done = edit_file(document, before, path, ret_changed, error);
    g_unlink(path);
    return done;
}
