/* device-virtio-serial: the ports of virtio-serial controllers: which channel or console is which.
 *
 * As in libvirt, a controller is added where a port needs one, channels get the first free port from 1
 * on, and port 0 is for a console.
 */
#pragma once

#include "driver/chardev.h"

gboolean virtio_serial_parse_address(VirtioPort *at, const struct _xmlNode *node, GError **error);
void virtio_serial_format_address(const VirtioPort *at, struct XmlWriter *out);

/* Gives every channel and console on virtio its port. Again and again without harm. */
void virtio_serial_complete(GPtrArray *devices);
gboolean virtio_serial_check(const GPtrArray *devices, GError **error);
/* Their kinds' hooks of these names. */
gboolean virtio_serial_may_attach(const GPtrArray *devices, const Device *dev, gboolean config,
                                  GError **error);
Device *virtio_serial_find(const GPtrArray *devices, const Device *wanted, gboolean config,
                           GError **error);
