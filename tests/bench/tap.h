/* tap: a network of two ends, in a network namespace of the bench's own. */
#pragma once

#include <glib.h>

/* A persistent tap device, up, with an MTU of 1500; the first one moves this process, which has to have the
 * right to do that, into a network namespace of its own. The name; nobody frees it. */
const char *tap_make(void);

/* A descriptor of it that speaks virtio_net_hdr; the caller's. */
int tap_open(const char *name);

/* Sends frames of @size bytes to the tap until @stop is set, as fast as the host does. To be a thread's. */
typedef struct TapSender {
    const char *name;
    gsize size;
    gint stop; /* atomic */
} TapSender;
gpointer tap_send(gpointer sender);
