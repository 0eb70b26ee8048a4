/* chardev: what a <serial>, <console> or <channel> says, for the files that make up their kinds:
 * device-chardev.c has the serial ports, device-channel.c the channels, device-virtio-serial.c the
 * controllers that channels and some consoles are ports of.
 */
#pragma once

#include "driver/device-chardev-source.h"

#define VIRTIO_SERIAL_PORTS 15 /* of a controller, unless it says less */

/* <address type='virtio-serial'>. A port 0 in a document leaves the port open, as in libvirt. */
typedef struct VirtioPort {
    gboolean known;
    gboolean said; /* the document has it, and so it is written back; a channel's always is */
    guint controller, port;
} VirtioPort;

typedef struct Chardev {
    Device dev;
    ChardevSource *source;
    int port;         /* of a serial: COM1 is 0; -1: not said. Of a console: its place among them */
    gboolean mirrors; /* a console: the source is a serial port's */
    gboolean virtio;  /* it is a port of a virtio-serial controller, at @at */
    VirtioPort at;
    char *name;    /* of a channel, as the guest sees it; NULL: none */
    gboolean open; /* of a live channel: the guest has it open */
} Chardev;

gboolean device_is_channel(const Device *dev);
/* Whether it is a port of a virtio-serial controller; then it is a Chardev. */
gboolean chardev_is_virtio(const Device *dev);
/* Hooks that these kinds share. */
void chardev_copy(const Device *from, Device *to);
void chardev_clear(Device *dev);
void chardev_release(Device *dev);
void chardev_found(Device *dev);
