#include "daemon/dbus-branches.h"

#include "daemon/dbus-path.h"
#include "schemas/interfaces.h"

#include <libvirt/libvirt.h>
#include <string.h>

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

static const Branch branches[DBUS_BRANCHES] = {
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

    for (gsize i = 0; i < DBUS_BRANCHES; i++) {
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
    const DbusRoot *root = data;

    *ret_data = data;
    return node ? root->vtable : NULL;
}

static const GDBusSubtreeVTable branch_vtable = {
    .enumerate = enumerate_branch,
    .introspect = introspect_node,
    .dispatch = dispatch_node,
};

static guint
register_branch(DbusRoot *root, const Branch *branch, GError **error)
{
    g_autofree char *path = g_strjoin("/", root->path, branch->name, NULL);

    return g_dbus_connection_register_subtree(root->bus, path, &branch_vtable,
                                              G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                              root, NULL, error);
}

gboolean
dbus_branches_register(DbusRoot *root, GError **error)
{
    for (gsize i = 0; i < DBUS_BRANCHES; i++) {
        root->branch_ids[i] = register_branch(root, &branches[i], error);
        if (!root->branch_ids[i])
            return FALSE;
    }
    return TRUE;
}

void
dbus_branches_unregister(DbusRoot *root)
{
    for (gsize i = 0; i < DBUS_BRANCHES; i++) {
        if (root->branch_ids[i])
            g_dbus_connection_unregister_subtree(root->bus, root->branch_ids[i]);
    }
}
