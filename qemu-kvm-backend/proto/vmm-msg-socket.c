#include "qemu-kvm-backend/proto/vmm-msg-private.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

bool
vmm_msg_send(int sock, const VmmMsg *msg)
{
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * VMM_MSG_FDS_MAX)];
    } control = { 0 };
    struct iovec iov = { msg->packet, msg->size };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
    ssize_t n;

    if (msg->failed) {
        errno = msg->failed;
        return false;
    }
    if (msg->n_fds) {
        struct cmsghdr *cmsg;

        hdr.msg_control = control.room;
        hdr.msg_controllen = CMSG_SPACE(sizeof(int) * msg->n_fds);
        cmsg = CMSG_FIRSTHDR(&hdr);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int) * msg->n_fds);
        memcpy(CMSG_DATA(cmsg), msg->fds, sizeof(int) * msg->n_fds);
    }
    do
        n = sendmsg(sock, &hdr, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)msg->size;
}

static size_t
collect_fds(struct msghdr *hdr, int *fds)
{
    size_t n_fds = 0;

    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(hdr); cmsg; cmsg = CMSG_NXTHDR(hdr, cmsg)) {
        size_t n;

        if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
            continue;
        n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds + n_fds, CMSG_DATA(cmsg), n * sizeof(int));
        n_fds += n;
    }
    return n_fds;
}

VmmMsg *
vmm_msg_recv(int sock)
{
    uint8_t packet[VMM_MSG_MAX]; /* of the stack only what a message fills is ever touched */
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int) * VMM_MSG_FDS_MAX)];
    } control;
    struct iovec iov = { packet, sizeof(packet) };
    struct msghdr hdr = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.room,
        .msg_controllen = sizeof(control.room),
    };
    int fds[VMM_MSG_FDS_MAX];
    size_t n_fds;
    ssize_t n;

    do
        n = recvmsg(sock, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return NULL;
    n_fds = collect_fds(&hdr, fds);
    if (n == 0 && n_fds == 0) {
        errno = 0;
        return NULL;
    }
    if (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        n = 0; /* too large for a message: parsed as the empty packet, which is none */
    return vmm_msg_parse(packet, n, fds, n_fds);
}
