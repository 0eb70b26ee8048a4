#include "driver/passt.h"

#include "driver/error.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASST_FD 3 /* its end of the connection, in its process */

/* What it has to complain about goes to our own log. */
static gboolean
spawn(const char *const *argv, int fd, GError **error)
{
    const int target = PASST_FD;
    g_autoptr(GError) cause = NULL;

    if (g_spawn_async_with_pipes_and_fds(
            NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, -1, -1,
            -1, &fd, &target, 1, NULL, NULL, NULL, NULL, &cause))
        return TRUE;
    if (g_error_matches(cause, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "an <interface> of type 'user' needs the program 'passt', which is not "
                            "installed");
    return driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot start passt: %s", cause->message);
}

gboolean
passt_start(guint mtu, int *ret_fd, GError **error)
{
    g_autofree char *mtu_text = g_strdup_printf("%u", mtu);
    /* In the foreground of nobody: it is init's child, so that nothing has to wait for it here. */
    const char *const argv[] = {
        "passt",  "--foreground", "--quiet", "--fd", G_STRINGIFY(PASST_FD), mtu ? "--mtu" : NULL,
        mtu_text, NULL,
    };
    int ends[2];
    gboolean ok;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return driver_error_errno(error, errno, "Cannot make a connection to passt");
    ok = spawn(argv, ends[1], error);
    close(ends[1]);
    if (ok)
        *ret_fd = ends[0];
    else
        close(ends[0]);
    return ok;
}
