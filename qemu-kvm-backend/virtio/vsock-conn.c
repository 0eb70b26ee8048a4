#include "qemu-kvm-backend/virtio/vsock-conn.h"

#include "qemu-kvm-backend/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "CONNECT "

VsockConn *
vsock_conn_new(uint32_t guest_port, uint32_t host_port, VsockState state)
{
    VsockConn *conn = vmm_must(calloc(1, sizeof(*conn)));

    conn->guest_port = guest_port;
    conn->host_port = host_port;
    conn->state = state;
    conn->fd = -1;
    return conn;
}

void
vsock_conn_free(VsockConn *conn)
{
    loop_source_free(conn->source);
    if (conn->fd >= 0)
        close(conn->fd);
    free(conn->ring);
    free(conn);
}

/* On edges: what is there stays noted, so that waiting for the guest costs no system call. */
bool
vsock_conn_attach(VsockConn *conn, Loop *loop, int fd, LoopFn fn, void *data)
{
    conn->fd = fd;
    conn->source = loop_add_fd(loop, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, fn, data);
    return conn->source != NULL;
}

/* A guest that says nonsense gets nothing. */
uint32_t
vsock_conn_credit(const VsockConn *conn)
{
    uint32_t under_way = conn->sent - conn->guest_taken;

    return under_way < conn->guest_room ? conn->guest_room - under_way : 0;
}

size_t
vsock_conn_read(VsockConn *conn, const struct iovec *iov, unsigned n)
{
    ssize_t size;

    do
        size = readv(conn->fd, iov, n);
    while (size < 0 && errno == EINTR);
    if (size > 0) {
        conn->sent += size;
        return size;
    }
    conn->readable = false;
    conn->eof = size == 0 || errno != EAGAIN;
    return 0;
}

/* To the guest it is as if it had been taken. */
static void
give_up_writing(VsockConn *conn)
{
    conn->gone = true;
    conn->taken += conn->used;
    conn->used = 0;
    free(conn->ring);
    conn->ring = NULL;
}

/* The number of bytes that the host took. */
static uint32_t
send_some(VsockConn *conn, const uint8_t *bytes, uint32_t size)
{
    ssize_t n;

    do
        n = send(conn->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN)
        give_up_writing(conn);
    return n < 0 ? 0 : n;
}

static void
keep(VsockConn *conn, const uint8_t *bytes, uint32_t size)
{
    uint32_t at = (conn->head + conn->used) % VSOCK_CONN_BUFFER;
    uint32_t first = VSOCK_CONN_BUFFER - at < size ? VSOCK_CONN_BUFFER - at : size;

    if (!conn->ring)
        conn->ring = vmm_must(malloc(VSOCK_CONN_BUFFER));
    memcpy(conn->ring + at, bytes, first);
    memcpy(conn->ring, bytes + first, size - first);
    conn->used += size;
}

bool
vsock_conn_write(VsockConn *conn, const uint8_t *bytes, uint32_t size)
{
    uint32_t n = 0;

    if (size > VSOCK_CONN_BUFFER - conn->used)
        return false;
    if (!conn->gone && conn->used == 0)
        n = send_some(conn, bytes, size);
    if (conn->gone)
        n = size;
    conn->taken += n;
    if (n < size)
        keep(conn, bytes + n, size - n);
    return true;
}

void
vsock_conn_flush(VsockConn *conn)
{
    while (conn->used > 0) {
        uint32_t together = VSOCK_CONN_BUFFER - conn->head;
        uint32_t size = conn->used < together ? conn->used : together;
        uint32_t n = send_some(conn, conn->ring + conn->head, size);

        if (conn->gone)
            return;
        conn->taken += n;
        conn->head = (conn->head + n) % VSOCK_CONN_BUFFER;
        conn->used -= n;
        if (n < size)
            return;
    }
    free(conn->ring);
    conn->ring = NULL;
    if (conn->guest_shut & VSOCK_NO_SEND && !conn->ended) {
        conn->ended = true;
        shutdown(conn->fd, SHUT_WR);
    }
}

bool
vsock_conn_owes_credit(const VsockConn *conn)
{
    return conn->taken - conn->told_taken >= VSOCK_CONN_BUFFER / 2;
}

/* A decimal number and nothing else. */
static bool
read_port(const char *text, uint32_t *ret)
{
    uint64_t port = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        port = port * 10 + (*text - '0');
        if (port >= UINT32_MAX) /* which stands for any port */
            return false;
    }
    *ret = port;
    return true;
}

/* Byte by byte, because what comes behind it is the guest's. */
bool
vsock_conn_greet(VsockConn *conn, uint32_t *ret_port)
{
    const size_t n = strlen(GREETING);

    while (conn->greeted < sizeof(conn->greeting)) {
        char *at = &conn->greeting[conn->greeted];
        struct iovec one = { at, 1 };

        if (vsock_conn_read(conn, &one, 1) == 0)
            return false;
        conn->sent = 0; /* this was not for the guest */
        conn->greeted++;
        if (*at == '\n') {
            *at = '\0';
            conn->eof = strncmp(conn->greeting, GREETING, n) != 0 ||
                        !read_port(conn->greeting + n, ret_port);
            return !conn->eof;
        }
    }
    conn->eof = true;
    return false;
}
