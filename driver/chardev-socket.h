/* chardev-socket: the sockets of character devices: those that listen, those that connect once, by the driver, or again
 * and again, by vmctl-connect (qemu-kvm-backend/proto/connect-broker.h), and those for datagrams. */
#pragma once

#include "driver/device-chardev-source.h"

typedef struct ChardevPlaces {
    const char *path;    /* where a socket goes that has no path of its own; NULL: there is none */
    const char *connect; /* the vmctl-connect to start */
} ChardevPlaces;

/* Of CHARDEV_UNIX, CHARDEV_TCP and CHARDEV_UDP; -1 with @error. A connection may be on its way yet; one that is refused
 * at once is an error. */
int chardev_socket_open(ChardevSource *source, const ChardevPlaces *places, GError **error);
