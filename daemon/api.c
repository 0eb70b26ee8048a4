#include "daemon/api.h"

const Interface *const api_interfaces[] = {
    &api_connect,   &api_domain,      &api_domain_snapshot, &api_network,      &api_storage_pool,
    &api_interface, &api_node_device, &api_vmctl_connect,   &api_vmctl_domain, NULL,
};

const Interface *
api_find(const char *interface)
{
    for (const Interface *const *at = api_interfaces; *at; at++) {
        if (g_str_equal((*at)->name, interface))
            return *at;
    }
    return NULL;
}

const Method *
interface_find_method(const Interface *interface, const char *member)
{
    for (const Method *row = interface->methods; row->member; row++) {
        if (g_str_equal(row->member, member))
            return row;
    }
    return NULL;
}

const Property *
interface_find_property(const Interface *interface, const char *name)
{
    for (const Property *row = interface->properties; row && row->name; row++) {
        if (g_str_equal(row->name, name))
            return row;
    }
    return NULL;
}
