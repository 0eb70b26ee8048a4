/* snapshot-create: a snapshot that is made, and one that is told of again (VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE). */
#include "driver/domain-xml-abi.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/snapshot-backend.h"
#include "driver/snapshot-private.h"
#include "driver/snapshot-xml.h"
#include "driver/snapshot.h"

#include <string.h>

/* The verb's detail, and its done's data: what is asked for, and who wants to know of what came of it. */
typedef struct Creation {
    Domain *domain;
    char *xml;
    char *name; /* of what was made; NULL: nothing yet */
    SnapshotDone done;
    gpointer data;
} Creation;

static void
creation_done(gpointer data, const GError *error)
{
    Creation *creation = data;
    const Snapshot *snapshot = snapshot_tree_find(creation->domain->snapshots, creation->name);

    creation->done(creation->data, error ? NULL : snapshot, error);
    domain_unref(creation->domain);
    g_free(creation->xml);
    g_free(creation->name);
    g_free(creation);
}

/* Takes @def over. */
static void
keep(Verb *verb, SnapshotDef *def, gboolean current)
{
    Domain *domain = verb->domain;
    Creation *creation = verb->data;
    Snapshot *snapshot;

    if (!domain->snapshots)
        domain->snapshots = snapshot_tree_new();
    snapshot = snapshot_tree_put(domain->snapshots, def);
    creation->name = g_strdup(def->name);
    if (current)
        domain->snapshots->current = snapshot;
}

/* One that is told of again */

static gboolean
check_same(const SnapshotDef *was, SnapshotDef *def, GError **error)
{
    if (snapshot_def_runs(was) != snapshot_def_runs(def))
        return driver_error(
            error, VIR_ERR_INVALID_ARG,
            "cannot change between online and offline snapshot state in snapshot %s", def->name);
    if ((was->state == SNAPSHOT_DISK_ONLY) != (def->state == SNAPSHOT_DISK_ONLY))
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "cannot change between disk only and full system in snapshot %s",
                            def->name);
    return !def->domain || domain_xml_carry_over(was->domain, def->domain, error);
}

static gboolean
check_redefined(const Domain *domain, SnapshotDef *def, const SnapshotDef *was, GError **error)
{
    if (!snapshot_tree_check_parent(domain->snapshots, def, error))
        return FALSE;
    if (def->domain && strcmp(def->domain->uuid, domain_uuid(domain)) != 0)
        return driver_error(error, VIR_ERR_INVALID_ARG,
                            "definition for snapshot %s must use uuid %s", def->name,
                            domain_uuid(domain));
    return !was || check_same(was, def, error);
}

/* A document that says nothing of the domain leaves it as it was. */
static gboolean
align_redefined(SnapshotDef *def, SnapshotDef *was, GError **error)
{
    gboolean external = def->state == SNAPSHOT_DISK_ONLY || snapshot_def_is_external(def);
    const DomainDef *domain = def->domain ? def->domain : was ? was->domain : NULL;

    if (!domain)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "missing domain in snapshot");
    if (!snapshot_def_align(def, domain, external ? SNAPSHOT_EXTERNAL : SNAPSHOT_INTERNAL, TRUE,
                            error) ||
        !snapshot_xml_check_written(def, error))
        return FALSE;
    if (!def->domain)
        def->domain = g_steal_pointer(&was->domain);
    return TRUE;
}

static void
redefine(Verb *verb, SnapshotDef *taken)
{
    g_autoptr(SnapshotDef) def = taken;
    Snapshot *there = snapshot_tree_find(verb->domain->snapshots, def->name);
    SnapshotDef *was = there ? there->def : NULL;
    g_autoptr(GError) error = NULL;

    if (check_redefined(verb->domain, def, was, &error) && align_redefined(def, was, &error))
        keep(verb, g_steal_pointer(&def), verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT);
    verb_finish(verb, error);
}

/* One that is made */

/* As the domain would be written down: nothing of it is open. */
static DomainDef *
definition_now(const Domain *domain, GError **error)
{
    g_autofree char *xml = domain_xml_format(domain_def(domain), -1, DOMAIN_FORMAT_SECURE);

    return domain_xml_parse(xml, error);
}

static gboolean
check_manual(const Domain *domain, const SnapshotDef *def, GError **error)
{
    for (guint i = 0; i < def->disks->len; i++) {
        const SnapshotDisk *disk = g_ptr_array_index(def->disks, i);

        if (disk->location == SNAPSHOT_MANUAL)
            return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                                "'manual' snapshot mode is not supported by %s",
                                snapshot_backend(domain)->name);
    }
    return TRUE;
}

/* What the document leaves open: where the memory goes follows from the state, where the disks go from the memory. */
static gboolean
complete(const Domain *domain, SnapshotDef *def, GError **error)
{
    gboolean external = def->memory == SNAPSHOT_EXTERNAL;

    def->domain = definition_now(domain, error);
    if (!def->domain || !check_manual(domain, def, error))
        return FALSE;
    def->state = (SnapshotState)domain->state;
    if (!external)
        def->memory = def->state == SNAPSHOT_SHUTOFF ? SNAPSHOT_NO : SNAPSHOT_INTERNAL;
    return snapshot_def_align(def, def->domain, external ? SNAPSHOT_EXTERNAL : SNAPSHOT_INTERNAL,
                              !external, error) &&
           snapshot_xml_check_written(def, error);
}

static gboolean
check_new(const Domain *domain, const SnapshotDef *def, GError **error)
{
    return !snapshot_tree_find(domain->snapshots, def->name) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "domain moment %s already exists",
                        def->name);
}

static void
make(Verb *verb, SnapshotDef *taken)
{
    g_autoptr(SnapshotDef) def = taken;
    const SnapshotTree *tree = verb->domain->snapshots;
    g_autoptr(GError) error = NULL;

    if (!complete(verb->domain, def, &error) || !check_new(verb->domain, def, &error)) {
        verb_finish(verb, error);
        return;
    }
    if (tree && tree->current)
        def->parent = g_strdup(tree->current->def->name);
    snapshot_backend(verb->domain)->create(verb, g_steal_pointer(&def));
}

void
snapshot_made(Verb *verb, SnapshotDef *def)
{
    Domain *domain = verb->domain;

    keep(verb, def, TRUE);
    if (!(verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_HALT) || !domain_is_active(domain)) {
        verb_finish(verb, NULL);
        return;
    }
    if (!domain->ending)
        domain->ending = DOMAIN_ENDS_HALTED;
    domain_wait_end(domain, verb_finished, verb);
    guest_kill(domain->guest);
}

/* Both */

static SnapshotDef *
read_document(const Verb *verb, GError **error)
{
    const DriverEnv *env = verb->domain->host->env;
    const Creation *creation = verb->data;
    g_autofree char *schema = g_build_filename(env->schema_dir, "domainsnapshot.rng", NULL);

    if (verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE &&
        !snapshot_xml_validate(creation->xml, schema, error))
        return NULL;
    return snapshot_xml_parse(creation->xml,
                              (verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE) != 0, error);
}

static void
create_begin(Verb *verb)
{
    gboolean halts = (verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_HALT) != 0;
    g_autoptr(GError) error = NULL;
    SnapshotDef *def;

    if (halts && !domain_is_persistent(verb->domain))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "cannot halt after transient domain snapshot");
    else if (!(def = read_document(verb, &error)))
        verb_finish(verb, error);
    else if (verb->flags & VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)
        redefine(verb, def);
    else
        make(verb, def);
}

static gboolean
check_create_flags(guint flags, GError **error)
{
    const guint redefine = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE;
    static const char name[] = "VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE";

    if (flags & VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT && !(flags & redefine))
        return driver_error_argument(error, "Flag '%s' is required by flag '%s'", name,
                                     "VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT");
    return snapshot_check_exclusive(flags, redefine, name, VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA,
                                    "VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA", error) &&
           snapshot_check_exclusive(flags, redefine, name, VIR_DOMAIN_SNAPSHOT_CREATE_HALT,
                                    "VIR_DOMAIN_SNAPSHOT_CREATE_HALT", error);
}

void
domain_snapshot_create(Domain *domain, const char *xml, guint flags, SnapshotDone done,
                       gpointer data)
{
    static const char function[] = "virDomainSnapshotCreateXML";
    g_autoptr(GError) error = NULL;
    Creation *creation;

    if (!check_create_flags(flags, &error) || !snapshot_check_backend(domain, function, &error) ||
        !driver_check_flags(flags, snapshot_backend(domain)->create_flags, function, &error)) {
        done(data, NULL, error);
        return;
    }
    creation = g_new0(Creation, 1);
    *creation = (Creation){ domain_ref(domain), g_strdup(xml), NULL, done, data };
    verb_start("create snapshot",
               &(Verb){ domain, flags, NULL, NULL, create_begin, creation_done, creation });
}
