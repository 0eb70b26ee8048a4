#include "daemon/api-host.h"

#include "driver/error.h"
#include "driver/flags.h"
#include "driver/pool-sources.h"

typedef struct Member {
    const char *name;
    HostKind kind;
    HostKey by; /* of a lookup */
} Member;

static const Member members[] = {
    { "InterfaceDefineXML", HOST_INTERFACE },
    { "InterfaceLookupByMAC", HOST_INTERFACE, HOST_BY_MAC },
    { "InterfaceLookupByName", HOST_INTERFACE, HOST_BY_NAME },
    { "ListInterfaces", HOST_INTERFACE },
    { "ListNetworks", HOST_NETWORK },
    { "ListNodeDevices", HOST_NODE_DEVICE },
    { "ListStoragePools", HOST_POOL },
    { "NetworkCreateXML", HOST_NETWORK },
    { "NetworkDefineXML", HOST_NETWORK },
    { "NetworkLookupByName", HOST_NETWORK, HOST_BY_NAME },
    { "NetworkLookupByUUID", HOST_NETWORK, HOST_BY_UUID },
    { "NodeDeviceLookupByName", HOST_NODE_DEVICE, HOST_BY_NAME },
    { "StoragePoolCreateXML", HOST_POOL },
    { "StoragePoolDefineXML", HOST_POOL },
    { "StoragePoolLookupByName", HOST_POOL, HOST_BY_NAME },
    { "StoragePoolLookupByUUID", HOST_POOL, HOST_BY_UUID },
};

static const Member *
member_of(const Call *call)
{
    for (gsize i = 0; i < G_N_ELEMENTS(members); i++) {
        if (g_str_equal(members[i].name, call_member(call)))
            return &members[i];
    }
    g_assert_not_reached();
}

static HostObjects *
objects_of(const Call *call)
{
    return driver_host_objects(call_object(call)->driver);
}

void
api_host_list(Call *call)
{
    g_autoptr(GPtrArray) list = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    list = host_objects_list(objects_of(call), member_of(call)->kind, flags, &error);
    if (list)
        call_reply(call, g_variant_new("(*)", call_host_names(call, list)));
    else
        call_fail(call, error);
}

static void
reply_object(Call *call, const HostObject *object, GError *error)
{
    if (object)
        call_reply(call, g_variant_new("(*)", call_host_name(call, object)));
    else
        call_fail(call, error);
}

void
api_host_lookup(Call *call)
{
    const Member *member = member_of(call);
    const HostObject *object;
    GError *error = NULL;
    const char *value;

    call_get(call, "(&s)", &value);
    object = host_objects_find(objects_of(call), member->kind, member->by, value, &error);
    reply_object(call, object, error);
}

/* Only simulated ones are made and changed. Some of the members have flags, the last argument, of which none is
 * known. */
static gboolean
check_flags(Call *call, GError **error)
{
    gsize n = g_variant_n_children(call_args(call));
    g_autoptr(GVariant) last = g_variant_get_child_value(call_args(call), n - 1);
    guint flags = g_variant_is_of_type(last, G_VARIANT_TYPE_UINT32) ? g_variant_get_uint32(last) : 0;

    if (!host_objects_are_simulated(objects_of(call)))
        return driver_error(error, VIR_ERR_NO_SUPPORT, "%s", call_libvirt_name(call));
    return driver_check_flags(flags, 0, call_libvirt_name(call), error);
}

typedef HostObject *(*Make)(HostObjects *objects, HostKind kind, const char *xml, GError **error);

static void
make_object(Call *call, Make make)
{
    const HostObject *object = NULL;
    GError *error = NULL;
    const char *xml;

    g_variant_get_child(call_args(call), 0, "&s", &xml);
    if (check_flags(call, &error))
        object = make(objects_of(call), member_of(call)->kind, xml, &error);
    reply_object(call, object, error);
}

void
api_host_define(Call *call)
{
    make_object(call, host_objects_define);
}

void
api_host_create(Call *call)
{
    make_object(call, host_objects_create);
}

void
api_host_create_device(Call *call)
{
    const HostObject *device = NULL;
    GError *error = NULL;
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    if (check_flags(call, &error))
        device = host_device_create(objects_of(call), xml, &error);
    reply_object(call, device, error);
}

void
api_host_find_pool_sources(Call *call)
{
    g_autofree char *sources = NULL;
    const char *type, *spec;
    GError *error = NULL;
    guint flags;

    call_get(call, "(&s&su)", &type, &spec, &flags);
    if (check_flags(call, &error))
        sources = pool_sources_find(type, spec, &error);
    call_reply_text(call, sources, error);
}

typedef gboolean (*Change)(HostObjects *objects, GError **error);

static void
change_interfaces(Call *call, Change change)
{
    GError *error = NULL;

    if (check_flags(call, &error) && change(objects_of(call), &error))
        call_reply_nothing(call);
    else
        call_fail(call, error);
}

void
api_host_begin(Call *call)
{
    change_interfaces(call, host_interfaces_begin);
}

void
api_host_commit(Call *call)
{
    change_interfaces(call, host_interfaces_commit);
}

void
api_host_roll_back(Call *call)
{
    change_interfaces(call, host_interfaces_roll_back);
}
