/* virtio-console (virtio 1.2, section 5.3) with several ports, each on a character device or a socket.
 *
 * Keys: "port-N-kind" and so on for port N, and ports: see vmm-proto.h. Ports come and go while the guest runs. What there is to tell the driver on the control
 * queue is kept as the fact that it has to be told, so that a driver which does not listen costs nothing.
 */
#include "qemu-kvm-backend/chardev.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/socket-server.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <linux/virtio_console.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_SIZE    64
#define PORTS_MAX     (VIRTIO_QUEUES_MAX / 2 - 1) /* the control queues are a pair, too */
#define CONTROL_IN    2                           /* the driver's, 5.3.2 */
#define CONTROL_OUT   3
#define PORT_NAME_MAX 64
#define TURN          (256u << 10) /* bytes that a turn of the loop sends; a buffer may have 4 GiB */
#define NEWS_MS       100          /* at least, between two events to our driver about a port */

/* What the driver has to be told of a port, in this order. */
enum {
    TELL_ADD = 1 << 0,
    TELL_CONSOLE = 1 << 1,
    TELL_NAME = 1 << 2,
    TELL_OPEN = 1 << 3,
    TELL_REMOVE = 1 << 4, /* before all others: what was there is gone */
};

#define TELL_ALL (TELL_ADD | TELL_CONSOLE | TELL_NAME | TELL_OPEN | TELL_REMOVE)

typedef struct Console Console;

typedef struct Port {
    Console *console; /* NULL: there is no such port */
    unsigned number;
    char *name; /* NULL: none */
    bool is_console;
    Chardev *chardev;
    SocketServer *socket; /* one of the two is there */
    bool host_open;       /* somebody is at the host's end */
    bool guest_open;
    bool reported; /* guest_open as our driver knows it */
    unsigned tell; /* TELL_* bits */
    size_t sent;   /* bytes of the chain to send next that were sent before */
} Port;

struct Console {
    VirtioDevice vdev;
    struct virtio_console_config config;
    unsigned n_ports; /* that there is room for */
    LoopSource *news; /* a timer: ports' news may go out again */
    bool news_wait;
    Port ports[PORTS_MAX];
};

static VirtQueue *
in_queue(const Port *port)
{
    return port->console->vdev.queues[port->number == 0 ? 0 : 2 * port->number + 2];
}

static VirtQueue *
out_queue(const Port *port)
{
    return port->console->vdev.queues[port->number == 0 ? 1 : 2 * port->number + 3];
}

/* The port that queue @index is of, or NULL. */
static Port *
port_of(Console *console, unsigned index)
{
    unsigned number = index < CONTROL_IN ? 0 : index / 2 - 1;
    Port *port = &console->ports[number];

    return index == CONTROL_IN || index == CONTROL_OUT || !port->console ? NULL : port;
}

/* News for our driver: the guest opens and closes ports as often as it likes, and is told of as often as
 * that is news to anybody. */

static void
report(Port *port)
{
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_PORT);
    Device *dev = port->console->vdev.dev;

    vmm_msg_put_string(event, "id", dev->id);
    vmm_msg_put_u64(event, "port", port->number);
    vmm_msg_put_bool(event, "open", port->guest_open);
    port->reported = port->guest_open;
    dev->board->notify(dev->board, event);
}

static void
report_all(Console *console)
{
    bool any = false;

    if (console->news_wait)
        return;
    for (unsigned i = 0; i < console->n_ports; i++) {
        Port *port = &console->ports[i];

        if (port->console && port->reported != port->guest_open) {
            report(port);
            any = true;
        }
    }
    console->news_wait = any;
    if (any)
        loop_timer_set(console->news, NEWS_MS);
}

static void
on_news(void *data, uint32_t events)
{
    Console *console = data;

    pthread_mutex_lock(&console->vdev.dev->lock);
    console->news_wait = false;
    report_all(console);
    pthread_mutex_unlock(&console->vdev.dev->lock);
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

static void
port_accept(Port *port)
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
    if (port->socket)
        return socket_server_write(port->socket, bytes, size);
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

static void
port_send(void *data)
{
    Port *port = data;
    VirtQueue *queue = out_queue(port);
    VirtioDevice *vdev = &port->console->vdev;
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
        virtio_kick(vdev, port->number == 0 ? 1 : 2 * port->number + 3);
}

/* The control queues, 5.3.6.2. */

/* One message; false where there is no buffer for it. */
static bool
send_control(Console *console, const Port *port, uint16_t event, uint16_t value, const char *text)
{
    struct virtio_console_control control = { htole32(port->number), htole16(event),
                                              htole16(value) };
    VirtQueue *queue = console->vdev.queues[CONTROL_IN];
    size_t size = sizeof(control) + strlen(text);
    VirtChain chain;

    if (!queue_pop(queue, &chain))
        return false;
    if (chain.in_size < size) {
        virtio_break(&console->vdev, "a control buffer is too small for a message");
        return false;
    }
    iov_write(chain.in, chain.n_in, 0, &control, sizeof(control));
    iov_write(chain.in, chain.n_in, sizeof(control), text, strlen(text));
    queue_push(queue, chain.head, size);
    return true;
}

static bool
tell_one(Console *console, Port *port, unsigned what)
{
    switch (what) {
    case TELL_ADD:
        return send_control(console, port, VIRTIO_CONSOLE_PORT_ADD, 1, "");
    case TELL_CONSOLE:
        return send_control(console, port, VIRTIO_CONSOLE_CONSOLE_PORT, 1, "");
    case TELL_NAME:
        return send_control(console, port, VIRTIO_CONSOLE_PORT_NAME, 1, port->name);
    case TELL_REMOVE:
        return send_control(console, port, VIRTIO_CONSOLE_PORT_REMOVE, 1, "");
    default:
        return send_control(console, port, VIRTIO_CONSOLE_PORT_OPEN, port->host_open, "");
    }
}

static bool
tell_port(Console *console, Port *port)
{
    static const unsigned order[] = { TELL_REMOVE, TELL_ADD, TELL_CONSOLE, TELL_NAME, TELL_OPEN };

    for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (!(port->tell & order[i]))
            continue;
        if (!tell_one(console, port, order[i]))
            return false;
        port->tell &= ~order[i];
    }
    return true;
}

static void
tell_driver(Console *console)
{
    if (!console->vdev.started || !virtio_has(&console->vdev, VIRTIO_CONSOLE_F_MULTIPORT))
        return;
    for (unsigned i = 0; i < console->n_ports; i++) {
        if (!tell_port(console, &console->ports[i]))
            break;
    }
    queue_flush(console->vdev.queues[CONTROL_IN]);
}

static void
set_guest_open(Port *port, bool open)
{
    port->guest_open = open;
    report_all(port->console);
    if (open && port->console->vdev.started)
        port_accept(port);
}

static void
introduce(Port *port)
{
    port->tell |= (port->is_console ? TELL_CONSOLE : 0) | (port->name ? TELL_NAME : 0) |
                  (port->host_open ? TELL_OPEN : 0);
}

/* Messages that make no sense here are none of the driver's faults: it may know more kinds than we do. */
static void
obey(Console *console, const struct virtio_console_control *control)
{
    uint32_t id = le32toh(control->id);
    uint16_t event = le16toh(control->event), value = le16toh(control->value);
    Port *port = id < console->n_ports ? &console->ports[id] : NULL;

    if (event == VIRTIO_CONSOLE_DEVICE_READY && value == 1) {
        for (unsigned i = 0; i < console->n_ports; i++)
            console->ports[i].tell |= console->ports[i].console ? TELL_ADD : 0;
    } else if (!port || !port->console) {
        return;
    } else if (event == VIRTIO_CONSOLE_PORT_READY && value == 1) {
        introduce(port);
    } else if (event == VIRTIO_CONSOLE_PORT_OPEN) {
        set_guest_open(port, value);
    }
}

static void
read_control(Console *console)
{
    VirtQueue *queue = console->vdev.queues[CONTROL_OUT];
    struct virtio_console_control control;
    VirtChain chain;
    unsigned n = 0;

    while (n < QUEUE_SIZE && queue_pop(queue, &chain)) {
        if (iov_read(chain.out, chain.n_out, 0, &control, sizeof(control)) == sizeof(control))
            obey(console, &control);
        queue_push(queue, chain.head, 0);
        n++;
    }
    queue_flush(queue);
    tell_driver(console);
    if (n == QUEUE_SIZE)
        virtio_kick(&console->vdev, CONTROL_OUT);
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
    tell_driver(port->console);
}

/* The parameters of port @i, under the keys that a character device knows. */
static VmmMsg *
port_params(VmmMsg *params, unsigned i, const char *kind)
{
    static const char *const fds[] = { "fd", "watch", "log" };
    VmmMsg *result = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    char key[32];
    bool append;
    int fd;

    vmm_msg_put_string(result, "kind", kind);
    for (unsigned k = 0; k < sizeof(fds) / sizeof(fds[0]); k++) {
        snprintf(key, sizeof(key), "port-%u-%s", i, fds[k]);
        if (vmm_msg_take_fd(params, key, &fd))
            vmm_msg_put_fd(result, fds[k], fd);
    }
    snprintf(key, sizeof(key), "port-%u-append", i);
    if (vmm_msg_get_bool(params, key, &append))
        vmm_msg_put_bool(result, "append", append);
    return result;
}

static bool
open_socket(Port *port, VmmMsg *params, VmmError *err)
{
    VirtioDevice *vdev = &port->console->vdev;
    SocketServerOwner owner = {
        .lock = &vdev->dev->lock,
        .room = port_room,
        .receive = port_receive,
        .writable = port_send,
        .connected = port_connected,
        .data = port,
    };
    int fd;

    if (!vmm_msg_take_fd(params, "fd", &fd))
        return vmm_error(err, VMM_ERROR_INVALID, "Port %u of '%s' has no socket", port->number,
                         vdev->dev->id);
    port->socket = socket_server_new(vdev->loop, fd, &owner, err);
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

static bool
open_port(Console *console, unsigned i, VmmMsg *params, VmmError *err)
{
    Port *port = &console->ports[i];
    const char *kind;
    char key[32];

    snprintf(key, sizeof(key), "port-%u-kind", i);
    if (!vmm_msg_get_string(params, key, &kind))
        return true;
    port->console = console;
    port->number = i;
    vmm_msg_auto inner = port_params(params, i, kind);
    if (!read_name(port, params, err))
        return false;
    return strcmp(kind, "socket") == 0 ? open_socket(port, inner, err)
                                       : open_chardev(port, inner, err);
}

/* The device. */

static void
console_kick(VirtioDevice *vdev, unsigned index)
{
    Console *console = (Console *)vdev;
    Port *port = port_of(console, index);

    if (index == CONTROL_IN)
        tell_driver(console);
    else if (index == CONTROL_OUT)
        read_control(console);
    else if (port && index % 2 == 0)
        port_accept(port);
    else if (port)
        port_send(port);
}

/* Without VIRTIO_CONSOLE_F_MULTIPORT there is one port, and it is open. */
static void
console_start(VirtioDevice *vdev)
{
    Console *console = (Console *)vdev;

    if (!virtio_has(vdev, VIRTIO_CONSOLE_F_MULTIPORT) && console->ports[0].console)
        set_guest_open(&console->ports[0], true);
}

static void
console_reset(VirtioDevice *vdev)
{
    Console *console = (Console *)vdev;

    for (unsigned i = 0; i < console->n_ports; i++) {
        console->ports[i].tell = 0; /* a driver that starts asks for all that there are */
        console->ports[i].sent = 0;
        console->ports[i].guest_open = false;
    }
    report_all(console);
}

/* Ports that come and go. */

static void
close_port(Port *port)
{
    socket_server_free(port->socket);
    chardev_free(port->chardev);
    free(port->name);
    *port = (Port){ .number = port->number, .tell = port->tell };
}

static bool
add_port(Console *console, uint64_t number, VmmMsg *request, VmmError *err)
{
    Port *port = number < console->n_ports ? &console->ports[number] : NULL;

    if (!port)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "Device '%s' has room for %u ports",
                         console->vdev.dev->id, console->n_ports);
    if (port->console)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has a port %u already",
                         console->vdev.dev->id, port->number);
    if (!open_port(console, number, request, err)) {
        close_port(port);
        return false;
    }
    if (!port->console)
        return vmm_error(err, VMM_ERROR_INVALID, "Port %u of '%s' is of no kind", (unsigned)number,
                         console->vdev.dev->id);
    port->tell |= TELL_ADD;
    tell_driver(console);
    return true;
}

/* What the guest had not sent yet is lost, as with a cable. */
static bool
remove_port(Console *console, uint64_t number, VmmError *err)
{
    Port *port = number < console->n_ports ? &console->ports[number] : NULL;

    if (!port || !port->console)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has no such port",
                         console->vdev.dev->id);
    /* One that the driver never heard of cannot be taken from it. */
    port->tell = port->tell & TELL_ADD ? port->tell & TELL_REMOVE : TELL_REMOVE;
    close_port(port);
    tell_driver(console);
    return true;
}

/* Replies what is open. */
static bool
console_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    Console *console = (Console *)vdev;
    uint64_t number;
    char key[32];

    if (vmm_msg_get_u64(request, "remove", &number) && !remove_port(console, number, err))
        return false;
    if (vmm_msg_get_u64(request, "add", &number) && !add_port(console, number, request, err))
        return false;

    for (unsigned i = 0; i < console->n_ports; i++) {
        if (!console->ports[i].console)
            continue;
        snprintf(key, sizeof(key), "port-%u-guest-open", i);
        vmm_msg_put_bool(reply, key, console->ports[i].guest_open);
        snprintf(key, sizeof(key), "port-%u-host-open", i);
        vmm_msg_put_bool(reply, key, console->ports[i].host_open);
    }
    return true;
}

/* Room for those that there are, at least. */
static bool
read_room(Console *console, VmmMsg *params, VmmError *err)
{
    uint64_t room = 0;

    vmm_msg_get_u64(params, "ports", &room);
    if (room > PORTS_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' cannot have more than %u ports",
                         console->vdev.dev->id, PORTS_MAX);
    console->n_ports = room;
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        if (console->ports[i].console && i >= console->n_ports)
            console->n_ports = i + 1;
    }
    return true;
}

static bool
console_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Console *console = (Console *)vdev;

    console->news = loop_add_timer(vdev->loop, on_news, console);
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        console->ports[i].number = i;
        if (!open_port(console, i, params, err))
            return false;
    }
    if (!read_room(console, params, err))
        return false;
    vdev->features = 1ull << VIRTIO_CONSOLE_F_MULTIPORT;
    vdev->n_queues = 2 + 2 * (console->n_ports > 0 ? console->n_ports : 1);
    vdev->queue_size = QUEUE_SIZE;
    console->config.max_nr_ports = htole32(console->n_ports);
    vdev->config = &console->config;
    vdev->config_size = offsetof(struct virtio_console_config, emerg_wr);
    return true;
}

static void
console_destroy(VirtioDevice *vdev)
{
    Console *console = (Console *)vdev;

    for (unsigned i = 0; i < PORTS_MAX; i++)
        close_port(&console->ports[i]);
    loop_source_free(console->news);
}

/* Of a chain that the host had half taken it gets the whole: whoever is there is somebody new. */

static uint64_t
get_host_open(const void *object)
{
    return ((const Port *)object)->host_open;
}

/* What the guest knows of the host's end; it hears where that has changed. */
static bool
set_host_open(void *object, uint64_t value)
{
    Port *port = object;

    if (value != port->host_open)
        port->tell |= TELL_OPEN;
    return value <= 1;
}

static const StateField port_fields[] = {
    STATE_NUMBER(Port, guest_open),
    STATE_NUMBER_MAX(Port, tell, TELL_ALL),
    STATE_VALUE("host_open", get_host_open, set_host_open),
    STATE_END,
};

static const StateTable port_table = { .version = 1, .fields = port_fields };

static size_t
n_ports(const void *object)
{
    return ((const Console *)object)->n_ports;
}

static bool
console_loaded(void *object, VmmError *err)
{
    Console *console = object;

    for (unsigned i = 0; i < console->n_ports; i++) {
        Port *port = &console->ports[i];

        if (!port->console && (port->guest_open || port->tell & ~(unsigned)TELL_REMOVE))
            return vmm_error(err, VMM_ERROR_INVALID, "The saved device '%s' had a port %u",
                             console->vdev.dev->id, i);
        if (!port->name)
            port->tell &= ~TELL_NAME;
    }
    report_all(console);
    return true;
}

static const StateField console_fields[] = {
    STATE_SOME(Console, ports, n_ports, &port_table),
    STATE_END,
};

static const StateTable console_state = { .version = 1,
                                          .fields = console_fields,
                                          .loaded = console_loaded };

const VirtioClass virtio_console_class = {
    .name = "console",
    .id = 3,
    .pci_class = 0x078000, /* communication, of no particular kind */
    .size = sizeof(Console),
    .create = console_create,
    .start = console_start,
    .reset = console_reset,
    .kick = console_kick,
    .tell = console_tell,
    .destroy = console_destroy,
    .state = &console_state,
};
