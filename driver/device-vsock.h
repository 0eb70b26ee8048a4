/* device-vsock: <vsock>: streams between ports of the guest and sockets of the host. There is one at most. */
#pragma once

#include "driver/device.h"

#define VSOCK_CID_MIN 3u              /* below it are the host's */
#define VSOCK_CID_MAX (G_MAXUINT - 1) /* the last one means any */

extern const DeviceKind device_vsock;

/* The address of the guest among guests, as its definition or the live one says it; 0: it has none. */
guint device_vsock_cid(const GPtrArray *devices);
