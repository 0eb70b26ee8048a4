#include "driver/host-objects-private.h"

#include "driver/error.h"
#include "driver/flags.h"
#include "driver/uuid.h"
#include "driver/xml-host.h"

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
    const char *noun;              /* of which there is another with its name or its UUID */
    struct {
        virErrorNumber code;
        const char *text;
    } transient; /* why one that nothing keeps cannot be started with the host; NULL: it can */
    /* Events; those of networks and of pools have the numbers in common. */
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
        .noun = "network",
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
        .noun = "pool",
        .transient = { VIR_ERR_INVALID_ARG, "pool has no config file" },
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
        .events = TRUE,
    },
};

/* The events of networks and of pools. */
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_DEFINED == (int)VIR_STORAGE_POOL_EVENT_DEFINED);
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_UNDEFINED == (int)VIR_STORAGE_POOL_EVENT_UNDEFINED);
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_STARTED == (int)VIR_STORAGE_POOL_EVENT_STARTED);
G_STATIC_ASSERT((int)VIR_NETWORK_EVENT_STOPPED == (int)VIR_STORAGE_POOL_EVENT_STOPPED);
/* The states of networks, pools and interfaces. */
G_STATIC_ASSERT(STATES == (VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE |
                           VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE));
G_STATIC_ASSERT((int)VIR_CONNECT_LIST_NETWORKS_ACTIVE == (int)VIR_CONNECT_LIST_INTERFACES_ACTIVE);

static const Kind *
kind_of(const HostObject *object)
{
    return &kinds[object->facts->kind];
}

void
host_object_free(gpointer data)
{
    HostObject *object = data;

    if (object->own)
        host_facts_clear(object->own);
    g_free(object->own);
    g_free(object);
}

HostObjects *
host_objects_new(const HostFacts *facts, const DriverEvents *events)
{
    HostObjects *objects = g_new0(HostObjects, 1);

    objects->all = g_ptr_array_new_with_free_func(host_object_free);
    objects->events = events;
    objects->simulated = facts != NULL;
    for (; facts && facts->name; facts++) {
        HostObject *object = g_new0(HostObject, 1);

        object->facts = facts;
        object->active = object->persistent = TRUE;
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
    g_clear_pointer(&objects->before, g_ptr_array_unref);
    g_free(objects);
}

gboolean
host_objects_are_simulated(const HostObjects *objects)
{
    return objects->simulated;
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

HostObject *
host_objects_look(HostObjects *objects, HostKind kind, HostKey by, const char *value)
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
    object = host_objects_look(objects, kind, by, by == HOST_BY_UUID ? uuid : value);
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
    return object->facts->types |
           (object->persistent ? VIR_CONNECT_LIST_NETWORKS_PERSISTENT
                               : VIR_CONNECT_LIST_NETWORKS_TRANSIENT) |
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

void
host_object_tell(HostObjects *objects, HostObject *object, int event)
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

/* The one that @facts are to define anew; NULL with @error where they are another's in part, without: a new one. */
static HostObject *
find_same(HostObjects *objects, const HostFacts *facts, GError **error)
{
    HostObject *named = host_objects_look(objects, facts->kind, HOST_BY_NAME, facts->name), *same;

    if (facts->kind == HOST_INTERFACE)
        return named;
    same = host_objects_look(objects, facts->kind, HOST_BY_UUID, facts->uuid);
    if (same && same != named)
        driver_error(error, VIR_ERR_OPERATION_FAILED, "%s '%s' is already defined with uuid %s",
                     kind_of(same)->noun, same->facts->name, facts->uuid);
    else if (named && named != same)
        driver_error(error, VIR_ERR_OPERATION_FAILED, "%s '%s' already exists with uuid %s",
                     kind_of(named)->noun, facts->name, named->facts->uuid);
    return same == named ? same : NULL;
}

void
host_object_take_facts(HostObject *object, const HostFacts *facts)
{
    if (object->own)
        host_facts_clear(object->own);
    else
        object->own = g_new0(HostFacts, 1);
    *object->own = *facts;
    object->facts = object->own;
}

/* What the document is of, as it was or new, with what the document says; @starts: it may not run then. */
static HostObject *
take_document(HostObjects *objects, HostKind kind, const char *xml, gboolean starts, GError **error)
{
    GError *failed = NULL;
    HostFacts facts;
    HostObject *object;

    if (!xml_host_parse(kind, xml, &facts, error))
        return NULL;
    object = find_same(objects, &facts, &failed);
    if (object && starts && object->active)
        driver_error(&failed, VIR_ERR_OPERATION_INVALID, "%s is already active as '%s'",
                     kinds[kind].noun, facts.name);
    if (failed) {
        host_facts_clear(&facts);
        g_propagate_error(error, failed);
        return NULL;
    }
    if (!object) {
        object = g_new0(HostObject, 1);
        g_ptr_array_add(objects->all, object);
    }
    host_object_take_facts(object, &facts);
    return object;
}

HostObject *
host_objects_define(HostObjects *objects, HostKind kind, const char *xml, GError **error)
{
    HostObject *object = take_document(objects, kind, xml, FALSE, error);

    if (!object)
        return NULL;
    object->persistent = TRUE;
    host_object_tell(objects, object, VIR_NETWORK_EVENT_DEFINED);
    return object;
}

HostObject *
host_objects_create(HostObjects *objects, HostKind kind, const char *xml, GError **error)
{
    HostObject *object = take_document(objects, kind, xml, TRUE, error);

    if (!object)
        return NULL;
    object->active = TRUE;
    host_object_tell(objects, object, VIR_NETWORK_EVENT_STARTED);
    return object;
}

gboolean
host_object_start(HostObjects *objects, HostObject *object, GError **error)
{
    if (object->active)
        return refuse(object, kind_of(object)->started, error);
    object->active = TRUE;
    host_object_tell(objects, object, VIR_NETWORK_EVENT_STARTED);
    return TRUE;
}

gboolean
host_object_stop(HostObjects *objects, HostObject *object, GError **error)
{
    if (!object->active && kind_of(object)->stopped)
        return refuse(object, kind_of(object)->stopped, error);
    object->active = FALSE;
    host_object_tell(objects, object, VIR_NETWORK_EVENT_STOPPED);
    if (!object->persistent)
        g_ptr_array_remove(objects->all, object);
    return TRUE;
}

gboolean
host_object_undefine(HostObjects *objects, HostObject *object, GError **error)
{
    if (object->active && kind_of(object)->running)
        return refuse(object, kind_of(object)->running, error);
    host_object_tell(objects, object, VIR_NETWORK_EVENT_UNDEFINED);
    g_ptr_array_remove(objects->all, object);
    return TRUE;
}

gboolean
host_object_set_autostart(HostObject *object, gboolean autostart, GError **error)
{
    if (!object->persistent && kind_of(object)->transient.text)
        return driver_error(error, kind_of(object)->transient.code, "%s",
                            kind_of(object)->transient.text);
    object->autostart = autostart;
    return TRUE;
}

/* Pools */

static gboolean
change_inactive(HostObjects *objects, HostObject *pool, int event, GError **error)
{
    if (pool->active)
        return refuse(pool, kind_of(pool)->running, error);
    host_object_tell(objects, pool, event);
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
