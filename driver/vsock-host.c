#include "driver/vsock-host.h"

#include "driver/broker.h"
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

static int
open_broker(const char *dir, const char *program, GError **error)
{
    const char *const argv[] = { program, NULL };
    int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int conn;

    if (dir_fd < 0) {
        driver_error_errno(error, errno, "Cannot make a connection to '%s'", program);
        return -1;
    }
    conn = broker_start(argv, dir_fd, error);
    close(dir_fd);
    return conn;
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
