#include "cli/private-daemon.h"

#include "cli/output.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <sys/socket.h>
#include <unistd.h>

#define PEER_FD 3 /* in the daemon */

static char *
program(void)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *beside = dir ? g_build_filename(dir, "vmctld", NULL) : NULL;

    if (beside && g_file_test(beside, G_FILE_TEST_IS_EXECUTABLE))
        return g_steal_pointer(&beside);
    return g_strdup(VMCTL_SBINDIR "/vmctld");
}

/* The daemon with the socket @fd as its descriptor PEER_FD. It closes the connection's other end, and ends, when
 * this process ends, however that happens. */
static gboolean
spawn(int fd, GError **error)
{
    g_autofree char *path = program();
    g_autofree char *option = g_strdup_printf("--peer=%d", PEER_FD);
    const char *argv[] = { path, option, NULL };
    g_autoptr(GSubprocessLauncher) launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autoptr(GSubprocess) process = NULL;

    g_subprocess_launcher_take_fd(launcher, fd, PEER_FD);
    process = g_subprocess_launcher_spawnv(launcher, argv, error);
    return process != NULL;
}

static GDBusConnection *
connect_to(int fd, GError **error)
{
    g_autoptr(GSocket) socket = g_socket_new_from_fd(fd, error);
    g_autoptr(GSocketConnection) stream = NULL;

    if (!socket) {
        close(fd);
        return NULL;
    }
    stream = g_socket_connection_factory_create_connection(socket);
    return g_dbus_connection_new_sync(G_IO_STREAM(stream), NULL,
                                      G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL,
                                      error);
}

GDBusConnection *
private_daemon_start(GError **error)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        cli_fail(error, _("cannot make a socket: %s"), g_strerror(errno));
        return NULL;
    }
    if (!spawn(ends[1], error)) {
        close(ends[0]);
        return NULL;
    }
    return connect_to(ends[0], error);
}
