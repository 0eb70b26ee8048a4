/* virtio-serial-open: how the ports of a virtio-serial controller get to the VMM, and by which name.
 */
#pragma once

#include "driver/device.h"

/* The alias of the controller with this index. */
char *virtio_serial_alias(guint index);
/* The highest port of controller @index that somebody is at; 0: or none. */
guint virtio_serial_highest(guint index, const GPtrArray *devices);
/* Opens what is behind the ports of controller @index, and puts them into @msg, which adds it. */
gboolean virtio_serial_lower(guint index, const DeviceLowering *to, struct VmmMsg *msg,
                             GError **error);
/* The kind's hooks of these names, for a channel. */
gboolean virtio_serial_plug(Device *dev, const DeviceLowering *to, GError **error);
void virtio_serial_unplug(const Device *dev, const DeviceLowering *to);
