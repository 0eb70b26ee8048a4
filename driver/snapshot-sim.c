/* snapshot-sim: the test driver's snapshots: what they tell is all that there is of them. Going back to one ends the
 * guest, where there is one, and starts another, as libvirt's test driver does.
 */
#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/launch.h"
#include "driver/snapshot-backend.h"

typedef struct Revert {
    Verb *verb;
    char *name; /* of the snapshot */
    DomainDef *def;
    gboolean starts, paused;
} Revert;

/* A transient domain that does not run is none. */
static void
revert_finish(Revert *revert, const GError *error)
{
    Domain *domain = revert->verb->domain;
    SnapshotTree *tree = domain->snapshots;

    if (!error)
        tree->current = snapshot_tree_find(tree, revert->name);
    if (!domain_is_active(domain) && !domain_is_persistent(domain))
        domain_list_remove(domain->host->list, domain);
    verb_finish(revert->verb, error);
    domain_def_free(revert->def);
    g_free(revert->name);
    g_free(revert);
}

/* Step 3: it runs, or not. */
static void
launched(gpointer data, const GError *error)
{
    revert_finish(data, error);
}

/* Step 2: no guest runs. */
static void
ended(gpointer data, const GError *unused)
{
    Revert *revert = data;
    Domain *domain = revert->verb->domain;
    const LaunchPlan plan = {
        .def = revert->def,
        .flags = revert->paused ? VIR_DOMAIN_START_PAUSED : 0,
        .from_snapshot = TRUE,
    };
    g_autoptr(GError) error = NULL;

    if (domain->removed)
        driver_error(&error, VIR_ERR_OPERATION_ABORTED, "the domain was destroyed meanwhile");
    else if (domain_is_persistent(domain))
        verb_save(revert->verb, domain_def_copy(revert->def), &error);
    if (error || !revert->starts)
        revert_finish(revert, error);
    else
        launch_begin(domain, &plan, launched, revert);
}

/* Step 1: the definition of then, by the name of today. */
static void
sim_revert(Verb *verb, const Snapshot *snapshot)
{
    const guint asked = VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED;
    gboolean was_paused = snapshot->def->state == SNAPSHOT_PAUSED;
    Domain *domain = verb->domain;
    Revert *revert = g_new0(Revert, 1);

    revert->verb = verb;
    revert->name = g_strdup(snapshot->def->name);
    revert->starts = snapshot_def_runs(snapshot->def) || verb->flags & asked;
    revert->paused =
        verb->flags & asked ? (verb->flags & VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED) != 0 : was_paused;
    revert->def = domain_def_copy(snapshot->def->domain);
    g_free(revert->def->name);
    revert->def->name = g_strdup(domain_name(domain));
    if (!domain_is_active(domain)) {
        ended(revert, NULL);
        return;
    }
    if (!domain->ending)
        domain->ending = DOMAIN_ENDS_REVERTED;
    domain_wait_end(domain, ended, revert);
    guest_kill(domain->guest);
}

static gboolean
sim_discard(Domain *domain, const Snapshot *snapshot, GError **error)
{
    return TRUE;
}

const SnapshotBackend snapshot_sim = {
    .create_flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT |
                    VIR_DOMAIN_SNAPSHOT_CREATE_HALT | VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE |
                    VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC | VIR_DOMAIN_SNAPSHOT_CREATE_LIVE |
                    VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE,
    .revert_flags = VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING | VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED |
                    VIR_DOMAIN_SNAPSHOT_REVERT_FORCE,
    .delete_flags = VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN | VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY,
    .name = "the test driver",
    .create = snapshot_made,
    .revert = sim_revert,
    .discard = sim_discard,
};
