#include "daemon/dbus.h"

#include "daemon/api.h"
#include "daemon/dbus-path.h"
#include "daemon/dbus-quirks.h"
#include "driver/error.h"
#include "schemas/interfaces.h"

#include <gio/gunixfdlist.h>

#define ERROR_NAME                                                                                 \
    "org.libvirt.Error" /* the one name that libvirt-dbus has; the text tells more                 \
                         */

struct DbusRoot {
    GDBusConnection *bus;
    char *path;
    Driver *driver;
    guint connect_id, vmctl_connect_id, domains_id;
};

/* Answers */

static void
fail(gpointer data, const GError *error)
{
    /* A message with a path of the host in it need not be UTF-8, and the bus would hang up on us.
     */
    g_autofree char *text = g_utf8_make_valid(error->message, -1);

    g_dbus_method_invocation_return_dbus_error(data, ERROR_NAME, text);
}

static void
reply(gpointer data, GVariant *result, int fd)
{
    g_autoptr(GUnixFDList) fds = fd >= 0 ? g_unix_fd_list_new_from_array(&fd, 1) : NULL;
    const char *interface = g_dbus_method_invocation_get_interface_name(data);

    if (dbus_quirks_apply(interface))
        result = dbus_quirks_wrap(result);
    g_dbus_method_invocation_return_value_with_unix_fd_list(data, result, fds);
}

static GVariant *
name_domain(gpointer data, Domain *domain)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(data);
    g_autofree char *path = dbus_path_of(root->path, domain);

    return g_variant_new_object_path(path);
}

static const CallFace face = {
    .name = name_domain,
    .name_type = G_VARIANT_TYPE_OBJECT_PATH,
    .reply = reply,
    .fail = fail,
};

/* Calls */

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

static void
get(const Interface *interface, const ApiObject *object, GVariant *args,
    GDBusMethodInvocation *invocation)
{
    g_autoptr(GError) error = NULL;
    const char *name;
    GVariant *value;

    g_variant_get(args, "(&s&s)", NULL, &name);
    value = interface_find_property(interface, name)->get(object, &error);
    if (value)
        g_dbus_method_invocation_return_value(invocation, g_variant_new("(v)", value));
    else
        fail(invocation, error);
}

/* A property that cannot be had is left out, as libvirt-dbus does, which goes so far that a domain
 * that is not there has none. */
static void
get_all(const Interface *interface, const ApiObject *object, GDBusMethodInvocation *invocation)
{
    g_autoptr(GVariant) result = NULL;
    GVariantBuilder values;

    g_variant_builder_init(&values, G_VARIANT_TYPE_VARDICT);
    for (const Property *row = interface->properties; object && row && row->name; row++) {
        GVariant *value = row->get(object, NULL);

        if (value)
            g_variant_builder_add(&values, "{sv}", row->name, value);
    }
    result = g_variant_ref_sink(g_variant_new("(a{sv})", &values));
    g_dbus_method_invocation_return_value(
        invocation, dbus_quirks_apply(interface->name) ? dbus_quirks_wrap(result) : result);
}

static void
set(const Interface *interface, const ApiObject *object, GVariant *args,
    GDBusMethodInvocation *invocation)
{
    g_autoptr(GVariant) value = NULL;
    g_autoptr(GError) error = NULL;
    const char *name;

    g_variant_get(args, "(&s&sv)", NULL, &name, &value);
    if (interface_find_property(interface, name)->set(object, value, &error))
        g_dbus_method_invocation_return_value(invocation, NULL);
    else
        fail(invocation, error);
}

/* org.freedesktop.DBus.Properties, of whose calls GDBus has checked that the interface and the
 * property are there, that it may be read or written and that a value to write has its type. */
static void
call_properties(const char *member, const ApiObject *object, const GError *error, GVariant *args,
                GDBusMethodInvocation *invocation)
{
    g_autoptr(GVariant) name = g_variant_get_child_value(args, 0);
    const Interface *interface = api_find(g_variant_get_string(name, NULL));

    if (g_str_equal(member, "GetAll"))
        get_all(interface, object, invocation);
    else if (!object)
        fail(invocation, error);
    else if (g_str_equal(member, "Get"))
        get(interface, object, args, invocation);
    else
        set(interface, object, args, invocation);
}

static void
method_call(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *member, GVariant *args, GDBusMethodInvocation *invocation, gpointer data)
{
    g_autoptr(GError) error = NULL;
    ApiObject place, *object = find_object(data, path, &place, &error) ? &place : NULL;

    if (g_str_equal(interface, "org.freedesktop.DBus.Properties"))
        call_properties(member, object, error, args, invocation);
    else if (!object)
        fail(invocation, error);
    else
        call_run(interface_find_method(api_find(interface), member), object, args, &face,
                 invocation);
}

/* Without the property functions GDBus hands calls of org.freedesktop.DBus.Properties to
 * method_call, where GetAll gets the shape that libvirt-dbus gives it. */
static const GDBusInterfaceVTable object_vtable = { .method_call = method_call };

/* The domain objects */

static char **
enumerate_domains(GDBusConnection *bus, const char *sender, const char *path, gpointer data)
{
    DbusRoot *root = data;
    g_autoptr(GPtrArray) domains = driver_list(root->driver, 0, NULL);
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
    g_object_unref(root->bus);
    g_free(root->path);
    g_free(root);
}

void
dbus_root_set_driver(DbusRoot *root, Driver *driver)
{
    root->driver = driver;
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
