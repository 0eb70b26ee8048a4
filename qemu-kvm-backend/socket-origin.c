#include "qemu-kvm-backend/socket-origin.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/connect-broker.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct OriginKind {
    const char *name;
    int type; /* of the socket */
    bool listens;
    void (*await)(SocketOrigin *origin);
    LoopFn ready;
    bool later; /* it is watched from when it is first awaited */
} OriginKind;

struct SocketOrigin {
    const OriginKind *kind;
    Loop *loop;
    SocketOriginOwner owner;
    int fd; /* -1: nobody comes any more */
    LoopSource *source;
    bool asked; /* a broker, which has not answered yet */
};

static void
give_up(SocketOrigin *origin)
{
    loop_source_free(origin->source);
    origin->source = NULL;
    if (origin->fd >= 0)
        close(origin->fd);
    origin->fd = -1;
}

/* A listener */

static void
listener_await(SocketOrigin *origin)
{
    loop_source_set_events(origin->source, EPOLLIN);
}

static void
listener_ready(void *data, uint32_t events)
{
    SocketOrigin *origin = data;
    int fd;

    pthread_mutex_lock(origin->owner.lock);
    fd = accept4(origin->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        loop_source_set_events(origin->source, 0); /* the next one waits its turn */
        origin->owner.arrived(origin->owner.data, fd);
    }
    pthread_mutex_unlock(origin->owner.lock);
}

/* A connection, which may be on its way yet */

static void
connection_await(SocketOrigin *origin)
{
    if (origin->fd < 0)
        return;
    origin->source = loop_add_fd(origin->loop, origin->fd, EPOLLOUT, origin->kind->ready, origin);
    if (!origin->source)
        give_up(origin);
}

static void
connection_ready(void *data, uint32_t events)
{
    SocketOrigin *origin = data;
    int error = 0, fd = origin->fd;
    socklen_t size = sizeof(error);

    pthread_mutex_lock(origin->owner.lock);
    loop_source_free(origin->source);
    origin->source = NULL;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0) {
        origin->fd = -1;
        origin->owner.arrived(origin->owner.data, fd);
    } else {
        log_line("Cannot connect '%s': %s", origin->owner.name, strerror(error));
        give_up(origin);
    }
    pthread_mutex_unlock(origin->owner.lock);
}

/* A broker */

static void
lose_broker(SocketOrigin *origin)
{
    log_line("The process that connects '%s' is gone", origin->owner.name);
    give_up(origin);
}

static void
broker_await(SocketOrigin *origin)
{
    const ConnectBrokerWord word = CONNECT_BROKER_WORD;

    origin->asked = true;
    if (origin->fd >= 0 && send(origin->fd, &word, sizeof(word), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(word))
        lose_broker(origin);
}

/* Its answer, whose descriptor is the caller's; -1 where there is none now, or will be. */
static int
hear_broker(SocketOrigin *origin)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    ConnectBrokerWord word;
    struct iovec iov = { &word, sizeof(word) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    ssize_t n = recvmsg(origin->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const struct cmsghdr *cmsg;
    int fd = -1;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return -1;
    cmsg = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS &&
        cmsg->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(&fd, CMSG_DATA(cmsg), sizeof(fd));
    if (fd < 0)
        lose_broker(origin);
    return fd;
}

static void
broker_ready(void *data, uint32_t events)
{
    SocketOrigin *origin = data;
    int fd;

    pthread_mutex_lock(origin->owner.lock);
    fd = hear_broker(origin);
    if (fd >= 0 && origin->asked) {
        origin->asked = false;
        origin->owner.arrived(origin->owner.data, fd);
    } else if (fd >= 0) {
        close(fd);
        lose_broker(origin);
    }
    pthread_mutex_unlock(origin->owner.lock);
}

/* All of them */

static const OriginKind kinds[] = {
    { "socket", SOCK_STREAM, true, listener_await, listener_ready },
    { "connection", SOCK_STREAM, false, connection_await, connection_ready, .later = true },
    { "broker", SOCK_SEQPACKET, false, broker_await, broker_ready },
};

static const OriginKind *
find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    }
    return NULL;
}

bool
socket_origin_is_kind(const char *kind)
{
    return find_kind(kind) != NULL;
}

static bool
fits(const SocketOrigin *origin)
{
    int type = 0, listens = 0;
    socklen_t size = sizeof(int);

    return getsockopt(origin->fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == origin->kind->type &&
           getsockopt(origin->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
           (listens != 0) == origin->kind->listens;
}

/* A broker is listened to all the time: it may end. */
static bool
prepare(SocketOrigin *origin, VmmMsg *params, VmmError *err)
{
    uint32_t events = origin->kind->listens ? 0 : EPOLLIN;
    int flags;

    if (!vmm_msg_take_fd(params, "fd", &origin->fd))
        return vmm_error(err, VMM_ERROR_INVALID, "Character device '%s' of kind '%s' has no descriptor",
                         origin->owner.name, origin->kind->name);
    if (!fits(origin))
        return vmm_error(err, VMM_ERROR_INVALID, "The descriptor of '%s' is no socket for kind '%s'",
                         origin->owner.name, origin->kind->name);
    flags = fcntl(origin->fd, F_GETFL);
    if (fcntl(origin->fd, F_SETFL, flags | O_NONBLOCK) == 0 && !origin->kind->later)
        origin->source = loop_add_fd(origin->loop, origin->fd, events, origin->kind->ready, origin);
    return origin->source || origin->kind->later || vmm_error_errno(err, "Cannot wait for a socket");
}

SocketOrigin *
socket_origin_new(Loop *loop, VmmMsg *params, const SocketOriginOwner *owner, VmmError *err)
{
    SocketOrigin *origin = vmm_must(calloc(1, sizeof(*origin)));
    const char *kind = "";

    vmm_msg_get_string(params, "kind", &kind);
    *origin = (SocketOrigin){ .kind = find_kind(kind), .loop = loop, .owner = *owner, .fd = -1 };
    if (!origin->kind)
        vmm_error(err, VMM_ERROR_INVALID, "'%s' is no kind of socket", kind);
    else if (prepare(origin, params, err))
        return origin;
    socket_origin_free(origin);
    return NULL;
}

void
socket_origin_free(SocketOrigin *origin)
{
    if (!origin)
        return;
    give_up(origin);
    free(origin);
}

void
socket_origin_await(SocketOrigin *origin)
{
    origin->kind->await(origin);
}
