#include "driver/host-objects.h"

#include "driver/error.h"
#include "driver/flags.h"
#include "driver/uuid.h"

#include <libvirt/libvirt.h>

#define POOL_BYTES 107374182400ULL /* of any pool of libvirt's test driver; nothing of it is used */

/* A filter's bits: an object passes where it has one of each group that the flags name. The states' bits are the same
 * numbers for networks, pools and interfaces. */
#define STATES     (VIR_CONNECT_LIST_NETWORKS_INACTIVE | VIR_CONNECT_LIST_NETWORKS_ACTIVE)
#define PERSISTENT (VIR_CONNECT_LIST_NETWORKS_PERSISTENT | VIR_CONNECT_LIST_NETWORKS_TRANSIENT)
#define AUTOSTART  (VIR_CONNECT_LIST_NETWORKS_AUTOSTART | VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART)
#define POOL_TYPES                                                                                 \
    ((VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT << 1) - VIR_CONNECT_LIST_STORAGE_POOLS_DIR)
#define CAPABILITIES ((VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPD << 1) - 1)
#define N_GROUPS     4

typedef struct Kind {
    const char *list; /* libvirt's function that lists them */
    HostKey key;
    virErrorNumber missing;
    const char *not_found[N_HOST_KEYS]; /* what goes before the value */
    const char *lookup;                 /* libvirt's function that finds by uuid; NULL: none does */
    guint groups[N_GROUPS];
    const char *started, *running; /* why it cannot be started or undefined; %s: its name */
    const char *stopped;           /* why it cannot be stopped; NULL: it can */
    /* Events, of enums that have the numbers in common. */
    gboolean events;
} Kind;

static const Kind kinds[N_HOST_KINDS] = {
    [HOST_NETWORK] = {
        .list = "virConnectListAllNetworks",
        .key = HOST_BY_UUID,
        .missing = VIR_ERR_NO_NETWORK,
        .not_found = { "no network with matching name", "no network with matching uuid" },
        .lookup = "virNetworkLookupByUUIDString",
        .groups = { STATES, PERSISTENT, AUTOSTART },
        .started = "Network '%s' is already running",
        .running = "Network '%s' is still running",
        .events = TRUE,
    },
    [HOST_POOL] = {
        .list = "virConnectListAllStoragePools",
        .key = HOST_BY_UUID,
        .missing = VIR_ERR_NO_STORAGE_POOL,
        .not_found = { "no storage pool with matching name", "no storage pool with matching uuid" },
        .lookup = "virStoragePoolLookupByUUIDString",
        .groups = { STATES, PERSISTENT, AUTOSTART, POOL_TYPES },
        .started = "storage pool '%s' is active",
        .running = "storage pool '%s' is active",
        .stopped = "storage pool '%s' is not active",
        .events = TRUE,
    },
    [HOST_INTERFACE] = {
        .list = "virConnectListAllInterfaces",
        .key = HOST_BY_MAC,
        .missing = VIR_ERR_NO_INTERFACE,
        .not_found = { "couldn't find interface named", NULL,
                       "couldn't find interface with MAC address" },
        .groups = { STATES },
        .started = "",
        .stopped = "",
    },
    [HOST_NODE_DEVICE] = {
        .list = "virConnectListAllNodeDevices",
        .key = HOST_BY_NAME,
        .missing = VIR_ERR_NO_NODE_DEVICE,
        .not_found = { "no node device with matching name" },
        .groups = { CAPABILITIES },
    },
};

/* The events of networks and of pools. */
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_UNDEFINED == (int)VIR_STORAGE_POOL_EVENT_UNDEFINED);
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_STARTED == (int)VIR_STORAGE_POOL_EVENT_STARTED);
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_STOPPED == (int)VIR_STORAGE_POOL_EVENT_STOPPED);
/* The states of networks, pools and interfaces. */
G_STATIC_ASSERT(STATES == (VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE |
                           VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE));
G_STATIC_ASSERT((int)VIR_CONNECT_LIST_NETWORKS_ACTIVE == (int)VIR_CONNECT_LIST_INTERFACES_ACTIVE);

struct HostObjects {
    GPtrArray *all;
    const DriverEvents *events;
};

static const Kind *
kind_of(const HostObject *object)
{
    return &kinds[object->facts->kind];
}

HostObjects *
host_objects_new(const HostFacts *facts, const DriverEvents *events)
{
    HostObjects *objects = g_new0(HostObjects, 1);

    objects->all = g_ptr_array_new_with_free_func(g_free);
    objects->events = events;
    for (; facts && facts->name; facts++) {
        HostObject *object = g_new0(HostObject, 1);

        object->facts = facts;
        object->active = TRUE;
        g_ptr_array_add(objects->all, object);
    }
    return objects;
}

void
host_objects_free(HostObjects *objects)
{
    if (!objects)
        return;
    g_ptr_array_unref(objects->all);
    g_free(objects);
}

/* Finding */

HostKey
host_kind_key(HostKind kind)
{
    return kinds[kind].key;
}

static const char *
value_of(const HostObject *object, HostKey key)
{
    const HostFacts *facts = object->facts;

    return key == HOST_BY_NAME ? facts->name : key == HOST_BY_UUID ? facts->uuid : facts->mac;
}

const char *
host_object_key(const HostObject *object)
{
    return value_of(object, kind_of(object)->key);
}

static HostObject *
find(HostObjects *objects, HostKind kind, HostKey by, const char *value)
{
    for (guint i = 0; i < objects->all->len; i++) {
        HostObject *object = objects->all->pdata[i];

        if (object->facts->kind == kind && g_str_equal(value_of(object, by), value))
            return object;
    }
    return NULL;
}

HostObject *
host_objects_find(HostObjects *objects, HostKind kind, HostKey by, const char *value,
                  GError **error)
{
    char uuid[UUID_SIZE];
    HostObject *object;

    g_assert(kinds[kind].not_found[by]);
    if (by == HOST_BY_UUID && !uuid_parse(value, uuid)) {
        driver_error_argument(error, "uuidstr in %s must be a valid UUID", kinds[kind].lookup);
        return NULL;
    }
    object = find(objects, kind, by, by == HOST_BY_UUID ? uuid : value);
    if (!object)
        driver_error(error, kinds[kind].missing, "%s '%s'", kinds[kind].not_found[by], value);
    return object;
}

/* The bits of a filter that @object passes. */
static guint
bits_of(const HostObject *object)
{
    if (object->facts->kind == HOST_NODE_DEVICE)
        return object->facts->types;
    return object->facts->types | VIR_CONNECT_LIST_NETWORKS_PERSISTENT |
           (object->active ? VIR_CONNECT_LIST_NETWORKS_ACTIVE : VIR_CONNECT_LIST_NETWORKS_INACTIVE) |
           (object->autostart ? VIR_CONNECT_LIST_NETWORKS_AUTOSTART
                              : VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART);
}

static gboolean
passes(const HostObject *object, guint flags)
{
    const Kind *kind = kind_of(object);

    for (guint i = 0; i < N_GROUPS; i++) {
        guint wanted = flags & kind->groups[i];

        if (wanted && !(wanted & bits_of(object)))
            return FALSE;
    }
    return TRUE;
}

GPtrArray *
host_objects_list(HostObjects *objects, HostKind kind, guint flags, GError **error)
{
    GPtrArray *list;
    guint known = 0;

    for (guint i = 0; i < N_GROUPS; i++)
        known |= kinds[kind].groups[i];
    if (!driver_check_flags(flags, known, kinds[kind].list, error))
        return NULL;
    list = g_ptr_array_new();
    for (guint i = 0; i < objects->all->len; i++) {
        HostObject *object = objects->all->pdata[i];

        if (object->facts->kind == kind && passes(object, flags))
            g_ptr_array_add(list, object);
    }
    return list;
}

/* Life */

static void
tell(HostObjects *objects, HostObject *object, int event)
{
    if (kind_of(object)->events && objects->events->host_object)
        objects->events->host_object(objects->events->data, object, event);
}

/* @format has the object's name, and may be empty: libvirt's text alone. */
static gboolean
refuse(const HostObject *object, const char *format, GError **error)
{
    g_auto(GStrv) around = g_strsplit(format, "%s", 2);

    if (!*around)
        return driver_error(error, VIR_ERR_OPERATION_INVALID, NULL);
    return driver_error(error, VIR_ERR_OPERATION_INVALID, "%s%s%s", around[0], object->facts->name,
                        around[1]);
}

gboolean
host_object_start(HostObjects *objects, HostObject *object, GError **error)
{
    if (object->active)
        return refuse(object, kind_of(object)->started, error);
    object->active = TRUE;
    tell(objects, object, VIR_NETWORK_EVENT_STARTED);
    return TRUE;
}

gboolean
host_object_stop(HostObjects *objects, HostObject *object, GError **error)
{
    if (!object->active && kind_of(object)->stopped)
        return refuse(object, kind_of(object)->stopped, error);
    object->active = FALSE;
    tell(objects, object, VIR_NETWORK_EVENT_STOPPED);
    return TRUE;
}

gboolean
host_object_undefine(HostObjects *objects, HostObject *object, GError **error)
{
    if (object->active && kind_of(object)->running)
        return refuse(object, kind_of(object)->running, error);
    tell(objects, object, VIR_NETWORK_EVENT_UNDEFINED);
    g_ptr_array_remove(objects->all, object);
    return TRUE;
}

/* Pools */

static gboolean
change_inactive(HostObjects *objects, HostObject *pool, int event, GError **error)
{
    if (pool->active)
        return refuse(pool, kind_of(pool)->running, error);
    tell(objects, pool, event);
    return TRUE;
}

gboolean
host_pool_build(HostObjects *objects, HostObject *pool, GError **error)
{
    return change_inactive(objects, pool, VIR_STORAGE_POOL_EVENT_CREATED, error);
}

gboolean
host_pool_delete(HostObjects *objects, HostObject *pool, GError **error)
{
    return change_inactive(objects, pool, VIR_STORAGE_POOL_EVENT_DELETED, error);
}

gboolean
host_pool_refresh(HostObjects *objects, HostObject *pool, GError **error)
{
    if (!pool->active)
        return refuse(pool, kind_of(pool)->stopped, error);
    if (objects->events->pool_refresh)
        objects->events->pool_refresh(objects->events->data, pool);
    return TRUE;
}

gboolean
host_pool_check_active(const HostObject *pool, GError **error)
{
    return pool->active ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "storage pool is not active");
}

GVariant *
host_pool_info(const HostObject *pool)
{
    return g_variant_new("(ittt)", pool->active ? VIR_STORAGE_POOL_RUNNING : VIR_STORAGE_POOL_INACTIVE,
                         POOL_BYTES, (guint64)0, POOL_BYTES);
}
