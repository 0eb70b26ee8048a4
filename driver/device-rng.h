/* device-rng: <rng>: a virtio source of random bytes, drawn from a device of the host or from its
 * kernel.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_rng;
