/* device-controller: <controller>: the PCI Express root that every q35 has, and the statement that
 * there is no USB. */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_controller;
