/* snapshot-backend: who does the work of a snapshot: a row of functions for each kind of domain.
 *
 * What a snapshot tells, which grew from which and who may ask for what is the same for all of them: snapshot.c. The
 * functions run under the domain's job; each ends its verb (verb.h).
 */
#pragma once

#include "driver/snapshot-tree.h"
#include "driver/verb.h"

typedef struct SnapshotBackend {
    guint create_flags, revert_flags, delete_flags; /* those that it knows */
    /* "the test driver", for what it cannot do. */
    const char *name;
    /* Makes what @def, which is complete and now its own, describes, and hands it on to snapshot_made(). */
    void (*create)(Verb *verb, SnapshotDef *def);
    /* Goes back to @snapshot. */
    void (*revert)(Verb *verb, const Snapshot *snapshot);
    /* Deletes what @snapshot alone needs, before it is taken out of the tree. */
    gboolean (*discard)(Domain *domain, const Snapshot *snapshot, GError **error);
} SnapshotBackend;

/* NULL: it has none, and can have none. */
const SnapshotBackend *snapshot_backend(const Domain *domain);

/* What @def describes is there: it is the domain's current snapshot. Takes @def over, and ends the verb. */
void snapshot_made(Verb *verb, SnapshotDef *def);

extern const SnapshotBackend snapshot_sim; /* the test driver's */
