/* console: what the files of virtio-console share: console.c is the device, console-port.c what goes through its ports,
 * console-control.c the control queues and the news for our driver. All under the device's lock.
 */
#pragma once

#include "qemu-kvm-backend/chardev.h"
#include "qemu-kvm-backend/sink.h"
#include "qemu-kvm-backend/socket-server.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <linux/virtio_console.h>

#define QUEUE_SIZE  64
#define PORTS_MAX   (VIRTIO_QUEUES_MAX / 2 - 1) /* the control queues are a pair, too */
#define CONTROL_IN  2                           /* the driver's, 5.3.2 */
#define CONTROL_OUT 3

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
    SocketServer *socket; /* one of the two is there; this one has the guest wait for its client */
    Sink log;             /* of a socket's output; a character device has its own */
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

/* Ports. What was sent to the host in part goes on when there is room. */
bool console_port_open(Console *console, unsigned i, VmmMsg *params, VmmError *err);
void console_port_close(Port *port);
/* The guest has put buffers into its receive queue, or bytes into its transmit queue. */
void console_port_accept(Port *port);
void console_port_send(void *port);
/* Gives back what is in the transmit queue of a port that is not there, or goes. */
void console_discard_output(Console *console, unsigned number);

/* Tells the driver what it has to be told, as far as it has buffers for that. */
void console_tell_driver(Console *console);
/* Hears what it says. */
void console_read_control(Console *console);
void console_set_guest_open(Port *port, bool open);

/* Our driver is told which ports the guest has opened and closed, where that is due; console_news() as it becomes due. */
void console_report(Console *console);
void console_news(void *console, uint32_t events);
