#include "tests/guest/hostile-vsock.h"

#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel gives the socket a name that is no file's. */
void
streams_init(Streams *streams, VmmMsg *msg)
{
    const struct sockaddr any = { .sa_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];

    *streams = (Streams){ .address_size = sizeof(streams->address) };
    memset(streams->ends, -1, sizeof(streams->ends));
    g_assert_no_errno(bind(fd, &any, sizeof(any.sa_family)));
    g_assert_no_errno(
        getsockname(fd, (struct sockaddr *)&streams->address, &streams->address_size));
    g_assert_no_errno(listen(fd, STREAMS_MAX));
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
    streams->broker = ends[0];
    vmm_msg_put_u64(msg, "cid", 3);
    vmm_msg_put_fd(msg, "fd", fd);
    vmm_msg_put_fd(msg, "broker", ends[1]);
}

static void
leave(Streams *streams, guint i)
{
    if (streams->ends[i] >= 0)
        close(streams->ends[i]);
    streams->ends[i] = -1;
}

void
streams_leave(Streams *streams)
{
    for (guint i = 0; i < STREAMS_MAX; i++)
        leave(streams, i);
}

void
streams_clear(Streams *streams)
{
    streams_leave(streams);
    close(streams->broker);
}

/* Now and then with less than a whole greeting. */
static void
come(Streams *streams, guint i, GRand *rand)
{
    char text[32];
    int n = g_snprintf(text, sizeof(text), "CONNECT %d\n", g_rand_int_range(rand, 0, 16));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    leave(streams, i);
    streams->ends[i] = fd;
    if (connect(fd, (struct sockaddr *)&streams->address, streams->address_size) < 0)
        leave(streams, i);
    else
        send(fd, text, g_rand_int_range(rand, 0, 8) ? n : n / 2, MSG_NOSIGNAL);
}

/* As a broker does, with a stream or without. */
static void
answer(Streams *streams, guint i, bool accept)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    VsockBrokerRequest request;
    struct iovec iov = { &request, sizeof(request) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int ends[2];

    if (recv(streams->broker, &request, sizeof(request), 0) != sizeof(request))
        return;
    streams->n_asked++;
    if (!accept) {
        sendmsg(streams->broker, &msg, MSG_NOSIGNAL);
        return;
    }
    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
    msg.msg_control = &control;
    msg.msg_controllen = sizeof(control);
    control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
    memcpy(CMSG_DATA(&control.align), &ends[1], sizeof(int));
    leave(streams, i);
    streams->ends[i] = ends[0];
    streams->n_begun += sendmsg(streams->broker, &msg, MSG_NOSIGNAL) >= 0;
    close(ends[1]);
}

void
streams_serve(Streams *streams, GRand *rand)
{
    static guint8 bytes[16384];
    guint i = g_rand_int_range(rand, 0, STREAMS_MAX);

    answer(streams, i, g_rand_int_range(rand, 0, 8));
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
        come(streams, i, rand);
        break;
    case 1:
        leave(streams, i);
        break;
    case 2 ... 3:
        send(streams->ends[i], bytes, g_rand_int_range(rand, 1, sizeof(bytes)), MSG_NOSIGNAL);
        break;
    case 4:
        shutdown(streams->ends[i], g_rand_int_range(rand, 0, 3));
        break;
    default:
        recv(streams->ends[i], bytes, sizeof(bytes), 0);
        break;
    }
}
