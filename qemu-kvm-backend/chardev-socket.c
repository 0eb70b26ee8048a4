/* kinds "socket", "connection" and "broker": a stream socket, with one client at a time (socket-server.h).
 *
 * All that is done with the client is the main thread's: a vCPU leaves its bytes, and word. Whoever connects gets
 * what was kept, as with a pty. */
#include "qemu-kvm-backend/chardev-private.h"
#include "qemu-kvm-backend/socket-server.h"

typedef struct Socket {
    Chardev chardev;
    bool attached; /* somebody is connected */
    SocketServer *server;
} Socket;

static void
socket_flush(Socket *sock)
{
    Chardev *chardev = &sock->chardev;
    const uint8_t *bytes;
    size_t size, done;

    while (sock->attached && (bytes = backlog_peek(&chardev->backlog, &size))) {
        done = socket_server_write(sock->server, bytes, size);
        backlog_take(&chardev->backlog, done);
        if (done < size)
            return;
    }
    if (sock->attached)
        chardev_report_dropped(chardev);
}

static size_t
socket_room(void *data)
{
    const ChardevOwner *owner = &((Chardev *)data)->owner;

    return owner->room(owner->data);
}

static void
socket_receive(void *data, const uint8_t *bytes, size_t size)
{
    const ChardevOwner *owner = &((Chardev *)data)->owner;

    owner->receive(owner->data, bytes, size);
}

static void
socket_writable(void *data)
{
    socket_flush(data);
}

static void
socket_connected(void *data, bool connected)
{
    Socket *sock = data;

    sock->attached = connected;
    if (connected && sock->chardev.backlog.used > 0)
        chardev_wake(&sock->chardev);
}

static void
socket_woken(void *data, uint32_t events)
{
    Socket *sock = data;

    pthread_mutex_lock(sock->chardev.owner.lock);
    socket_server_accept(sock->server);
    socket_flush(sock);
    pthread_mutex_unlock(sock->chardev.owner.lock);
}

static bool
socket_open(Chardev *chardev, VmmMsg *params, VmmError *err)
{
    const SocketServerOwner owner = {
        .name = chardev->owner.name,
        .lock = chardev->owner.lock,
        .room = socket_room,
        .receive = socket_receive,
        .writable = socket_writable,
        .connected = socket_connected,
        .data = chardev,
    };
    Socket *sock = (Socket *)chardev;

    if (!chardev_add_wake(chardev, socket_woken, err))
        return false;
    sock->server = socket_server_new(chardev->loop, params, &owner, err);
    return sock->server != NULL;
}

static void
socket_write(Chardev *chardev, const uint8_t *bytes, size_t size)
{
    chardev->out.dropped += backlog_put(&chardev->backlog, bytes, size);
    if (((Socket *)chardev)->attached)
        chardev_wake(chardev);
}

static void
socket_close(Chardev *chardev)
{
    socket_server_free(((Socket *)chardev)->server);
}

#define SOCKET_KIND(name)                                                                          \
    {                                                                                              \
        name, sizeof(Socket), socket_open, socket_write, socket_close                              \
    }

const ChardevKind chardev_socket = SOCKET_KIND("socket");
const ChardevKind chardev_connection = SOCKET_KIND("connection");
const ChardevKind chardev_broker = SOCKET_KIND("broker");
