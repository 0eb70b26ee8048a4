#include "driver/device-chardev.h"
#include "driver/device-controller.h"
#include "driver/device-memballoon.h"

#include <string.h>

const DeviceKind *const device_kinds[] = {
    &device_controller, &device_serial, &device_console, &device_memballoon, NULL,
};

const DeviceKind *
device_kind_find(const char *element)
{
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        if (strcmp((*kind)->element, element) == 0)
            return *kind;
    }
    return NULL;
}

GPtrArray *
device_list_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)device_free);
}

static int
place_of(const DeviceKind *wanted)
{
    int place = 0;

    while (device_kinds[place] && device_kinds[place] != wanted)
        place++;
    return place;
}

static int
compare_places(gconstpointer a, gconstpointer b)
{
    const Device *const *left = a, *const *right = b;

    return place_of((*left)->kind) - place_of((*right)->kind);
}

void
device_list_sort(GPtrArray *devices)
{
    g_ptr_array_sort(devices, compare_places); /* stable: devices of a kind stay in their order */
}
