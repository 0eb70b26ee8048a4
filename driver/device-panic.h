/* device-panic: <panic>: how a guest's kernel tells that it has crashed; <on_crash> is what comes of it. */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_panic;
