#include "daemon/api.h"

#include "driver/error.h"
#include "driver/flags.h"

/* What all kinds have. The row's function of libvirt is what an unknown flag is refused in the name of. */

static gboolean
check_no_flags(Call *call)
{
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    if (driver_check_flags(flags, 0, call_libvirt_name(call), &error))
        return TRUE;
    call_fail(call, error);
    return FALSE;
}

static void
get_xml(Call *call)
{
    if (check_no_flags(call))
        call_reply(call, g_variant_new("(s)", call_object(call)->host->facts->xml));
}

typedef gboolean (*Verb)(HostObjects *objects, HostObject *object, GError **error);

static void
do_verb(Call *call, Verb verb)
{
    const ApiObject *object = call_object(call);
    GError *error = NULL;

    if (verb(driver_host_objects(object->driver), object->host, &error))
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

static void
do_verb_without_flags(Call *call, Verb verb)
{
    if (check_no_flags(call))
        do_verb(call, verb);
}

static void
start(Call *call)
{
    do_verb(call, host_object_start);
}

static void
start_without_flags(Call *call)
{
    do_verb_without_flags(call, host_object_start);
}

static void
stop(Call *call)
{
    do_verb(call, host_object_stop);
}

static void
stop_without_flags(Call *call)
{
    do_verb_without_flags(call, host_object_stop);
}

static void
undefine(Call *call)
{
    do_verb(call, host_object_undefine);
}

static GVariant *
get_name(const ApiObject *object, GError **error)
{
    return g_variant_new_string(object->host->facts->name);
}

static GVariant *
get_uuid(const ApiObject *object, GError **error)
{
    return g_variant_new_string(object->host->facts->uuid);
}

static GVariant *
get_active(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(object->host->active);
}

static GVariant *
get_persistent(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(object->host->persistent);
}

static GVariant *
get_autostart(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(object->host->autostart);
}

static gboolean
set_autostart(const ApiObject *object, GVariant *value, GError **error)
{
    return host_object_set_autostart(object->host, g_variant_get_boolean(value), error);
}

/* Of networks and of pools. */
static const Property persistent_properties[] = {
    { "Active", get_active },
    { "Autostart", get_autostart, set_autostart },
    { "Name", get_name },
    { "Persistent", get_persistent },
    { "UUID", get_uuid },
    { NULL },
};

/* Networks */

static const Method network_methods[] = {
    { "Create", "virNetworkCreate", "network.start", start },
    { "Destroy", "virNetworkDestroy", "network.stop", stop },
    { "GetDHCPLeases", "virNetworkGetDHCPLeases", "network.read" },
    { "GetXMLDesc", "virNetworkGetXMLDesc", "network.read", get_xml },
    { "Undefine", "virNetworkUndefine", "network.delete", undefine },
    { "Update", "virNetworkUpdate", "network.write" },
    { NULL },
};

const Interface api_network = { "org.libvirt.Network", network_methods, persistent_properties };

/* Storage pools */

static void
build(Call *call)
{
    do_verb_without_flags(call, host_pool_build);
}

static void
delete(Call *call)
{
    do_verb_without_flags(call, host_pool_delete);
}

static void
refresh(Call *call)
{
    do_verb_without_flags(call, host_pool_refresh);
}

static void
pool_info(Call *call)
{
    call_reply(call, g_variant_new("(@*)", host_pool_info(call_object(call)->host)));
}

/* No pool has any. */
static void
list_volumes(Call *call)
{
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    GError *error = NULL;

    if (!check_no_flags(call))
        return;
    if (host_pool_check_active(call_object(call)->host, &error))
        call_reply(call, g_variant_new("(*)", call_host_names(call, none)));
    else
        call_fail(call, error);
}

static void
lookup_volume(Call *call)
{
    const HostObject *pool = call_object(call)->host;
    GError *error = NULL;
    const char *name;

    call_get(call, "(&s)", &name);
    if (host_pool_check_active(pool, &error))
        driver_error(&error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching name '%s'", name);
    call_fail(call, error);
}

static const Method pool_methods[] = {
    { "Build", "virStoragePoolBuild", "storage-pool.format", build },
    { "Create", "virStoragePoolCreate", "storage-pool.start", start_without_flags },
    { "Delete", "virStoragePoolDelete", "storage-pool.format", delete },
    { "Destroy", "virStoragePoolDestroy", "storage-pool.stop", stop },
    { "GetInfo", "virStoragePoolGetInfo", "storage-pool.read", pool_info },
    { "GetXMLDesc", "virStoragePoolGetXMLDesc", "storage-pool.read", get_xml },
    { "ListStorageVolumes", "virStoragePoolListAllVolumes", "storage-pool.search-storage-vols",
      list_volumes },
    { "Refresh", "virStoragePoolRefresh", "storage-pool.refresh", refresh },
    { "StorageVolCreateXML", "virStorageVolCreateXML", "storage-vol.create" },
    { "StorageVolCreateXMLFrom", "virStorageVolCreateXMLFrom", "storage-vol.create" },
    { "StorageVolLookupByName", "virStorageVolLookupByName", "storage-vol.getattr", lookup_volume },
    { "Undefine", "virStoragePoolUndefine", "storage-pool.delete", undefine },
    { NULL },
};

const Interface api_storage_pool = { "org.libvirt.StoragePool", pool_methods,
                                     persistent_properties };

/* Interfaces of the host */

static GVariant *
get_mac(const ApiObject *object, GError **error)
{
    return g_variant_new_string(object->host->facts->mac);
}

static const Property interface_properties[] = {
    { "Active", get_active },
    { "MAC", get_mac },
    { "Name", get_name },
    { NULL },
};

static const Method interface_methods[] = {
    { "Create", "virInterfaceCreate", "interface.start", start_without_flags },
    { "Destroy", "virInterfaceDestroy", "interface.stop", stop_without_flags },
    { "GetXMLDesc", "virInterfaceGetXMLDesc", "interface.read", get_xml },
    { "Undefine", "virInterfaceUndefine", "interface.delete", undefine },
    { NULL },
};

const Interface api_interface = { "org.libvirt.Interface", interface_methods,
                                  interface_properties };

/* Devices of the host */

static GVariant *
get_parent(const ApiObject *object, GError **error)
{
    if (object->host->facts->parent)
        return g_variant_new_string(object->host->facts->parent);
    driver_error(error, VIR_ERR_INTERNAL_ERROR, "no parent for this device");
    return NULL;
}

static void
list_capabilities(Call *call)
{
    call_reply(call, g_variant_new("(^as)", call_object(call)->host->facts->capabilities));
}

static void
destroy_device(Call *call)
{
    do_verb(call, host_device_destroy);
}

static const Property device_properties[] = {
    { "Name", get_name },
    { "Parent", get_parent },
    { NULL },
};

static const Method device_methods[] = {
    { "Destroy", "virNodeDeviceDestroy", "node-device.stop", destroy_device },
    { "Detach", "virNodeDeviceDetachFlags", "node-device.detach" },
    { "GetXMLDesc", "virNodeDeviceGetXMLDesc", "node-device.read", get_xml },
    { "ListCaps", "virNodeDeviceListCaps", "node-device.read", list_capabilities },
    { "ReAttach", "virNodeDeviceReAttach", "node-device.detach" },
    { "Reset", "virNodeDeviceReset", "node-device.detach" },
    { NULL },
};

const Interface api_node_device = { "org.libvirt.NodeDevice", device_methods, device_properties };
