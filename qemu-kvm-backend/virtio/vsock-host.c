/* The host's side of virtio-vsock: who connects to its socket, and who the broker connects to. */
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"
#include "qemu-kvm-backend/virtio/vsock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST_PORT 0x40000000u /* of the host's ends of streams that the host begins */

/* Sockets of the host. */

static void
begin_asking_guest(Vsock *vsock, VsockConn *conn, uint32_t port)
{
    vsock_set_guest_port(vsock, conn, port);
    vsock_set_state(vsock, conn, VSOCK_ASKING_GUEST);
    vsock_tell_guest(vsock, conn, VSOCK_TELL_REQUEST);
}

static void
greet(Vsock *vsock, VsockConn *conn)
{
    uint32_t port;

    if (vsock_conn_greet(conn, &port))
        begin_asking_guest(vsock, conn, port);
    else if (conn->eof)
        vsock_drop(vsock, conn);
}

/* A guest that is done is told so when all that it sent has been taken. */
void
vsock_close_if_done(Vsock *vsock, VsockConn *conn)
{
    if (conn->state != VSOCK_CLOSING || conn->used > 0 || conn->tell & VSOCK_TELL_RESET)
        return;
    if (conn->orphan)
        vsock_drop(vsock, conn);
    else
        vsock_abort(vsock, conn);
}

static void
on_open_socket(Vsock *vsock, VsockConn *conn, uint32_t events)
{
    vsock_conn_flush(conn);
    conn->gone |= (events & EPOLLHUP) != 0;
    vsock_look_for_news(vsock, conn);
    vsock_close_if_done(vsock, conn);
}

static void
on_socket(void *data, uint32_t events)
{
    VsockConn *conn = data;
    Vsock *vsock = conn->owner;
    pthread_mutex_t *lock = &vsock->vdev.dev->lock;

    pthread_mutex_lock(lock);
    conn->readable |= (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (conn->state == VSOCK_GREETING)
        greet(vsock, conn);
    else if (conn->state == VSOCK_ASKING_GUEST && events & (EPOLLHUP | EPOLLERR))
        vsock_abort(vsock, conn);
    else if (conn->state == VSOCK_OPEN || conn->state == VSOCK_CLOSING)
        on_open_socket(vsock, conn, events);
    vsock_serve(vsock);
    pthread_mutex_unlock(lock);
}

/* Somebody on the host. Ports of our own are never those that a guest has asked for, which it knows as the
 * host's well-known ones. */
static void
accept_one(Vsock *vsock)
{
    int fd = accept4(vsock->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    VsockConn *conn;

    if (fd < 0)
        return;
    if (vsock->next_port < FIRST_PORT || vsock->next_port == UINT32_MAX)
        vsock->next_port = FIRST_PORT;
    conn = vsock_add(vsock, UINT32_MAX, vsock->next_port++, VSOCK_GREETING);
    if (!vsock_conn_attach(conn, vsock->vdev.loop, fd, on_socket, conn))
        vsock_drop(vsock, conn);
}

static void
on_listener(void *data, uint32_t events)
{
    Vsock *vsock = data;

    /* The loop may have heard of it before what it did first made us deaf. A device without a driver has no streams: what
     * its driver resets it drops in the thread of a vCPU. */
    pthread_mutex_lock(&vsock->vdev.dev->lock);
    if (!vsock->deaf)
        accept_one(vsock);
    vsock_hear(vsock);
    pthread_mutex_unlock(&vsock->vdev.dev->lock);
}

bool
vsock_watch_listener(Vsock *vsock, VmmError *err)
{
    int flags = fcntl(vsock->listener, F_GETFL), listens = 0;
    socklen_t size = sizeof(listens);

    if (getsockopt(vsock->listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s': its socket does not listen",
                         vsock->vdev.dev->id);
    vsock->deaf = true;
    if (fcntl(vsock->listener, F_SETFL, flags | O_NONBLOCK) == 0)
        vsock->listening = loop_add_fd(vsock->vdev.loop, vsock->listener, 0, on_listener, vsock);
    return vsock->listening || vmm_error_errno(err, "Cannot listen on a socket");
}

/* The broker. */

static void
lose_broker(Vsock *vsock)
{
    log_line("Device '%s': the broker of its connections to the host is gone", vsock->vdev.dev->id);
    loop_source_free(vsock->answering);
    close(vsock->broker);
    vsock->answering = NULL;
    vsock->broker = -1;
}

bool
vsock_ask_broker(Vsock *vsock, const VsockConn *conn)
{
    const VsockBrokerRequest request = { conn->guest_port, conn->host_port };

    return vsock->broker >= 0 && send(vsock->broker, &request, sizeof(request),
                                      MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(request);
}

static int
fd_of(struct msghdr *msg)
{
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg);
    int fd = -1;

    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
        cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
    return fd;
}

/* The next answer, whose descriptor (or -1) is the caller's. False where there is none now. */
static bool
hear_broker(Vsock *vsock, VsockBrokerRequest *ret, int *ret_fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = { ret, sizeof(*ret) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t n = recvmsg(vsock->broker, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    *ret_fd = n > 0 ? fd_of(&msg) : -1;
    if (n == sizeof(*ret))
        return true;
    if (*ret_fd >= 0)
        close(*ret_fd);
    lose_broker(vsock);
    return false;
}

/* Takes @fd over. */
static void
connected(Vsock *vsock, const VsockBrokerRequest *request, int fd)
{
    VsockConn *conn = vsock_find(vsock, request->guest_port, request->host_port);

    if (!conn || conn->state != VSOCK_ASKING_HOST) {
        if (fd >= 0)
            close(fd);
    } else if (fd < 0 || !vsock_conn_attach(conn, vsock->vdev.loop, fd, on_socket, conn)) {
        vsock_abort(vsock, conn);
    } else {
        vsock_set_state(vsock, conn, VSOCK_OPEN);
        vsock_tell_guest(vsock, conn, VSOCK_TELL_RESPONSE);
    }
}

static void
on_broker(void *data, uint32_t events)
{
    Vsock *vsock = data;
    VsockBrokerRequest request;
    int fd;

    pthread_mutex_lock(&vsock->vdev.dev->lock);
    for (unsigned n = 0; n < VSOCK_QUEUE_SIZE && vsock->broker >= 0; n++) {
        if (!hear_broker(vsock, &request, &fd))
            break;
        connected(vsock, &request, fd);
    }
    vsock_serve(vsock);
    pthread_mutex_unlock(&vsock->vdev.dev->lock);
}

bool
vsock_watch_broker(Vsock *vsock, VmmError *err)
{
    if (vsock->broker < 0)
        return true;
    vsock->answering = loop_add_fd(vsock->vdev.loop, vsock->broker, EPOLLIN, on_broker, vsock);
    return vsock->answering || vmm_error_errno(err, "Cannot watch the broker's socket");
}
