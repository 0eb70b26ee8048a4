/* vmctl-vsock: connects a guest to the host, where the guest asks for it: see proto/vsock-broker.h.
 *
 * All that it is asked is a number, and all that it does is to connect to the socket with that number in its
 * name, in the one directory that it was given. It has no rights but those of its user over that directory: no
 * capabilities, and no system calls but those that serving takes.
 */
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FILES 16

static bool
drop_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { 0 };

    return syscall(SYS_capset, &header, none) == 0;
}

/* A sanitizer's own calls at the end of the process are not among them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LEAVE SECCOMP_RET_ALLOW
#else
#define LEAVE SECCOMP_RET_KILL_PROCESS
#endif

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
#define ALLOW(call)                                                                                \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* What serving takes, and the end. */
static bool
allow_only_serving(void)
{
    struct sock_filter code[] = {
        FIELD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        FIELD(nr),
        ALLOW(recvfrom),
        ALLOW(sendmsg),
        ALLOW(socket),
        ALLOW(connect),
        ALLOW(close),
        ALLOW(restart_syscall),
        ALLOW(exit_group),
        BPF_STMT(BPF_RET | BPF_K, LEAVE),
    };
    const struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

/* Into the directory, from which relative names are looked up, and out of everything else. */
static bool
settle(void)
{
    const struct rlimit files = { MAX_FILES, MAX_FILES };

    return fchdir(VSOCK_BROKER_DIR_FD) == 0 && close_range(VSOCK_BROKER_DIR_FD, ~0u, 0) == 0 &&
           setrlimit(RLIMIT_NOFILE, &files) == 0 && drop_capabilities() &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
           allow_only_serving();
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

static bool
answer(const VsockBrokerRequest *request, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    struct iovec iov = { (void *)request, sizeof(*request) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (fd >= 0) {
        struct cmsghdr *cmsg = &control.align;

        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        *cmsg = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
    }
    return sendmsg(VSOCK_BROKER_FD, &msg, MSG_NOSIGNAL) == sizeof(*request);
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
    answered = answer(&request, fd);
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
