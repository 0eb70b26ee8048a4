#include "daemon/dbus.h"

#include "daemon/dbus-answer.h"
#include "daemon/dbus-bind.h"
#include "daemon/dbus-branches.h"
#include "daemon/dbus-path.h"
#include "daemon/dbus-properties.h"
#include "daemon/dbus-subject.h"
#include "schemas/interfaces.h"

/* Calls */

static GVariant *
name_domain(gpointer invocation, Domain *domain)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    g_autofree char *path = dbus_path_of(root->path, domain);

    return g_variant_new_object_path(path);
}

static GVariant *
name_snapshot(gpointer invocation, Domain *domain, const Snapshot *snapshot)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    g_autofree char *path = dbus_path_of_snapshot(root->path, domain, snapshot);

    return g_variant_new_object_path(path);
}

static GVariant *
name_host_object(gpointer invocation, const HostObject *object)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    g_autofree char *path = dbus_path_of_host(root->path, object);

    return g_variant_new_object_path(path);
}

static const CallFace face = {
    .name = name_domain,
    .snapshot_name = name_snapshot,
    .host_name = name_host_object,
    .name_type = G_VARIANT_TYPE_OBJECT_PATH,
    .visible = dbus_visible,
    .checked = dbus_checked,
    .bind = dbus_bind,
    .reply = dbus_reply,
    .fail = dbus_fail,
};

/* Done with whether it may be. The object is looked up only now: time may have passed. */
static void
serve(GDBusMethodInvocation *invocation)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    const char *path = g_dbus_method_invocation_get_object_path(invocation);
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    g_autoptr(GError) error = NULL;
    ApiObject place, *object = dbus_find_object(root, path, &place, &error) ? &place : NULL;

    if (dbus_is_properties(interface))
        dbus_properties_call(invocation, object, error);
    else if (!object)
        dbus_fail(invocation, error);
    else
        call_run(dbus_method_of(invocation), object,
                 g_dbus_method_invocation_get_parameters(invocation), &face, invocation);
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
    AccessRequest request;

    if (!root->access) {
        serve(invocation);
        return;
    }
    request = dbus_request_of(root, invocation);
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

/* The root */

static guint
register_interface(DbusRoot *root, const GDBusInterfaceInfo *info, GError **error)
{
    return g_dbus_connection_register_object(root->bus, root->path, (GDBusInterfaceInfo *)info,
                                             root->vtable, root, NULL, error);
}

DbusRoot *
dbus_root_new(GDBusConnection *bus, const char *path, GError **error)
{
    g_autoptr(DbusRoot) root = g_new0(DbusRoot, 1);

    root->bus = g_object_ref(bus);
    root->path = g_strdup(path);
    root->turns = turns_new(begin);
    root->vtable = &object_vtable;
    root->connect_id = register_interface(root, &org_libvirt_connect_interface, error);
    if (!root->connect_id)
        return NULL;
    root->vmctl_connect_id = register_interface(root, &org_vmctl_connect_interface, error);
    if (!root->vmctl_connect_id)
        return NULL;
    if (!dbus_branches_register(root, error))
        return NULL;
    return g_steal_pointer(&root);
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
    dbus_branches_unregister(root);
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
