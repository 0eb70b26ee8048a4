#include "qemu-kvm-backend/socket-server.h"

#include "qemu-kvm-backend/telnet.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX                                                                                  \
    64 /* then other sources get their turn: the owner may make room as fast as a client sends */

struct SocketServer {
    Loop *loop;
    SocketServerOwner owner;
    SocketOrigin *origin;
    int client; /* -1: nobody */
    LoopSource *serving;
    uint32_t events;
    bool waits;     /* the owner does, to write */
    Telnet *telnet; /* NULL: bytes go as they are */
};

static void on_client(void *data, uint32_t events);

static void
drop_client(SocketServer *server)
{
    loop_source_free(server->serving);
    close(server->client);
    server->serving = NULL;
    server->client = -1;
    socket_origin_await(server->origin);
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
        if (server->telnet)
            n = telnet_decode(server->telnet, bytes, n);
        if (n > 0)
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

/* How many bytes went; all where the client has left, which its source says. */
static size_t
send_some(SocketServer *server, const uint8_t *bytes, size_t size)
{
    ssize_t n;

    do
        n = send(server->client, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n >= 0 ? (size_t)n : errno == EAGAIN ? 0 : size;
}

/* Whether all that was encoded has gone. */
static bool
flush_telnet(SocketServer *server)
{
    Telnet *telnet = server->telnet;

    if (telnet->at < telnet->end)
        telnet->at += send_some(server, telnet->out + telnet->at, telnet->end - telnet->at);
    return telnet->at == telnet->end;
}

size_t
socket_server_write(SocketServer *server, const uint8_t *bytes, size_t size)
{
    size_t done = 0;
    bool all = true;

    if (server->client < 0)
        return size;
    if (!server->telnet)
        done = size > 0 ? send_some(server, bytes, size) : 0;
    else
        while ((all = flush_telnet(server)) && done < size)
            done += telnet_encode(server->telnet, bytes + done, size - done);
    if ((done < size || !all) && !server->waits) {
        server->waits = true;
        watch(server);
    }
    return done;
}

/* There is room at the client's, for what was encoded before anything else. */
static void
go_on(SocketServer *server)
{
    if (server->telnet && !flush_telnet(server))
        return;
    server->waits = false;
    server->owner.writable(server->owner.data);
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
    if (server->waits && events & EPOLLOUT)
        go_on(server);
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

/* Our options go before all that the owner says. */
static void
on_arrival(void *data, int fd)
{
    SocketServer *server = data;

    server->client = fd;
    if (server->telnet) {
        telnet_begin(server->telnet);
        socket_server_write(server, NULL, 0);
    }
    server->owner.connected(server->owner.data, true);
    watch(server);
}

SocketServer *
socket_server_new(Loop *loop, VmmMsg *params, const SocketServerOwner *owner, VmmError *err)
{
    SocketServer *server = vmm_must(calloc(1, sizeof(*server)));
    SocketOriginOwner origin = { owner->name, owner->lock, on_arrival, server };
    bool telnet = false;

    *server = (SocketServer){ .loop = loop, .owner = *owner, .client = -1 };
    vmm_msg_get_bool(params, "telnet", &telnet);
    if (telnet)
        server->telnet = vmm_must(calloc(1, sizeof(*server->telnet)));
    server->origin = socket_origin_new(loop, params, &origin, err);
    if (!server->origin) {
        socket_server_free(server);
        return NULL;
    }
    socket_origin_await(server->origin);
    return server;
}

void
socket_server_free(SocketServer *server)
{
    if (!server)
        return;
    loop_source_free(server->serving);
    if (server->client >= 0)
        close(server->client);
    socket_origin_free(server->origin);
    free(server->telnet);
    free(server);
}

void
socket_server_accept(SocketServer *server)
{
    if (server->client >= 0)
        serve(server, 0);
}
