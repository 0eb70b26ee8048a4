/* device-controller: <controller>: the PCI Express root that every q35 has, its root ports, and the
 * statement that there is no USB.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_controller;

/* A root or a root port that the document does not have; @index is the bus that it opens. */
Device *device_controller_new_root(void);
Device *device_controller_new_port(guint index);
/* The bus that a root or root port opens. */
guint device_controller_bus(const Device *dev);
/* Puts the PCI controllers into the order of their indexes, in the places that they have together. */
void device_controllers_sort(GPtrArray *devices);
