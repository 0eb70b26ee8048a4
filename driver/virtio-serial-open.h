/* virtio-serial-open: how the ports of a virtio-serial controller get to the VMM, and by which name.
 */
#pragma once

#include "driver/device.h"

/* The alias of the controller with this index. */
char *virtio_serial_alias(guint index);
/* Opens what is behind the ports of controller @index, and puts them into @msg, which adds it. */
gboolean virtio_serial_lower(guint index, const DeviceLowering *to, struct VmmMsg *msg,
                             GError **error);
