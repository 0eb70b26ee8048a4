/* device-classes: every device model there is, in one table. */
#pragma once

#include "qemu-kvm-backend/device.h"

/* The class that "add-device" names, or NULL. */
const DeviceClass *device_class_find(const char *name);
/* The devices that every board has, in the order of their creation; NULL ends it. */
extern const DeviceClass *const device_board_classes[];

/* What functions on PCI need: for their "needs". */
extern const DeviceClass *const device_pci_classes[];

/* What a PC has besides, whether or not something needs it. */
extern const DeviceClass *const device_pc_classes[];

/* What a board with a firmware image has besides. */
extern const DeviceClass *const device_firmware_classes[];

/* What the driver may add, by "add-device". */
extern const DeviceClass *const device_added_classes[];

extern const DeviceClass debug_console_class;
extern const DeviceClass debug_exit_class;
extern const DeviceClass flash_class;
extern const DeviceClass fw_cfg_class;
extern const DeviceClass i6300esb_class;
extern const DeviceClass i8042_class;
extern const DeviceClass lpc_class;
extern const DeviceClass pci_host_class;
extern const DeviceClass pm_class;
extern const DeviceClass pvpanic_class;
extern const DeviceClass pvpanic_pci_class;
extern const DeviceClass reset_control_class;
extern const DeviceClass root_port_class;
extern const DeviceClass rtc_class;
extern const DeviceClass serial_class;
extern const DeviceClass virtio_pci_class;
