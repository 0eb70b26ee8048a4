/* device-memballoon: <memballoon>, of which there is only the one that is not there. */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_memballoon;
