#include "daemon/dbus.h"

#include "daemon/api.h"
#include "daemon/dbus-answer.h"
#include "daemon/dbus-path.h"
#include "daemon/dbus-properties.h"
#include "daemon/dbus-turns.h"
#include "schemas/interfaces.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define N_BRANCHES 6

struct DbusRoot {
    GDBusConnection *bus;
    char *path;
    Driver *driver;
    Access *access; /* NULL: whoever can call may do anything */
    Turns *turns;
    guint connect_id, vmctl_connect_id, branch_ids[N_BRANCHES];
};

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

#define VISIBLE "visible" /* domains, with a call that is filtered */

static GHashTable *
visible(gpointer invocation)
{
    return g_object_get_data(invocation, VISIBLE);
}

static const CallFace face = {
    .name = name_domain,
    .snapshot_name = name_snapshot,
    .host_name = name_host_object,
    .name_type = G_VARIANT_TYPE_OBJECT_PATH,
    .visible = visible,
    .reply = dbus_reply,
    .fail = dbus_fail,
};

static gboolean
is_properties(const char *interface)
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

/* What @path is: the root itself, or a domain or another object that is looked up anew for each call. */
static gboolean
find_object(const DbusRoot *root, const char *path, ApiObject *ret, GError **error)
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

/* NULL: it is about properties. */
static const Method *
method_of(GDBusMethodInvocation *invocation)
{
    const Interface *interface = api_find(g_dbus_method_invocation_get_interface_name(invocation));

    return interface ? interface_find_method(interface,
                                             g_dbus_method_invocation_get_method_name(invocation))
                     : NULL;
}

/* Done with whether it may be. The object is looked up only now: time may have passed. */
static void
serve(GDBusMethodInvocation *invocation)
{
    const DbusRoot *root = g_dbus_method_invocation_get_user_data(invocation);
    const char *path = g_dbus_method_invocation_get_object_path(invocation);
    const char *interface = g_dbus_method_invocation_get_interface_name(invocation);
    g_autoptr(GError) error = NULL;
    ApiObject place, *object = find_object(root, path, &place, &error) ? &place : NULL;

    if (is_properties(interface))
        dbus_properties_call(invocation, object, error);
    else if (!object)
        dbus_fail(invocation, error);
    else
        call_run(method_of(invocation), object, g_dbus_method_invocation_get_parameters(invocation),
                 &face, invocation);
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

    if (!is_properties(interface))
        return method_permission(method_of(invocation),
                                 g_dbus_method_invocation_get_parameters(invocation));
    return property_permission(object, writes);
}

/* What the call is about, before anything is known of who calls: perhaps a domain that its arguments name. */
static ApiObject
subject_of(const DbusRoot *root, GDBusMethodInvocation *invocation)
{
    const Method *method = method_of(invocation);
    ApiObject object = { 0 };

    find_object(root, g_dbus_method_invocation_get_object_path(invocation), &object, NULL);
    if (method && method->subject)
        object.domain =
            method->subject(&object, g_dbus_method_invocation_get_parameters(invocation), NULL);
    return object;
}

/* All domains, for those to be taken out that the client may not see. They go with the call. */
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
    const Method *method = method_of(invocation);
    AccessRequest request;
    ApiObject object;

    if (!root->access) {
        serve(invocation);
        return;
    }
    object = subject_of(root, invocation);
    request = (AccessRequest){ g_dbus_method_invocation_get_sender(invocation),
                               driver_name(root->driver),
                               permission_of(invocation, &object),
                               object.domain,
                               object.host,
                               is_interactive(invocation) };
    if (method && method->filter && access_is_per_domain(root->access)) {
        request.filter = method->filter;
        request.domains = add_visible(root, invocation);
    }
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

/* What is below the root */

typedef struct Branch Branch;
struct Branch {
    const char *name; /* of the branch, in the paths of what is on it */
    const GDBusInterfaceInfo *interfaces[2];
    void (*add_nodes)(const DbusRoot *root, const Branch *branch, GPtrArray *nodes);
    HostKind kind; /* where not of domains */
};

static void
add_domains(const DbusRoot *root, const Branch *branch, GPtrArray *nodes)
{
    g_autoptr(GPtrArray) domains = driver_list(root->driver, 0, NULL);

    for (guint i = 0; domains && i < domains->len; i++)
        g_ptr_array_add(nodes, dbus_path_node(domains->pdata[i]));
}

static void
add_snapshots_of(Domain *domain, GPtrArray *nodes)
{
    g_autoptr(GPtrArray) snapshots = domain_list_snapshots(domain, NULL, 0, NULL);

    for (guint i = 0; i < snapshots->len; i++)
        g_ptr_array_add(nodes, dbus_path_snapshot_node(domain, snapshots->pdata[i]));
}

static void
add_snapshots(const DbusRoot *root, const Branch *branch, GPtrArray *nodes)
{
    g_autoptr(GPtrArray) domains =
        driver_list(root->driver, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, NULL);

    for (guint i = 0; domains && i < domains->len; i++)
        add_snapshots_of(domains->pdata[i], nodes);
}

static void
add_host_objects(const DbusRoot *root, const Branch *branch, GPtrArray *nodes)
{
    g_autoptr(GPtrArray) objects =
        host_objects_list(driver_host_objects(root->driver), branch->kind, 0, NULL);

    for (guint i = 0; i < objects->len; i++)
        g_ptr_array_add(nodes, dbus_path_host_node(objects->pdata[i]));
}

static const Branch branches[N_BRANCHES] = {
    { "domain", { &org_libvirt_domain_interface, &org_vmctl_domain_interface }, add_domains },
    { "domainsnapshot", { &org_libvirt_domain_snapshot_interface }, add_snapshots },
    { "network", { &org_libvirt_network_interface }, add_host_objects, HOST_NETWORK },
    { "storagepool", { &org_libvirt_storage_pool_interface }, add_host_objects, HOST_POOL },
    { "interface", { &org_libvirt_interface_interface }, add_host_objects, HOST_INTERFACE },
    { "nodedev", { &org_libvirt_node_device_interface }, add_host_objects, HOST_NODE_DEVICE },
};

/* The branch that @path is, or is on: it is one of those that are registered. */
static const Branch *
branch_at(const DbusRoot *root, const char *path)
{
    const char *name = path + strlen(root->path) + 1;
    gsize length = strcspn(name, "/");

    for (gsize i = 0; i < N_BRANCHES; i++) {
        if (strlen(branches[i].name) == length && memcmp(branches[i].name, name, length) == 0)
            return &branches[i];
    }
    g_assert_not_reached();
}

static char **
enumerate_branch(GDBusConnection *bus, const char *sender, const char *path, gpointer data)
{
    DbusRoot *root = data;
    gboolean may_know = !root->access || access_is_trusted(root->access, sender);
    const Branch *branch = branch_at(root, path);
    GPtrArray *nodes = g_ptr_array_new();

    if (may_know)
        branch->add_nodes(root, branch, nodes);
    g_ptr_array_add(nodes, NULL);
    return (char **)g_ptr_array_free(nodes, FALSE);
}

static GDBusInterfaceInfo **
introspect_node(GDBusConnection *bus, const char *sender, const char *path, const char *node,
                gpointer data)
{
    GDBusInterfaceInfo **infos;

    if (!node)
        return NULL; /* the branch itself is only a way to what is on it */
    infos = g_new0(GDBusInterfaceInfo *, G_N_ELEMENTS(branches->interfaces) + 1);
    memcpy(infos, branch_at(data, path)->interfaces, sizeof(branches->interfaces));
    return infos;
}

static const GDBusInterfaceVTable *
dispatch_node(GDBusConnection *bus, const char *sender, const char *path, const char *interface,
              const char *node, gpointer *ret_data, gpointer data)
{
    *ret_data = data;
    return node ? &object_vtable : NULL;
}

static const GDBusSubtreeVTable branch_vtable = {
    .enumerate = enumerate_branch,
    .introspect = introspect_node,
    .dispatch = dispatch_node,
};

/* The root */

static guint
register_interface(DbusRoot *root, const GDBusInterfaceInfo *info, GError **error)
{
    return g_dbus_connection_register_object(root->bus, root->path, (GDBusInterfaceInfo *)info,
                                             &object_vtable, root, NULL, error);
}

static guint
register_branch(DbusRoot *root, const Branch *branch, GError **error)
{
    g_autofree char *path = g_strjoin("/", root->path, branch->name, NULL);

    return g_dbus_connection_register_subtree(root->bus, path, &branch_vtable,
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
    for (gsize i = 0; i < N_BRANCHES; i++) {
        root->branch_ids[i] = register_branch(root, &branches[i], error);
        if (!root->branch_ids[i])
            return NULL;
    }
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
    for (gsize i = 0; i < N_BRANCHES; i++) {
        if (root->branch_ids[i])
            g_dbus_connection_unregister_subtree(root->bus, root->branch_ids[i]);
    }
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
