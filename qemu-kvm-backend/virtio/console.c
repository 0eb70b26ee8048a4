/* virtio-console (virtio 1.2, section 5.3) with several ports, each on a character device or a socket.
 *
 * Keys: "port-N-kind" and so on for port N, and ports: see vmm-proto.h. Ports come and go while the guest runs. What
 * there is to tell the driver on the control queue is kept as the fact that it has to be told, so that a driver which
 * does not listen costs nothing.
 */
#include "qemu-kvm-backend/virtio/console.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

static void
kick_port(Console *console, unsigned number, bool out)
{
    Port *port = &console->ports[number];

    if (port->console && out)
        console_port_send(port);
    else if (port->console)
        console_port_accept(port);
    else if (out)
        console_discard_output(console, number);
}

static void
console_kick(VirtioDevice *vdev, unsigned index)
{
    Console *console = (Console *)vdev;

    if (index == CONTROL_IN)
        console_tell_driver(console);
    else if (index == CONTROL_OUT)
        console_read_control(console);
    else
        kick_port(console, index < CONTROL_IN ? 0 : index / 2 - 1, index % 2);
}

/* Without VIRTIO_CONSOLE_F_MULTIPORT there is one port, and it is open. Else the driver hears what has changed in a pause
 * before anything goes on. */
static void
console_start(VirtioDevice *vdev)
{
    Console *console = (Console *)vdev;

    console_tell_driver(console);
    if (!virtio_has(vdev, VIRTIO_CONSOLE_F_MULTIPORT) && console->ports[0].console)
        console_set_guest_open(&console->ports[0], true);
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
    console_report(console);
}

/* Ports that come and go. */

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
    if (!console_port_open(console, number, request, err)) {
        console_port_close(port);
        return false;
    }
    if (!port->console)
        return vmm_error(err, VMM_ERROR_INVALID, "Port %u of '%s' is of no kind", (unsigned)number,
                         console->vdev.dev->id);
    port->tell |= TELL_ADD;
    console_tell_driver(console);
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
    console_discard_output(console, number);
    console_port_close(port);
    console_tell_driver(console);
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

/* Room for those that there are, at least. A driver does not take a device that has none. */
static bool
read_room(Console *console, VmmMsg *params, VmmError *err)
{
    uint64_t room = 1;

    vmm_msg_get_u64(params, "ports", &room);
    if (room < 1 || room > PORTS_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has 1 to %u ports",
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

    console->news = loop_add_timer(vdev->loop, console_news, console);
    for (unsigned i = 0; i < PORTS_MAX; i++) {
        console->ports[i].number = i;
        if (!console_port_open(console, i, params, err))
            return false;
    }
    if (!read_room(console, params, err))
        return false;
    vdev->features = 1ull << VIRTIO_CONSOLE_F_MULTIPORT;
    vdev->n_queues = 2 + 2 * console->n_ports;
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
        console_port_close(&console->ports[i]);
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
    console_report(console);
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
