/* device-controller: <controller>: the PCI Express root that every q35 has, its root ports, virtio-serial
 * controllers, whose ports are channels and consoles, and the statement that there is no USB.
 */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_controller;

/* A virtio-serial controller that the document does not have. */
Device *device_controller_new_virtio_serial(guint index);
gboolean device_is_virtio_serial(const Device *dev);
/* The number of ports of the virtio-serial controller with @index; 0: there is no such controller. */
guint device_controller_ports(const GPtrArray *devices, guint index);

/* A root or a root port that the document does not have; @index is the bus that it opens. */
Device *device_controller_new_root(void);
Device *device_controller_new_port(guint index);
/* The bus that a root or root port opens; any controller's index. */
guint device_controller_bus(const Device *dev);
/* Puts the PCI controllers into the order of their indexes, in the places that they have together, and
 * virtio-serial controllers that the document does not have behind all of them. */
void device_controllers_sort(GPtrArray *devices);
