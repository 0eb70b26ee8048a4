#include "daemon/dbus-subject.h"

#include "daemon/dbus-path.h"

gboolean
dbus_is_properties(const char *interface)
{
    return g_str_equal(interface, "org.freedesktop.DBus.Properties");
}

/* A snapshot's domain counts where there is none of that name: who may ask depends on it. */
static gboolean
find_snapshot(const DbusRoot *root, const char *uuid, const char *name, ApiObject *ret,
              GError **error)
{
    ret->domain = driver_find_uuid(root->driver, uuid, error);
    ret->snapshot = ret->domain ? domain_find_snapshot(ret->domain, name, error) : NULL;
    return ret->snapshot != NULL;
}

gboolean
dbus_find_object(const DbusRoot *root, const char *path, ApiObject *ret, GError **error)
{
    HostKind kind = 0;
    g_autofree char *name = NULL;
    g_autofree char *snapshot_of = dbus_path_snapshot_uuid(root->path, path, &name);
    g_autofree char *key = dbus_path_host_key(root->path, path, &kind);
    g_autofree char *uuid = key ? NULL : dbus_path_uuid(root->path, path);

    g_assert(root->driver);
    *ret = (ApiObject){ root->driver };
    if (snapshot_of)
        return find_snapshot(root, snapshot_of, name, ret, error);
    if (key) {
        ret->host = host_objects_find(driver_host_objects(root->driver), kind, host_kind_key(kind),
                                      key, error);
        return ret->host != NULL;
    }
    ret->domain = uuid ? driver_find_uuid(root->driver, uuid, error) : NULL;
    return !uuid || ret->domain;
}

const Method *
dbus_method_of(GDBusMethodInvocation *invocation)
{
    const Interface *interface = api_find(g_dbus_method_invocation_get_interface_name(invocation));

    return interface ? interface_find_method(interface,
                                             g_dbus_method_invocation_get_method_name(invocation))
                     : NULL;
}

/* Access */

/* What it takes to call @method with @args, whose last one are its flags. */
static const char *
method_permission(const Method *method, GVariant *args)
{
    gsize n = g_variant_n_children(args);
    guint flags = 0;

    if (method->special_flags && n > 0)
        g_variant_get_child(args, n - 1, "u", &flags);
    return flags & method->special_flags ? method->special_access : method->access;
}

/* What it takes to get a property and to set it. */
static const char *const host_permissions[N_HOST_KINDS][2] = {
    [HOST_NETWORK] = { "network.read", "network.write" },
    [HOST_POOL] = { "storage-pool.read", "storage-pool.write" },
    [HOST_INTERFACE] = { "interface.read", "interface.write" },
    [HOST_NODE_DEVICE] = { "node-device.read", "node-device.write" },
};

static const char *
property_permission(const ApiObject *object, gboolean writes)
{
    if (object->host)
        return host_permissions[object->host->facts->kind][writes];
    if (object->domain)
        return writes ? "domain.write" : "domain.read";
    return writes ? "connect.write" : "connect.read";
}

static const char *
permission_of(GDBusMethodInvocation *invocation, const ApiObject *object)
{
    const char *member = g_dbus_method_invocation_get_method_name(invocation);
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    gboolean writes = g_str_equal(member, "Set");

    if (!dbus_is_properties(interface))
        return method_permission(dbus_method_of(invocation),
                                 g_dbus_method_invocation_get_parameters(invocation));
    return property_permission(object, writes);
}

/* What the call is about, before anything is known of who calls: perhaps a domain that its arguments name. */
static ApiObject
subject_of(const DbusRoot *root, GDBusMethodInvocation *invocation)
{
    const Method *method = dbus_method_of(invocation);
    ApiObject object = { 0 };

    dbus_find_object(root, g_dbus_method_invocation_get_object_path(invocation), &object, NULL);
    if (method && method->subject)
        object.domain =
            method->subject(&object, g_dbus_method_invocation_get_parameters(invocation), NULL);
    return object;
}

/* Domains that are seen */

#define VISIBLE "visible" /* domains, with a call that is filtered */

GHashTable *
dbus_visible(gpointer invocation)
{
    return g_object_get_data(invocation, VISIBLE);
}

/* All domains, for those to be taken out that the client may not see. They go with the call, whose answer lists what is
 * still there when all have been asked about. */
static GHashTable *
add_visible(const DbusRoot *root, GDBusMethodInvocation *invocation)
{
    GHashTable *all = g_hash_table_new_full(NULL, NULL, (GDestroyNotify)domain_unref, NULL);
    g_autoptr(GPtrArray) domains = driver_list(root->driver, 0, NULL);

    for (guint i = 0; i < domains->len; i++)
        g_hash_table_add(all, domain_ref(domains->pdata[i]));
    g_object_set_data_full(G_OBJECT(invocation), VISIBLE, all, (GDestroyNotify)g_hash_table_unref);
    return all;
}

/* Documents and files */

#define CHECKED "checked" /* their identity, with the call */

static void
free_identity(gpointer identity)
{
    domain_identity_clear(identity);
    g_free(identity);
}

const DomainIdentity *
dbus_checked(gpointer invocation)
{
    return g_object_get_data(invocation, CHECKED);
}

/* What could not be read now is nobody's, and has to be so later. */
static gboolean
look(gpointer invocation, DomainIdentity *ret)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    const ApiObject object = { root->driver };
    DomainIdentity *checked = g_new0(DomainIdentity, 1);
    gboolean known = dbus_method_of(invocation)->identify(
        &object, g_dbus_method_invocation_get_parameters(invocation), checked);

    g_object_set_data_full(invocation, CHECKED, checked, free_identity);
    if (known)
        *ret = (DomainIdentity){ g_strdup(checked->name), g_strdup(checked->uuid) };
    return known;
}

static gboolean
is_interactive(GDBusMethodInvocation *invocation)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);

    return g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
}

AccessRequest
dbus_request_of(const DbusRoot *root, GDBusMethodInvocation *invocation)
{
    const Method *method = dbus_method_of(invocation);
    ApiObject object = subject_of(root, invocation);
    AccessRequest request = { g_dbus_method_invocation_get_sender(invocation),
                              driver_name(root->driver),
                              permission_of(invocation, &object),
                              object.domain,
                              object.host,
                              method && method->identify ? look : NULL,
                              is_interactive(invocation) };

    if (method && method->filter && access_is_per_domain(root->access)) {
        request.filter = method->filter;
        request.domains = add_visible(root, invocation);
    }
    return request;
}
