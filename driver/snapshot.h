/* snapshot: a domain's snapshots: finding and telling of them, making them, going back to them, deleting them.
 *
 * A snapshot goes by its name, which is its own within the domain. What these functions answer with is borrowed, and there
 * until the domain's snapshots next change. @flags are those of the virDomainSnapshot function of the same name, unknown
 * ones refused. Domains whose backend (snapshot-backend.h) makes none have none.
 */
#pragma once

#include "driver/domain.h"

typedef struct Snapshot Snapshot;

const char *snapshot_name(const Snapshot *snapshot);

/* Finding: NULL with VIR_ERR_NO_DOMAIN_SNAPSHOT. */
const Snapshot *domain_find_snapshot(const Domain *domain, const char *name, GError **error);
const Snapshot *domain_current_snapshot(const Domain *domain, guint flags, GError **error);
/* Of Snapshot, parents before what grew from them: all, or those below @from. Free with g_ptr_array_unref(). */
GPtrArray *domain_list_snapshots(const Domain *domain, const Snapshot *from, guint flags,
                                 GError **error);
guint domain_n_snapshots(const Domain *domain);

/* Telling. */
const Snapshot *snapshot_parent(const Snapshot *snapshot, guint flags, GError **error);
char *snapshot_xml(const Snapshot *snapshot, guint flags, GError **error); /* for g_free() */
gboolean domain_snapshot_is_current(const Domain *domain, const Snapshot *snapshot, guint flags,
                                    gboolean *ret, GError **error);

/* Doing. */
typedef void (*SnapshotDone)(gpointer data, const Snapshot *snapshot, const GError *error);
void domain_snapshot_create(Domain *domain, const char *xml, guint flags, SnapshotDone done,
                            gpointer data);
void domain_snapshot_revert(Domain *domain, const char *name, guint flags, DomainDone done,
                            gpointer data);
void domain_snapshot_delete(Domain *domain, const char *name, guint flags, DomainDone done,
                            gpointer data);
