#include "qemu-kvm-backend/device-classes.h"

#include <string.h>

const DeviceClass *const device_board_classes[] = {
    &pm_class, &rtc_class, &i8042_class, &reset_control_class, NULL,
};

const DeviceClass *const device_pci_classes[] = { &pci_host_class, NULL };

const DeviceClass *const device_pc_classes[] = { &pci_host_class, &lpc_class, NULL };

const DeviceClass *const device_firmware_classes[] = {
    &flash_class,
    &fw_cfg_class,
    &debug_console_class,
    NULL,
};

const DeviceClass *const device_added_classes[] = {
    &serial_class,
    &debug_exit_class,
    &i6300esb_class,
    &pvpanic_class,
    &pvpanic_pci_class,
    &root_port_class,
    &virtio_pci_class,
    NULL,
};

const DeviceClass *
device_class_find(const char *name)
{
    for (size_t i = 0; device_added_classes[i]; i++) {
        if (strcmp(device_added_classes[i]->name, name) == 0)
            return device_added_classes[i];
    }
    return NULL;
}
