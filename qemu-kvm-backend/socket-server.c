#include "qemu-kvm-backend/socket-server.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX                                                                                  \
    64 /* then other sources get their turn: the owner may make room as fast as a client sends */

struct SocketServer {
    Loop *loop;
    SocketServerOwner owner;
    int listener;
    LoopSource *listening;
    int client; /* -1: nobody */
    LoopSource *serving;
    uint32_t events;
    bool waits; /* the owner does, to write */
};

static void on_client(void *data, uint32_t events);

static void
drop_client(SocketServer *server)
{
    loop_source_free(server->serving);
    close(server->client);
    server->serving = NULL;
    server->client = -1;
    loop_source_set_events(server->listening, EPOLLIN);
    server->owner.connected(server->owner.data, false);
    if (server->waits) {
        server->waits = false;
        server->owner.writable(server->owner.data);
    }
}

/* False where the client is gone; @ret_more: there may be more to read, and there is room. */
static bool
receive(SocketServer *server, bool *ret_more)
{
    const SocketServerOwner *owner = &server->owner;
    uint8_t bytes[4096];
    size_t room = 0;

    *ret_more = false;
    for (unsigned i = 0; i < READS_MAX && (room = owner->room(owner->data)) > 0; i++) {
        ssize_t n =
            recv(server->client, bytes, room < sizeof(bytes) ? room : sizeof(bytes), MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN;
        owner->receive(owner->data, bytes, n);
    }
    *ret_more = room > 0;
    return true;
}

/* Waits for what can be gone on with. */
static void
watch(SocketServer *server)
{
    bool room = server->owner.room(server->owner.data) > 0;
    uint32_t events = (room ? EPOLLIN : 0) | (server->waits ? EPOLLOUT : 0);

    if (!server->serving)
        server->serving = loop_add_fd(server->loop, server->client, events, on_client, server);
    else if (events != server->events)
        loop_source_set_events(server->serving, events);
    server->events = events;
}

/* What a client left behind that there is no room for goes with it: the next one must neither wait for a
 * guest that does not read, nor get the answers to another one's questions. */
static void
serve(SocketServer *server, uint32_t events)
{
    bool more;

    if (!receive(server, &more) || (events & (EPOLLHUP | EPOLLERR) && !more)) {
        drop_client(server);
        return;
    }
    if (server->waits && events & EPOLLOUT) {
        server->waits = false;
        server->owner.writable(server->owner.data);
    }
    watch(server);
}

static void
on_client(void *data, uint32_t events)
{
    SocketServer *server = data;

    pthread_mutex_lock(server->owner.lock);
    serve(server, events);
    pthread_mutex_unlock(server->owner.lock);
}

static void
on_listener(void *data, uint32_t events)
{
    SocketServer *server = data;

    pthread_mutex_lock(server->owner.lock);
    server->client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (server->client >= 0) {
        loop_source_set_events(server->listening, 0); /* the next one waits its turn */
        server->owner.connected(server->owner.data, true);
        watch(server);
    }
    pthread_mutex_unlock(server->owner.lock);
}

SocketServer *
socket_server_new(Loop *loop, int listener, const SocketServerOwner *owner, VmmError *err)
{
    SocketServer *server = vmm_must(calloc(1, sizeof(*server)));
    int flags = fcntl(listener, F_GETFL), listens = 0;
    socklen_t size = sizeof(listens);
    bool fits;

    *server = (SocketServer){ .loop = loop, .owner = *owner, .listener = listener, .client = -1 };
    fits = getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens;
    if (!fits)
        vmm_error(err, VMM_ERROR_INVALID, "A descriptor is not that of a listening socket");
    else if (fcntl(listener, F_SETFL, flags | O_NONBLOCK) == 0)
        server->listening = loop_add_fd(loop, listener, EPOLLIN, on_listener, server);
    if (server->listening)
        return server;
    if (fits)
        vmm_error_errno(err, "Cannot listen on a socket");
    socket_server_free(server);
    return NULL;
}

void
socket_server_free(SocketServer *server)
{
    if (!server)
        return;
    loop_source_free(server->serving);
    loop_source_free(server->listening);
    if (server->client >= 0)
        close(server->client);
    close(server->listener);
    free(server);
}

size_t
socket_server_write(SocketServer *server, const uint8_t *bytes, size_t size)
{
    ssize_t n;

    if (server->client < 0)
        return size;
    do
        n = send(server->client, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN)
        return size; /* it has left, and its source says so */
    if (n < 0)
        n = 0;
    if ((size_t)n < size && !server->waits) {
        server->waits = true;
        watch(server);
    }
    return n;
}

void
socket_server_accept(SocketServer *server)
{
    if (server->client >= 0)
        serve(server, 0);
}
