#include "driver/device-channel.h"
#include "driver/device-chardev.h"
#include "driver/device-controller.h"
#include "driver/device-disk.h"
#include "driver/device-input.h"
#include "driver/device-interface.h"
#include "driver/device-memballoon.h"
#include "driver/device-panic.h"
#include "driver/device-passive.h"
#include "driver/device-rng.h"
#include "driver/device-vsock.h"
#include "driver/device-watchdog.h"
#include "driver/xml-read.h"

#include <string.h>

const DeviceKind *const device_kinds[] = {
    &device_disk,
    &device_passive_controller,
    &device_controller,
    &device_interface,
    &device_passive_smartcard,
    &device_serial,
    &device_console,
    &device_passive_channel,
    &device_channel,
    &device_passive_input,
    &device_input,
    &device_passive_graphics,
    &device_passive_sound,
    &device_passive_audio,
    &device_passive_video,
    &device_passive_redirdev,
    &device_passive_redirfilter,
    &device_passive_hub,
    &device_passive_watchdog,
    &device_watchdog,
    &device_memballoon,
    &device_rng,
    &device_panic,
    &device_vsock,
    NULL,
};

const DeviceKind *
device_kind_find(const XmlNode *node)
{
    if (xml_namespace(node))
        return NULL;
    for (const DeviceKind *const *kind = device_kinds; *kind; kind++) {
        if (strcmp((*kind)->element, xml_name(node)) == 0 &&
            (!(*kind)->claims || (*kind)->claims(node)))
            return *kind;
    }
    return NULL;
}

GPtrArray *
device_list_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)device_free);
}

PciRole
device_pci_role(const Device *dev)
{
    return dev->kind->pci_role ? dev->kind->pci_role(dev) : PCI_ROLE_NONE;
}

gboolean
device_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    dev->simulated = to->simulated;
    if (!to->simulated)
        return !dev->kind->lower || dev->kind->lower(dev, to, error);
    if (!dev->kind->lower && !dev->kind->plug)
        return TRUE;
    to->add(to->data, "simulated", dev->alias);
    return TRUE;
}

static gboolean
lower_some(const GPtrArray *devices, gboolean ports, const DeviceLowering *to, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if ((device_pci_role(dev) == PCI_ROLE_PORT) == ports && !device_lower(dev, to, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
device_list_lower(const GPtrArray *devices, const DeviceLowering *to, GError **error)
{
    DeviceLowering all = *to;

    all.devices = devices;
    return lower_some(devices, TRUE, &all, error) && lower_some(devices, FALSE, &all, error);
}

void
device_release(Device *dev)
{
    if (dev->kind->release && !dev->simulated)
        dev->kind->release(dev);
}

void
device_list_release(const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++)
        device_release(g_ptr_array_index(devices, i));
}

void
device_list_found(const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind->found)
            dev->kind->found(dev);
    }
}

/* Kinds of one element have one place: their devices stay in the document's order. */
static guint
place_of(const Device *dev)
{
    guint place = 0;

    while (device_kinds[place] && strcmp(device_kinds[place]->element, dev->kind->element) != 0)
        place++;
    return place;
}

/* A device that is sorted by its key. */
typedef struct Keyed {
    guint key, place;
    Device *dev;
} Keyed;

static int
compare_keys(gconstpointer a, gconstpointer b)
{
    const Keyed *left = a, *right = b;

    return left->key != right->key ? (left->key < right->key ? -1 : 1)
                                   : (left->place < right->place ? -1 : 1);
}

/* As nearly all are that were written here. */
static gboolean
is_sorted(const GPtrArray *devices, guint (*key)(const Device *dev))
{
    guint last = 0;

    for (guint i = 0; i < devices->len; i++) {
        guint this = key(devices->pdata[i]);

        if (this < last)
            return FALSE;
        last = this == G_MAXUINT ? last : this;
    }
    return TRUE;
}

void
device_list_sort_some(GPtrArray *devices, guint (*key)(const Device *dev))
{
    g_autoptr(GArray) keyed = NULL, places = NULL;

    if (is_sorted(devices, key))
        return;
    keyed = g_array_new(FALSE, FALSE, sizeof(Keyed));
    places = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = 0; i < devices->len; i++) {
        Keyed one = { key(devices->pdata[i]), i, devices->pdata[i] };

        if (one.key == G_MAXUINT)
            continue;
        g_array_append_val(keyed, one);
        g_array_append_val(places, i);
    }
    g_array_sort(keyed, compare_keys);
    for (guint i = 0; i < keyed->len; i++)
        devices->pdata[g_array_index(places, guint, i)] = g_array_index(keyed, Keyed, i).dev;
}

void
device_list_sort(GPtrArray *devices)
{
    device_list_sort_some(devices, place_of);
}
