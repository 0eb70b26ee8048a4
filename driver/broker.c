#include "driver/broker.h"

#include "driver/error.h"
#include "qemu-kvm-backend/proto/connect-broker.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

G_STATIC_ASSERT(CONNECT_BROKER_FD == VSOCK_BROKER_FD);

/* It is init's child, so that nothing has to wait for it here. */
static gboolean
spawn(const char *const *argv, int conn, int fd, GError **error)
{
    const char *const env[] = { NULL };
    const int sources[] = { conn, fd };
    const int targets[] = { VSOCK_BROKER_FD, VSOCK_BROKER_DIR_FD };
    g_autoptr(GError) cause = NULL;

    if (g_spawn_async_with_pipes_and_fds("/", argv, env, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, -1,
                                         -1, -1, sources, targets, fd < 0 ? 1 : 2, NULL,
                                         NULL, NULL, NULL, &cause))
        return TRUE;
    return driver_error(error, VIR_ERR_OPERATION_FAILED, "cannot start '%s': %s", argv[0],
                        cause->message);
}

int
broker_start(const char *const *argv, int fd, GError **error)
{
    int ends[2];
    gboolean ok;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        driver_error_errno(error, errno, "Cannot make a connection to '%s'", argv[0]);
        return -1;
    }
    ok = spawn(argv, ends[1], fd, error);
    close(ends[1]);
    if (!ok)
        close(ends[0]);
    return ok ? ends[0] : -1;
}
