/* device-list: the devices of a board, in the order of their creation, and what is done to all of them.
 *
 * All by the main thread; device_list_describe() and device_list_ring() by vCPU threads too, while devices come and go.
 */
#pragma once

#include "qemu-kvm-backend/device.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct DeviceList {
    Device **devices;
    size_t n;
    pthread_rwlock_t lock; /* of what is in the list, which the main thread alone changes */
} DeviceList;

void device_list_init(DeviceList *list);
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
void device_list_describe(DeviceList *list, struct Aml *aml);
/* The alarm of the real-time clock. */
void device_list_ring(DeviceList *list);
/* Until one says that the guest listens. */
bool device_list_press_power_button(const DeviceList *list);
