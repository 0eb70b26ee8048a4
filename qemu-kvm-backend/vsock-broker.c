/* vmctl-vsock: connects a guest to the host, where the guest asks for it: see proto/vsock-broker.h.
 *
 * All that it is asked is a number, and all that it does is to connect to the socket with that number in its
 * name, in the one directory that it was given. It has no rights but those of its user over that directory: no
 * capabilities, and no system calls but those that serving takes.
 */
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include "qemu-kvm-backend/broker.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FILES 16

/* What serving takes, and the end. */
static const unsigned calls[] = {
    SYS_recvfrom, SYS_sendmsg, SYS_socket,          SYS_connect,
    SYS_close,    SYS_restart_syscall, SYS_exit_group,
};

/* Into the directory, from which relative names are looked up, and out of everything else. */
static bool
settle(void)
{
    return fchdir(VSOCK_BROKER_DIR_FD) == 0 && close_range(VSOCK_BROKER_DIR_FD, ~0u, 0) == 0 &&
           broker_confine(calls, sizeof(calls) / sizeof(calls[0]), MAX_FILES);
}

/* A socket connected to @port, or -1. It does not wait for a listener whose backlog is full. */
static int
connect_to(uint32_t port)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    snprintf(address.sun_path, sizeof(address.sun_path), VSOCK_BROKER_NAME "_%" PRIu32, port);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* False at the end of the guest. */
static bool
serve_one(void)
{
    VsockBrokerRequest request;
    ssize_t n = recv(VSOCK_BROKER_FD, &request, sizeof(request), MSG_TRUNC);
    bool answered;
    int fd;

    if (n < 0 && errno == EINTR)
        return true;
    if (n != sizeof(request))
        return false;
    fd = connect_to(request.host_port);
    answered = broker_send(VSOCK_BROKER_FD, &request, sizeof(request), fd);
    if (fd >= 0)
        close(fd);
    return answered;
}

int
main(int argc, char **argv)
{
    setsid(); /* what a terminal sends to the driver is not meant for it */
    if (!settle()) {
        fprintf(stderr, "vmctl-vsock: %s\n", strerror(errno));
        return EXIT_FAILURE;
    }
    while (serve_one())
        continue;
    return EXIT_SUCCESS;
}
