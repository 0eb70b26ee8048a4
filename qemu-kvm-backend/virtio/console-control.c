/* The control queues (5.3.6.2), and the news for our driver. */
#include "qemu-kvm-backend/virtio/console.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <string.h>

#define NEWS_MS 100 /* at least, between two events to our driver about a port */

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

void
console_report(Console *console)
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

void
console_news(void *data, uint32_t events)
{
    Console *console = data;

    pthread_mutex_lock(&console->vdev.dev->lock);
    console->news_wait = false;
    console_report(console);
    pthread_mutex_unlock(&console->vdev.dev->lock);
}

/* Control */

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
        /* What was sent so far is not for another port of that number. */
        console_discard_output(console, port->number);
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

void
console_tell_driver(Console *console)
{
    if (!console->vdev.started || !virtio_has(&console->vdev, VIRTIO_CONSOLE_F_MULTIPORT))
        return;
    for (unsigned i = 0; i < console->n_ports; i++) {
        if (!tell_port(console, &console->ports[i]))
            break;
    }
    queue_flush(console->vdev.queues[CONTROL_IN]);
}

void
console_set_guest_open(Port *port, bool open)
{
    port->guest_open = open;
    console_report(port->console);
    if (open && port->console->vdev.started)
        console_port_accept(port);
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
        console_set_guest_open(port, value);
    }
}

void
console_read_control(Console *console)
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
    console_tell_driver(console);
    if (n == QUEUE_SIZE)
        virtio_kick(&console->vdev, CONTROL_OUT);
}
