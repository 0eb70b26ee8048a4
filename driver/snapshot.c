#include "driver/snapshot.h"

#include "driver/device.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/snapshot-backend.h"
#include "driver/snapshot-private.h"
#include "driver/snapshot-xml.h"

#include <libvirt/libvirt.h>

const SnapshotBackend *
snapshot_backend(const Domain *domain)
{
    return domain_is_simulated(domain) ? &snapshot_sim : NULL;
}

const char *
snapshot_name(const Snapshot *snapshot)
{
    return snapshot->def->name;
}

/* Finding */

static Snapshot *
find(const Domain *domain, const char *name, GError **error)
{
    Snapshot *snapshot = snapshot_tree_find(domain->snapshots, name);

    if (!snapshot)
        driver_error(error, VIR_ERR_NO_DOMAIN_SNAPSHOT,
                     "no domain snapshot with matching name '%s'", name);
    return snapshot;
}

const Snapshot *
domain_find_snapshot(const Domain *domain, const char *name, GError **error)
{
    return find(domain, name, error);
}

const Snapshot *
domain_current_snapshot(const Domain *domain, guint flags, GError **error)
{
    const Snapshot *current = domain->snapshots ? domain->snapshots->current : NULL;

    if (!driver_check_flags(flags, 0, "virDomainSnapshotCurrent", error))
        return NULL;
    if (!current)
        driver_error(error, VIR_ERR_NO_DOMAIN_SNAPSHOT,
                     "the domain does not have a current snapshot");
    return current;
}

GPtrArray *
domain_list_snapshots(const Domain *domain, const Snapshot *from, guint flags, GError **error)
{
    const char *function = from ? "virDomainSnapshotListAllChildren" : "virDomainListAllSnapshots";

    if (!driver_check_flags(flags, SNAPSHOT_LIST_FLAGS | VIR_DOMAIN_SNAPSHOT_LIST_ROOTS, function,
                            error))
        return NULL;
    return snapshot_tree_list(domain->snapshots, from, flags);
}

guint
domain_n_snapshots(const Domain *domain)
{
    return snapshot_tree_size(domain->snapshots);
}

/* Telling */

const Snapshot *
snapshot_parent(const Snapshot *snapshot, guint flags, GError **error)
{
    if (!driver_check_flags(flags, 0, "virDomainSnapshotGetParent", error))
        return NULL;
    if (snapshot->parent->def)
        return snapshot->parent;
    driver_error(error, VIR_ERR_NO_DOMAIN_SNAPSHOT, "snapshot '%s' does not have a parent",
                 snapshot->def->name);
    return NULL;
}

char *
snapshot_xml(const Snapshot *snapshot, guint flags, GError **error)
{
    if (!driver_check_flags(flags, VIR_DOMAIN_SNAPSHOT_XML_SECURE, "virDomainSnapshotGetXMLDesc",
                            error))
        return NULL;
    return snapshot_xml_format(snapshot->def,
                               flags & VIR_DOMAIN_SNAPSHOT_XML_SECURE ? DOMAIN_FORMAT_SECURE : 0);
}

gboolean
domain_snapshot_is_current(const Domain *domain, const Snapshot *snapshot, guint flags,
                           gboolean *ret, GError **error)
{
    if (!driver_check_flags(flags, 0, "virDomainSnapshotIsCurrent", error))
        return FALSE;
    *ret = domain->snapshots && domain->snapshots->current == snapshot;
    return TRUE;
}

/* Doing: what is the same for all that is done */

gboolean
snapshot_check_backend(const Domain *domain, const char *function, GError **error)
{
    return snapshot_backend(domain) || driver_error(error, VIR_ERR_NO_SUPPORT, "%s", function);
}

gboolean
snapshot_check_exclusive(guint flags, guint one, const char *one_name, guint other,
                         const char *other_name, GError **error)
{
    return !(flags & one && flags & other) ||
           driver_error_argument(error, "Flags '%s' and '%s' are mutually exclusive", one_name,
                                 other_name);
}

/* A verb about the snapshot that its detail names. */
static void
begin_about(Domain *domain, const char *job, const char *name, guint flags,
            void (*begin)(Verb *verb), DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail = g_strdup(name),
        .detail_free = g_free,
        .begin = begin,
        .done = done,
        .data = data,
    };

    verb_start(job, &verb);
}

/* Going back */

static gboolean
check_revert(const Verb *verb, const Snapshot *snapshot, GError **error)
{
    const guint runs = VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED;

    return domain_is_persistent(verb->domain) || snapshot_def_runs(snapshot->def) ||
           verb->flags & runs ||
           driver_error(error, VIR_ERR_OPERATION_INVALID,
                        "transient domain needs to request run or pause to revert to inactive "
                        "snapshot");
}

static void
revert_begin(Verb *verb)
{
    g_autoptr(GError) error = NULL;
    const Snapshot *snapshot = find(verb->domain, verb->detail, &error);

    if (snapshot && check_revert(verb, snapshot, &error))
        snapshot_backend(verb->domain)->revert(verb, snapshot);
    else
        verb_finish(verb, error);
}

void
domain_snapshot_revert(Domain *domain, const char *name, guint flags, DomainDone done,
                       gpointer data)
{
    static const char function[] = "virDomainRevertToSnapshot";
    g_autoptr(GError) error = NULL;

    if (snapshot_check_exclusive(
            flags, VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING, "VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING",
            VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED, "VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED", &error) &&
        snapshot_check_backend(domain, function, &error) &&
        driver_check_flags(flags, snapshot_backend(domain)->revert_flags, function, &error))
        begin_about(domain, "revert to snapshot", name, flags, revert_begin, done, data);
    else
        done(data, error);
}

/* Deleting */

static gboolean
discard_all(Domain *domain, const GPtrArray *snapshots, GError **error)
{
    const SnapshotBackend *backend = snapshot_backend(domain);

    for (guint i = snapshots->len; i-- > 0;) { /* the last ones first: nothing grows from them */
        if (!backend->discard(domain, g_ptr_array_index(snapshots, i), error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
delete_snapshot(Domain *domain, Snapshot *snapshot, guint flags, GError **error)
{
    SnapshotTree *tree = domain->snapshots;

    if (flags & (VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)) {
        g_autoptr(GPtrArray) all =
            snapshot_tree_list(tree, snapshot, VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS);

        if (!discard_all(domain, all, error))
            return FALSE;
        snapshot_tree_remove_descendants(tree, snapshot);
    }
    if (flags & VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY)
        return TRUE;
    if (!snapshot_backend(domain)->discard(domain, snapshot, error))
        return FALSE;
    snapshot_tree_remove(tree, snapshot);
    return TRUE;
}

static void
delete_begin(Verb *verb)
{
    g_autoptr(GError) error = NULL;
    Snapshot *snapshot = find(verb->domain, verb->detail, &error);

    if (snapshot)
        delete_snapshot(verb->domain, snapshot, verb->flags, &error);
    verb_finish(verb, error);
}

void
domain_snapshot_delete(Domain *domain, const char *name, guint flags, DomainDone done,
                       gpointer data)
{
    static const char function[] = "virDomainSnapshotDelete";
    g_autoptr(GError) error = NULL;

    if (snapshot_check_exclusive(flags, VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN,
                                 "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN",
                                 VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY,
                                 "VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY", &error) &&
        snapshot_check_backend(domain, function, &error) &&
        driver_check_flags(flags, snapshot_backend(domain)->delete_flags, function, &error))
        begin_about(domain, "delete snapshot", name, flags, delete_begin, done, data);
    else
        done(data, error);
}
