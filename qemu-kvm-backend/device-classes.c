#include "qemu-kvm-backend/device-classes.h"

#include <string.h>

const DeviceClass *const device_board_classes[] = {
    &pm_class, &rtc_class, &i8042_class, &reset_control_class, NULL,
};

const DeviceClass *const device_pci_classes[] = {
    &pci_host_class,
    &lpc_class,
    NULL,
};

const DeviceClass *const device_firmware_classes[] = {
    &flash_class,
    &fw_cfg_class,
    &debug_console_class,
    NULL,
};

/* What the driver may add. */
static const DeviceClass *const classes[] = {
    &serial_class,
    &debug_exit_class,
    &i6300esb_class,
    &pvpanic_class,
    &pvpanic_pci_class,
    &root_port_class,
    &virtio_pci_class,
};

const DeviceClass *
device_class_find(const char *name)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (strcmp(classes[i]->name, name) == 0)
            return classes[i];
    }
    return NULL;
}
