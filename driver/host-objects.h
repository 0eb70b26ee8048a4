/* host-objects: what libvirt has beside domains: networks, storage pools, and the host's interfaces and devices.
 *
 * Only the test driver has some, simulated in memory, which are those of libvirt's test:///default at the start of the
 * daemon. They obey at once and mean nothing: no guest is connected to them. Errors are worded as by libvirt's test
 * driver, those of finding as by its real ones.
 */
#pragma once

#include "driver/events.h"
#include "driver/host-facts.h"

#include <glib.h>

typedef struct HostObject {
    const HostFacts *facts;
    HostFacts *own; /* the facts, where a document told them; NULL: they are static */
    gboolean active, persistent, autostart;
} HostObject;

typedef struct HostObjects HostObjects;

/* With those of @facts, which a row without a name ends; NULL: none. They tell of themselves through @events, which
 * is borrowed. */
HostObjects *host_objects_new(const HostFacts *facts, const DriverEvents *events);
void host_objects_free(HostObjects *objects);
/* FALSE: there are none, and nothing makes one. */
gboolean host_objects_are_simulated(const HostObjects *objects);

typedef enum HostKey { HOST_BY_NAME, HOST_BY_UUID, HOST_BY_MAC, N_HOST_KEYS } HostKey;

/* What each of the kind can be found by, besides its name, and what stands for it on the bus. */
HostKey host_kind_key(HostKind kind);
const char *host_object_key(const HostObject *object);

/* Finding: NULL with libvirt's error of the kind, or VIR_ERR_INVALID_ARG for what is no uuid. The result is
 * borrowed, until the main context runs again. */
HostObject *host_objects_find(HostObjects *objects, HostKind kind, HostKey by, const char *value,
                              GError **error);
/* Those that pass the filter @flags of virConnectListAll...(), in the order of their making; NULL for an unknown flag.
 * Free with g_ptr_array_unref(). */
GPtrArray *host_objects_list(HostObjects *objects, HostKind kind, guint flags, GError **error);

/* virNetworkDefineXML, virStoragePoolDefineXML and virInterfaceDefineXML; virNetworkCreateXML and
 * virStoragePoolCreateXML. NULL with libvirt's error. */
HostObject *host_objects_define(HostObjects *objects, HostKind kind, const char *xml,
                                GError **error);
HostObject *host_objects_create(HostObjects *objects, HostKind kind, const char *xml,
                                GError **error);

/* virNetworkCreate, virNetworkDestroy, virNetworkUndefine, and so on by the kind; the second frees an @object that is
 * not persistent, the last frees it. */
gboolean host_object_start(HostObjects *objects, HostObject *object, GError **error);
gboolean host_object_stop(HostObjects *objects, HostObject *object, GError **error);
gboolean host_object_undefine(HostObjects *objects, HostObject *object, GError **error);

gboolean host_object_set_autostart(HostObject *object, gboolean autostart, GError **error);

/* virStoragePoolBuild, -Delete and -Refresh. */
gboolean host_pool_build(HostObjects *objects, HostObject *pool, GError **error);
gboolean host_pool_delete(HostObjects *objects, HostObject *pool, GError **error);
gboolean host_pool_refresh(HostObjects *objects, HostObject *pool, GError **error);
/* VIR_ERR_OPERATION_INVALID where @pool is not active, whose volumes nobody knows then. */
gboolean host_pool_check_active(const HostObject *pool, GError **error);
/* virStoragePoolGetInfo: (ittt), floating. */
GVariant *host_pool_info(const HostObject *pool);

/* virInterfaceChangeBegin, -Commit and -Rollback, of all interfaces; VIR_ERR_OPERATION_INVALID where one was begun
 * before, or none was. */
gboolean host_interfaces_begin(HostObjects *objects, GError **error);
gboolean host_interfaces_commit(HostObjects *objects, GError **error);
gboolean host_interfaces_roll_back(HostObjects *objects, GError **error);

/* virNodeDeviceCreateXML and virNodeDeviceDestroy, of a fibre channel's virtual port; the second frees it. */
HostObject *host_device_create(HostObjects *objects, const char *xml, GError **error);
gboolean host_device_destroy(HostObjects *objects, HostObject *device, GError **error);
