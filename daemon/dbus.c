#include "daemon/dbus.h"

#include "daemon/api.h"
#include "daemon/dbus-answer.h"
#include "daemon/dbus-path.h"
#include "daemon/dbus-properties.h"
#include "daemon/dbus-turns.h"
#include "schemas/interfaces.h"

struct DbusRoot {
    GDBusConnection *bus;
    char *path;
    Driver *driver;
    Access *access; /* NULL: whoever can call may do anything */
    Turns *turns;
    guint connect_id, vmctl_connect_id, domains_id;
};

/* Calls */

static GVariant *
name_domain(gpointer invocation, Domain *domain)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    g_autofree char *path = dbus_path_of(root->path, domain);

    return g_variant_new_object_path(path);
}

static const CallFace face = {
    .name = name_domain,
    .name_type = G_VARIANT_TYPE_OBJECT_PATH,
    .reply = dbus_reply,
    .fail = dbus_fail,
};

static gboolean
is_properties(const char *interface)
{
    return g_str_equal(interface, "org.freedesktop.DBus.Properties");
}

/* What @path is: the root itself, or a domain that is looked up anew for each call. */
static gboolean
find_object(const DbusRoot *root, const char *path, ApiObject *ret, GError **error)
{
    g_autofree char *uuid = dbus_path_uuid(root->path, path);

    g_assert(root->driver);
    ret->driver = root->driver;
    ret->domain = uuid ? driver_find_uuid(root->driver, uuid, error) : NULL;
    return !uuid || ret->domain;
}

/* Done with whether it may be. The object is looked up only now: time may have passed. */
static void
serve(GDBusMethodInvocation *invocation)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    const char *path = g_dbus_method_invocation_get_object_path(invocation);
    const char *member = g_dbus_method_invocation_get_method_name(invocation);
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    g_autoptr(GError) error = NULL;
    ApiObject place, *object = find_object(root, path, &place, &error) ? &place : NULL;

    if (is_properties(interface))
        dbus_properties_call(invocation, object, error);
    else if (!object)
        dbus_fail(invocation, error);
    else
        call_run(interface_find_method(api_find(interface), member), object,
                 g_dbus_method_invocation_get_parameters(invocation), &face, invocation);
}

/* Access */

/* What it takes to call @method with @args, whose last one are its flags. */
static const char *
method_permission(const Method *method, GVariant *args)
{
    gsize n = g_variant_n_children(args);
    guint flags = 0;

    if (method->secret_flags && n > 0)
        g_variant_get_child(args, n - 1, "u", &flags);
    return flags & method->secret_flags ? "domain.read-secure" : method->access;
}

static const char *
permission_of(GDBusMethodInvocation *invocation, const ApiObject *object)
{
    const char *member = g_dbus_method_invocation_get_method_name(invocation);
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    gboolean writes = g_str_equal(member, "Set");

    if (!is_properties(interface))
        return method_permission(interface_find_method(api_find(interface), member),
                                 g_dbus_method_invocation_get_parameters(invocation));
    if (object->domain)
        return writes ? "domain.write" : "domain.read";
    return writes ? "connect.write" : "connect.read";
}

static gboolean
is_interactive(GDBusMethodInvocation *invocation)
{
    GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);

    return g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
}

static void
decided(gpointer invocation, const GError *error)
{
    if (error)
        dbus_fail(invocation, error);
    else
        serve(invocation);
}

/* In its turn. */
static void
begin(GDBusMethodInvocation *invocation)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    ApiObject object = { 0 };
    AccessRequest request;

    if (!root->access) {
        serve(invocation);
        return;
    }
    find_object(root, g_dbus_method_invocation_get_object_path(invocation), &object, NULL);
    request = (AccessRequest){ g_dbus_method_invocation_get_sender(invocation), driver_name(root->driver),
                               permission_of(invocation, &object), object.domain,
                               is_interactive(invocation) };
    access_check(root->access, &request, decided, invocation);
}

static void
method_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *member, GVariant *args, GDBusMethodInvocation *invocation, gpointer data)
{
    DbusRoot *root = data;

    turns_add(root->turns, invocation);
}

/* Without the property functions GDBus hands calls of org.freedesktop.DBus.Properties to
 * method_call, where GetAll gets the shape that libvirt-dbus gives it. */
static const GDBusInterfaceVTable object_vtable = { .method_call = method_call };

/* The domain objects */

static char **
enumerate_domains(GDBusConnection *bus, const char *sender, const char *path, gpointer data)
{
    DbusRoot *root = data;
    gboolean may_know = !root->access || access_is_trusted(root->access, sender);
    g_autoptr(GPtrArray) domains = may_know ? driver_list(root->driver, 0, NULL) : NULL;
    GPtrArray *nodes = g_ptr_array_new();

    for (guint i = 0; domains && i < domains->len; i++)
        g_ptr_array_add(nodes, dbus_path_node(domains->pdata[i]));
    g_ptr_array_add(nodes, NULL);
    return (char **)g_ptr_array_free(nodes, FALSE);
}

static GDBusInterfaceInfo **
introspect_domain(GDBusConnection *bus, const char *sender, const char *path, const char *node,
                  gpointer data)
{
    GDBusInterfaceInfo **infos;

    if (!node)
        return NULL; /* ".../domain" itself is only a way to the domains */
    infos = g_new0(GDBusInterfaceInfo *, 3);
    infos[0] = (GDBusInterfaceInfo *)&org_libvirt_domain_interface;
    infos[1] = (GDBusInterfaceInfo *)&org_vmctl_domain_interface;
    return infos;
}

static const GDBusInterfaceVTable *
dispatch_domain(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
                const char *node, gpointer *ret_data, gpointer data)
{
    *ret_data = data;
    return node ? &object_vtable : NULL;
}

static const GDBusSubtreeVTable domains_vtable = {
    .enumerate = enumerate_domains,
    .introspect = introspect_domain,
    .dispatch = dispatch_domain,
};

/* The root */

static guint
register_interface(DbusRoot *root, const GDBusInterfaceInfo *info, GError **error)
{
    return g_dbus_connection_register_object(root->bus, root->path, (GDBusInterfaceInfo *)info,
                                             &object_vtable, root, NULL, error);
}

static guint
register_domains(DbusRoot *root, GError **error)
{
    g_autofree char *path = g_strconcat(root->path, "/domain", NULL);

    return g_dbus_connection_register_subtree(root->bus, path, &domains_vtable,
                                              G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                              root, NULL, error);
}

DbusRoot *
dbus_root_new(GDBusConnection *bus, const char *path, GError **error)
{
    g_autoptr(DbusRoot) root = g_new0(DbusRoot, 1);

    root->bus = g_object_ref(bus);
    root->path = g_strdup(path);
    root->turns = turns_new(begin);
    root->connect_id = register_interface(root, &org_libvirt_connect_interface, error);
    if (!root->connect_id)
        return NULL;
    root->vmctl_connect_id = register_interface(root, &org_vmctl_connect_interface, error);
    if (!root->vmctl_connect_id)
        return NULL;
    root->domains_id = register_domains(root, error);
    return root->domains_id ? g_steal_pointer(&root) : NULL;
}

void
dbus_root_free(DbusRoot *root)
{
    if (!root)
        return;
    if (root->connect_id)
        g_dbus_connection_unregister_object(root->bus, root->connect_id);
    if (root->vmctl_connect_id)
        g_dbus_connection_unregister_object(root->bus, root->vmctl_connect_id);
    if (root->domains_id)
        g_dbus_connection_unregister_subtree(root->bus, root->domains_id);
    turns_free(root->turns);
    g_object_unref(root->bus);
    g_free(root->path);
    g_free(root);
}

void
dbus_root_set_driver(DbusRoot *root, Driver *driver)
{
    root->driver = driver;
}

void
dbus_root_set_access(DbusRoot *root, Access *access)
{
    root->access = access;
}

GDBusConnection *
dbus_root_bus(const DbusRoot *root)
{
    return root->bus;
}

const char *
dbus_root_path(const DbusRoot *root)
{
    return root->path;
}
