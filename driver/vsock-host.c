#include "driver/vsock-host.h"

#include "driver/error.h"
#include "driver/unix-socket.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG  16
#define DIR_MODE 0700

char *
vsock_host_dir(const char *run_dir, const char *uuid)
{
    return g_build_filename(run_dir, "vsock", uuid, NULL);
}

static char *
socket_path(const char *dir)
{
    return g_build_filename(dir, VSOCK_BROKER_NAME, NULL);
}

/* Its mode is the only one that counts: sockets in it are there for all that may enter. */
static int
listen_in(const char *dir, GError **error)
{
    g_autofree char *path = socket_path(dir);
    g_autofree char *above = g_path_get_dirname(dir);
    int fd;

    if (g_mkdir_with_parents(above, 0755) < 0 || (mkdir(dir, DIR_MODE) < 0 && errno != EEXIST)) {
        driver_error_errno(error, errno, "cannot make the directory '%s'", dir);
        return -1;
    }
    fd = unix_socket_listen(path, SOCK_STREAM, BACKLOG, error);
    if (fd >= 0 && chmod(path, 0666) < 0) {
        driver_error_errno(error, errno, "cannot set the mode of '%s'", path);
        close(fd);
        return -1;
    }
    return fd;
}

/* It is init's child, so that nothing has to wait for it here; it ends when the VMM does. */
static gboolean
spawn_broker(const char *program, int conn, int dir_fd, GError **error)
{
    const char *const argv[] = { program, NULL };
    const char *const env[] = { NULL };
    const int sources[] = { conn, dir_fd };
    const int targets[] = { VSOCK_BROKER_FD, VSOCK_BROKER_DIR_FD };
    g_autoptr(GError) cause = NULL;

    if (g_spawn_async_with_pipes_and_fds("/", argv, env, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, -1,
                                         -1, -1, sources, targets, G_N_ELEMENTS(targets), NULL,
                                         NULL, NULL, NULL, &cause))
        return TRUE;
    return driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", program,
                        cause->message);
}

static int
open_broker(const char *dir, const char *program, GError **error)
{
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int ends[2] = { -1, -1 };
    gboolean ok = FALSE;

    if (dir_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        driver_error_errno(error, errno, "Cannot make a connection to '%s'", program);
    else
        ok = spawn_broker(program, ends[1], dir_fd, error);
    if (dir_fd >= 0)
        close(dir_fd);
    if (ends[1] >= 0)
        close(ends[1]);
    if (!ok && ends[0] >= 0)
        close(ends[0]);
    return ok ? ends[0] : -1;
}

gboolean
vsock_host_open(const char *dir, const char *broker, VsockHost *ret, GError **error)
{
    VsockHost host;

    host.listener = listen_in(dir, error);
    if (host.listener < 0)
        return FALSE;
    host.broker = open_broker(dir, broker, error);
    if (host.broker < 0) {
        close(host.listener);
        vsock_host_discard(dir);
        return FALSE;
    }
    *ret = host;
    return TRUE;
}

void
vsock_host_discard(const char *dir)
{
    g_autofree char *path = socket_path(dir);
    struct stat st;

    unix_socket_remove(path);
    if (lstat(dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 07777) == DIR_MODE)
        rmdir(dir);
}
