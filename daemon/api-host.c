#include "daemon/api-host.h"

typedef struct Member {
    const char *name;
    HostKind kind;
    HostKey by; /* of a lookup */
} Member;

static const Member members[] = {
    { "InterfaceLookupByMAC", HOST_INTERFACE, HOST_BY_MAC },
    { "InterfaceLookupByName", HOST_INTERFACE, HOST_BY_NAME },
    { "ListInterfaces", HOST_INTERFACE },
    { "ListNetworks", HOST_NETWORK },
    { "ListNodeDevices", HOST_NODE_DEVICE },
    { "ListStoragePools", HOST_POOL },
    { "NetworkLookupByName", HOST_NETWORK, HOST_BY_NAME },
    { "NetworkLookupByUUID", HOST_NETWORK, HOST_BY_UUID },
    { "NodeDeviceLookupByName", HOST_NODE_DEVICE, HOST_BY_NAME },
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

void
api_host_lookup(Call *call)
{
    const Member *member = member_of(call);
    const HostObject *object;
    GError *error = NULL;
    const char *value;

    call_get(call, "(&s)", &value);
    object = host_objects_find(objects_of(call), member->kind, member->by, value, &error);
    if (object)
        call_reply(call, g_variant_new("(*)", call_host_name(call, object)));
    else
        call_fail(call, error);
}
