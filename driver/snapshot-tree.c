#include "driver/snapshot-tree.h"

#include "driver/error.h"

#include <libvirt/libvirt.h>
#include <string.h>

static void
snapshot_free(gpointer data)
{
    Snapshot *snapshot = data;

    snapshot_def_free(snapshot->def);
    g_queue_clear(&snapshot->children);
    g_free(snapshot);
}

SnapshotTree *
snapshot_tree_new(void)
{
    SnapshotTree *tree = g_new0(SnapshotTree, 1);

    tree->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, snapshot_free);
    return tree;
}

void
snapshot_tree_free(SnapshotTree *tree)
{
    if (!tree)
        return;
    g_queue_clear(&tree->root.children);
    g_hash_table_unref(tree->by_name);
    g_free(tree);
}

guint
snapshot_tree_size(const SnapshotTree *tree)
{
    return tree ? g_hash_table_size(tree->by_name) : 0;
}

Snapshot *
snapshot_tree_find(const SnapshotTree *tree, const char *name)
{
    return tree && name ? g_hash_table_lookup(tree->by_name, name) : NULL;
}

/* Growing */

gboolean
snapshot_tree_check_parent(const SnapshotTree *tree, const SnapshotDef *def, GError **error)
{
    const Snapshot *above = snapshot_tree_find(tree, def->parent);

    if (!def->parent)
        return TRUE;
    if (strcmp(def->name, def->parent) == 0)
        return driver_error(error, VIR_ERR_INVALID_ARG, "cannot set moment %s as its own parent",
                            def->name);
    if (!above)
        return driver_error(error, VIR_ERR_INVALID_ARG, "parent %s for moment %s not found",
                            def->parent, def->name);
    for (; above->def->parent; above = above->parent) {
        if (strcmp(above->def->parent, def->name) == 0)
            return driver_error(error, VIR_ERR_INVALID_ARG, "parent %s would create cycle to %s",
                                above->def->name, def->name);
    }
    return TRUE;
}

static void
link_to(Snapshot *snapshot, Snapshot *parent)
{
    snapshot->parent = parent;
    g_queue_push_head(&parent->children, snapshot);
}

static void
unlink_from_parent(Snapshot *snapshot)
{
    g_queue_remove(&snapshot->parent->children, snapshot);
}

/* The name, by which it is found, belongs to what is replaced. */
static Snapshot *
replace(SnapshotTree *tree, Snapshot *snapshot, SnapshotDef *def)
{
    g_hash_table_steal(tree->by_name, def->name);
    unlink_from_parent(snapshot);
    snapshot_def_free(snapshot->def);
    return snapshot;
}

Snapshot *
snapshot_tree_put(SnapshotTree *tree, SnapshotDef *def)
{
    Snapshot *parent = snapshot_tree_find(tree, def->parent);
    Snapshot *snapshot = snapshot_tree_find(tree, def->name);

    snapshot = snapshot ? replace(tree, snapshot, def) : g_new0(Snapshot, 1);
    snapshot->def = def;
    g_hash_table_insert(tree->by_name, def->name, snapshot);
    link_to(snapshot, parent ? parent : &tree->root);
    return snapshot;
}

/* Cutting */

static void
hand_down(Snapshot *from, Snapshot *to)
{
    Snapshot *child;

    while ((child = g_queue_pop_tail(&from->children))) {
        g_free(child->def->parent);
        child->def->parent = to->def ? g_strdup(to->def->name) : NULL;
        link_to(child, to);
    }
}

static void
drop(SnapshotTree *tree, Snapshot *snapshot)
{
    g_hash_table_remove(tree->by_name, snapshot->def->name);
}

void
snapshot_tree_remove(SnapshotTree *tree, Snapshot *snapshot)
{
    Snapshot *parent = snapshot->parent;

    unlink_from_parent(snapshot);
    hand_down(snapshot, parent);
    if (tree->current == snapshot)
        tree->current = parent->def ? parent : NULL;
    drop(tree, snapshot);
}

/* All that grew from @from, each before what grew from it: a walk without recursion, for a chain may be long. */
static GPtrArray *
descendants(const Snapshot *from)
{
    GPtrArray *found = g_ptr_array_new();
    GQueue next = G_QUEUE_INIT;
    Snapshot *snapshot;

    for (const GList *at = from->children.tail; at; at = at->prev)
        g_queue_push_head(&next, at->data);
    while ((snapshot = g_queue_pop_head(&next))) {
        g_ptr_array_add(found, snapshot);
        for (const GList *at = snapshot->children.tail; at; at = at->prev)
            g_queue_push_head(&next, at->data);
    }
    return found;
}

void
snapshot_tree_remove_descendants(SnapshotTree *tree, Snapshot *snapshot)
{
    g_autoptr(GPtrArray) all = descendants(snapshot);

    for (guint i = 0; i < all->len; i++) {
        if (tree->current == g_ptr_array_index(all, i))
            tree->current = snapshot;
        drop(tree, g_ptr_array_index(all, i));
    }
    g_queue_clear(&snapshot->children);
}

/* Listing */

static gboolean
has_metadata(const Snapshot *snapshot)
{
    return TRUE; /* there is no other way to know of one */
}

static gboolean
is_leaf(const Snapshot *snapshot)
{
    return snapshot->children.length == 0;
}

static gboolean
is_branch(const Snapshot *snapshot)
{
    return !is_leaf(snapshot);
}

static gboolean
is_inactive(const Snapshot *snapshot)
{
    return snapshot->def->state == SNAPSHOT_SHUTOFF;
}

static gboolean
is_disk_only(const Snapshot *snapshot)
{
    return snapshot->def->state == SNAPSHOT_DISK_ONLY;
}

static gboolean
is_active(const Snapshot *snapshot)
{
    return !is_inactive(snapshot) && !is_disk_only(snapshot);
}

static gboolean
is_external(const Snapshot *snapshot)
{
    return snapshot_def_is_external(snapshot->def);
}

static gboolean
is_internal(const Snapshot *snapshot)
{
    return !is_external(snapshot);
}

/* Each group is a question: none of its flags, or one that is the answer. */
static const struct {
    guint group;
    guint flag;
    gboolean (*is)(const Snapshot *snapshot);
} filters[] = {
    { 0, VIR_DOMAIN_SNAPSHOT_LIST_METADATA, has_metadata },
    { 0, VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA, NULL },
    { 1, VIR_DOMAIN_SNAPSHOT_LIST_LEAVES, is_leaf },
    { 1, VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES, is_branch },
    { 2, VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE, is_inactive },
    { 2, VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE, is_active },
    { 2, VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY, is_disk_only },
    { 3, VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL, is_internal },
    { 3, VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL, is_external },
};

static gboolean
passes(const Snapshot *snapshot, guint flags)
{
    guint asked = 0, answered = 0; /* groups, a bit each */

    for (gsize i = 0; i < G_N_ELEMENTS(filters); i++) {
        if (!(flags & filters[i].flag))
            continue;
        asked |= 1u << filters[i].group;
        if (filters[i].is && filters[i].is(snapshot))
            answered |= 1u << filters[i].group;
    }
    return asked == answered;
}

static GPtrArray *
children_of(const Snapshot *from)
{
    GPtrArray *found = g_ptr_array_new();

    for (const GList *at = from->children.head; at; at = at->next)
        g_ptr_array_add(found, at->data);
    return found;
}

GPtrArray *
snapshot_tree_list(const SnapshotTree *tree, const Snapshot *from, guint flags)
{
    /* The one bit means the one or the other, and without it each is the other's way round. */
    gboolean deep = from ? (flags & VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS) != 0
                         : !(flags & VIR_DOMAIN_SNAPSHOT_LIST_ROOTS);
    g_autoptr(GPtrArray) all = NULL;
    GPtrArray *found = g_ptr_array_new();

    if (!tree)
        return found;
    if (!from)
        from = &tree->root;
    all = deep ? descendants(from) : children_of(from);
    for (guint i = 0; i < all->len; i++) {
        if (passes(g_ptr_array_index(all, i), flags))
            g_ptr_array_add(found, g_ptr_array_index(all, i));
    }
    return found;
}
