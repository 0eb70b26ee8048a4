#include "qemu-kvm-backend/device-list.h"

#include <stdlib.h>
#include <string.h>

void
device_list_init(DeviceList *list)
{
    *list = (DeviceList){ NULL, 0, PTHREAD_RWLOCK_INITIALIZER };
}

void
device_list_add(DeviceList *list, Device *dev)
{
    pthread_rwlock_wrlock(&list->lock);
    list->devices = vmm_must(realloc(list->devices, (list->n + 1) * sizeof(Device *)));
    list->devices[list->n++] = dev;
    pthread_rwlock_unlock(&list->lock);
}

void
device_list_clear(DeviceList *list)
{
    while (list->n > 0)
        device_free(list->devices[--list->n]);
    free(list->devices);
    list->devices = NULL;
}

void
device_list_take(DeviceList *list, Device *dev)
{
    size_t at = 0;

    while (list->devices[at] != dev)
        at++;
    pthread_rwlock_wrlock(&list->lock);
    list->n--;
    memmove(&list->devices[at], &list->devices[at + 1], (list->n - at) * sizeof(Device *));
    pthread_rwlock_unlock(&list->lock);
}

Device *
device_list_find(const DeviceList *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->devices[i]->id, id) == 0)
            return list->devices[i];
    }
    return NULL;
}

bool
device_list_has(const DeviceList *list, const DeviceClass *class)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->devices[i]->class == class)
            return true;
    }
    return false;
}

void
device_list_each(const DeviceList *list, void (*hook)(Device *dev))
{
    for (size_t i = 0; i < list->n; i++)
        hook(list->devices[i]);
}

void
device_list_describe(DeviceList *list, struct Aml *aml)
{
    pthread_rwlock_rdlock(&list->lock);
    for (size_t i = 0; i < list->n; i++) {
        if (list->devices[i]->class->describe)
            list->devices[i]->class->describe(list->devices[i], aml);
    }
    pthread_rwlock_unlock(&list->lock);
}

void
device_list_ring(DeviceList *list)
{
    pthread_rwlock_rdlock(&list->lock);
    for (size_t i = 0; i < list->n; i++) {
        if (list->devices[i]->class->rtc_alarm)
            list->devices[i]->class->rtc_alarm(list->devices[i]);
    }
    pthread_rwlock_unlock(&list->lock);
}

bool
device_list_press_power_button(const DeviceList *list)
{
    for (size_t i = 0; i < list->n; i++) {
        Device *dev = list->devices[i];

        if (dev->class->power_button && dev->class->power_button(dev))
            return true;
    }
    return false;
}
