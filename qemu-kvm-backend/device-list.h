/* device-list: the devices of a board, in the order of their creation, and what is done to all of them. */
#pragma once

#include "qemu-kvm-backend/device.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct DeviceList {
    Device **devices;
    size_t n;
} DeviceList;

/* Takes @dev over. */
void device_list_add(DeviceList *list, Device *dev);
/* Frees them, the last one first. */
void device_list_clear(DeviceList *list);
/* Takes @dev, which is in the list, out of it; it is the caller's then. */
void device_list_take(DeviceList *list, Device *dev);

/* NULL: there is none of that name. */
Device *device_list_find(const DeviceList *list, const char *id);
bool device_list_has(const DeviceList *list, const DeviceClass *class);

/* All of them in turn. */
void device_list_each(const DeviceList *list, void (*hook)(Device *dev));
/* Those with a part in the ACPI tables. */
void device_list_describe(const DeviceList *list, struct Aml *aml);
/* The alarm of the real-time clock. */
void device_list_ring(const DeviceList *list);
/* Until one says that the guest listens. */
bool device_list_press_power_button(const DeviceList *list);
