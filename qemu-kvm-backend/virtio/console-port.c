#include "qemu-kvm-backend/virtio/console.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_NAME_MAX 64
#define TURN          (256u << 10) /* bytes that a turn of the loop sends; a buffer may have 4 GiB */

static VirtQueue *
in_queue(const Port *port)
{
    return port->console->vdev.queues[port->number == 0 ? 0 : 2 * port->number + 2];
}

static unsigned
out_index(unsigned number)
{
    return number == 0 ? 1 : 2 * number + 3;
}

/* From the host to the guest. */

static size_t
port_room(void *data)
{
    Port *port = data;
    VirtioDevice *vdev = &port->console->vdev;
    VirtChain chain;

    if (!vdev->started || !port->guest_open || !queue_pop(in_queue(port), &chain))
        return 0;
    queue_unpop(in_queue(port));
    if (chain.in_size == 0)
        virtio_break(vdev, "a port's receive buffer is none");
    return chain.in_size;
}

/* No more than there was room for: one buffer. */
static void
port_receive(void *data, const uint8_t *bytes, size_t size)
{
    Port *port = data;
    VirtQueue *queue = in_queue(port);
    VirtChain chain;

    if (!queue_pop(queue, &chain))
        return;
    queue_push(queue, chain.head, iov_write(chain.in, chain.n_in, 0, bytes, size));
    queue_flush(queue);
}

void
console_port_accept(Port *port)
{
    if (port->socket)
        socket_server_accept(port->socket);
    else
        chardev_accept(port->chardev);
}

/* From the guest to the host. */

static size_t
write_host(Port *port, const uint8_t *bytes, size_t size)
{
    if (port->socket) {
        size_t done = socket_server_write(port->socket, bytes, size);

        sink_write(&port->log, port->console->vdev.dev->id, bytes, done);
        return done;
    }
    chardev_write(port->chardev, bytes, size);
    return size;
}

/* Goes on where the last call ended; false where the host does not take it all, or the turn, of @left bytes,
 * is over. */
static bool
send_chain(Port *port, const VirtChain *chain, size_t *left)
{
    size_t skip = port->sent;

    for (unsigned i = 0; i < chain->n_out; i++) {
        const struct iovec *piece = &chain->out[i];
        size_t rest, done;

        if (skip >= piece->iov_len) {
            skip -= piece->iov_len;
            continue;
        }
        rest = piece->iov_len - skip;
        done = write_host(port, (uint8_t *)piece->iov_base + skip, rest < *left ? rest : *left);
        port->sent += done;
        *left -= done;
        if (done < rest)
            return false;
        skip = 0;
    }
    port->sent = 0;
    return true;
}

void
console_port_send(void *data)
{
    Port *port = data;
    unsigned index = out_index(port->number);
    VirtioDevice *vdev = &port->console->vdev;
    VirtQueue *queue = vdev->queues[index];
    size_t left = TURN;
    VirtChain chain;
    unsigned n = 0;

    if (!vdev->started)
        return;
    while (n < QUEUE_SIZE && queue_pop(queue, &chain)) {
        if (!send_chain(port, &chain, &left)) {
            queue_unpop(queue);
            break;
        }
        queue_push(queue, chain.head, 0);
        n++;
    }
    queue_flush(queue);
    if (n == QUEUE_SIZE || left == 0)
        virtio_kick(vdev, index);
}

void
console_discard_output(Console *console, unsigned number)
{
    unsigned index = out_index(number);
    VirtioDevice *vdev = &console->vdev;
    VirtQueue *queue = vdev->queues[index];
    VirtChain chain;
    unsigned n = 0;

    if (!vdev->started)
        return;
    for (; n < QUEUE_SIZE && queue_pop(queue, &chain); n++)
        queue_push(queue, chain.head, 0);
    queue_flush(queue);
    if (n == QUEUE_SIZE)
        virtio_kick(vdev, index);
}

/* The host's end. */

static void
port_connected(void *data, bool connected)
{
    Port *port = data;

    port->host_open = connected;
    if (!connected)
        port->sent = 0; /* the next client does not get half of what this one got */
    port->tell |= TELL_OPEN;
    console_tell_driver(port->console);
}

/* The parameters of port @i, under the keys that a character device knows. */
static VmmMsg *
port_params(VmmMsg *params, unsigned i, const char *kind)
{
    static const char *const fds[] = { "fd", "watch", "log", "out" };
    static const char *const flags[] = { "append", "telnet" };
    VmmMsg *result = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    char key[32];
    bool flag;
    int fd;

    vmm_msg_put_string(result, "kind", kind);
    for (unsigned k = 0; k < sizeof(fds) / sizeof(fds[0]); k++) {
        snprintf(key, sizeof(key), "port-%u-%s", i, fds[k]);
        if (vmm_msg_take_fd(params, key, &fd))
            vmm_msg_put_fd(result, fds[k], fd);
    }
    for (unsigned k = 0; k < sizeof(flags) / sizeof(flags[0]); k++) {
        snprintf(key, sizeof(key), "port-%u-%s", i, flags[k]);
        if (vmm_msg_get_bool(params, key, &flag))
            vmm_msg_put_bool(result, flags[k], flag);
    }
    return result;
}

static bool
open_socket(Port *port, VmmMsg *params, VmmError *err)
{
    VirtioDevice *vdev = &port->console->vdev;
    SocketServerOwner owner = {
        .name = vdev->dev->id,
        .lock = &vdev->dev->lock,
        .room = port_room,
        .receive = port_receive,
        .writable = console_port_send,
        .connected = port_connected,
        .data = port,
    };

    if (!sink_open(&port->log, params, "log", err))
        return false;
    port->socket = socket_server_new(vdev->loop, params, &owner, err);
    return port->socket != NULL;
}

static bool
open_chardev(Port *port, VmmMsg *params, VmmError *err)
{
    VirtioDevice *vdev = &port->console->vdev;
    ChardevOwner owner = {
        .name = vdev->dev->id,
        .lock = &vdev->dev->lock,
        .room = port_room,
        .receive = port_receive,
        .data = port,
    };

    port->host_open = true; /* it keeps what nobody reads */
    port->chardev = chardev_new(vdev->loop, params, &owner, err);
    return port->chardev != NULL;
}

static bool
read_name(Port *port, VmmMsg *params, VmmError *err)
{
    const char *name;
    char key[32];

    snprintf(key, sizeof(key), "port-%u-console", port->number);
    vmm_msg_get_bool(params, key, &port->is_console);
    snprintf(key, sizeof(key), "port-%u-name", port->number);
    if (!vmm_msg_get_string(params, key, &name))
        return true;
    if (strlen(name) > PORT_NAME_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The name of port %u has more than %u bytes",
                         port->number, PORT_NAME_MAX);
    port->name = vmm_must(strdup(name));
    return true;
}

/* A kernel holds a spinlock while it writes to its console, and spins until the buffer has been used (Linux'
 * drivers/char/virtio_console.c): it does not wait for who reads. At other ports a process does. */
static bool
may_wait(const Port *port, const char *kind)
{
    return socket_origin_is_kind(kind) && !port->is_console;
}

bool
console_port_open(Console *console, unsigned i, VmmMsg *params, VmmError *err)
{
    Port *port = &console->ports[i];
    const char *kind;
    char key[32];

    snprintf(key, sizeof(key), "port-%u-kind", i);
    if (!vmm_msg_get_string(params, key, &kind))
        return true;
    port->console = console;
    port->number = i;
    port->log.fd = -1;
    vmm_msg_auto inner = port_params(params, i, kind);
    if (!read_name(port, params, err))
        return false;
    return may_wait(port, kind) ? open_socket(port, inner, err) : open_chardev(port, inner, err);
}

void
console_port_close(Port *port)
{
    socket_server_free(port->socket);
    chardev_free(port->chardev);
    if (port->console)
        sink_close(&port->log);
    free(port->name);
    *port = (Port){ .number = port->number, .tell = port->tell };
}
