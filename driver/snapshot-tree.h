/* snapshot-tree: the snapshots of one domain: which grew from which, and which of them the domain stands on now. */
#pragma once

#include "driver/snapshot-def.h"

typedef struct Snapshot Snapshot;
struct Snapshot {
    SnapshotDef *def;
    Snapshot *parent; /* the tree's root for one without */
    GQueue children;  /* of Snapshot, the latest first */
};

typedef struct SnapshotTree {
    GHashTable *by_name; /* owns them */
    Snapshot root;       /* no snapshot: has those without a parent below it */
    Snapshot *current;   /* NULL: none */
} SnapshotTree;

SnapshotTree *snapshot_tree_new(void);
void snapshot_tree_free(SnapshotTree *tree);

guint snapshot_tree_size(const SnapshotTree *tree);
Snapshot *snapshot_tree_find(const SnapshotTree *tree, const char *name);

/* Whether @def can be put in: its parent is there, and does not stem from it. */
gboolean snapshot_tree_check_parent(const SnapshotTree *tree, const SnapshotDef *def,
                                    GError **error);
/* Puts it in, or in the place of one of the same name, whose children stay. Takes @def over. */
Snapshot *snapshot_tree_put(SnapshotTree *tree, SnapshotDef *def);
/* Takes it out; what grew from it grows from its parent then. Where it is current, that parent is. */
void snapshot_tree_remove(SnapshotTree *tree, Snapshot *snapshot);
/* Takes out all that grew from it. Where one of them is current, it is itself. */
void snapshot_tree_remove_descendants(SnapshotTree *tree, Snapshot *snapshot);

/* Those that pass the VIR_DOMAIN_SNAPSHOT_LIST_* filter @flags: of @from's children, or with _DESCENDANTS of all that
 * grew from it; where it is NULL, of all, or with _ROOTS of those without a parent. Parents come before their children.
 * Free with g_ptr_array_unref(). */
GPtrArray *snapshot_tree_list(const SnapshotTree *tree, const Snapshot *from, guint flags);
/* The flags that snapshot_tree_list() knows, but for _ROOTS and _DESCENDANTS, which are one bit. */
#define SNAPSHOT_LIST_FLAGS                                                                        \
    (VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL | VIR_DOMAIN_SNAPSHOT_LIST_LEAVES |                      \
     VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES | VIR_DOMAIN_SNAPSHOT_LIST_METADATA |                      \
     VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA | VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE |                    \
     VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE | VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY |                        \
     VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL | VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL)
