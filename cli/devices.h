/* devices: the disks and network interfaces of a domain's document, where commands are about one of them.
 */
#pragma once

#include <glib.h>

typedef struct DeviceEntry {
    char *element; /* "disk" or "interface" */
    char *type;
    char *device; /* of a disk: "cdrom" */
    char *source; /* path, bridge, network, ...; NULL: none */
    char *target; /* "vda", "vnet0"; NULL: none */
    char *mac, *model, *link;
    char *xml; /* the element as it stands in the document */
} DeviceEntry;

/* All of @element in the document @xml, in its order; g_ptr_array_unref() frees them. */
GPtrArray *devices_of(const char *xml, const char *element);
/* The disk whose target or source is @name, the interface whose target or MAC address is; NULL: none. */
const DeviceEntry *devices_find(const GPtrArray *devices, const char *name);
