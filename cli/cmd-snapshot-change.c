/* The commands that do something with a snapshot: snapshot-delete, snapshot-edit, snapshot-revert. */
#include "cli/commands.h"

#include "cli/editor.h"
#include "cli/output.h"
#include "cli/snapshot.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* delete */

static const ArgsFlag delete_flags[] = {
    { "children", VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN },
    { "children-only", VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY },
    { "metadata", VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY },
    { NULL, 0 },
};

static gboolean
run_delete(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(Snapshot) snapshot =
        domain ? snapshot_from_args(domain, args, "snapshotname", TRUE, error) : NULL;

    if (!snapshot)
        return FALSE;
    if (!snapshot_do(snapshot, "Delete", args_flags(args, delete_flags), error)) {
        output_error(_("Failed to delete snapshot %s"), snapshot->name);
        return FALSE;
    }
    if (args_has(args, "children-only"))
        output_extra(_("Domain snapshot %s children deleted\n"), snapshot->name);
    else
        output_extra(_("Domain snapshot %s deleted\n"), snapshot->name);
    return TRUE;
}

static const Option delete_options[] = {
    OPTION_DOMAIN_ANY,
    OPTION_SNAPSHOT,
    { "current", OPTION_BOOL, 0, N_("the current snapshot") },
    { "children", OPTION_BOOL, 0, N_("with all that grew from it") },
    { "children-only", OPTION_BOOL, 0, N_("only what grew from it") },
    { "metadata", OPTION_BOOL, 0, N_("forget it, and leave what is in it") },
    { NULL },
};

const Command command_snapshot_delete = {
    "snapshot-delete",
    N_("delete a snapshot of a domain"),
    N_("What grew from it grows from its parent then."),
    delete_options,
    run_delete,
    COMMAND_CHANGES,
};

/* revert */

static const ArgsFlag revert_flags[] = {
    { "running", VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING },
    { "paused", VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED },
    { "reset-nvram", VIR_DOMAIN_SNAPSHOT_REVERT_RESET_NVRAM },
    { NULL, 0 },
};

/* What is risky is forced only where the daemon says that it is. */
static gboolean
revert(const Snapshot *snapshot, const Args *args, GError **error)
{
    guint flags = args_flags(args, revert_flags);
    GError *failure = NULL;

    if (snapshot_do(snapshot, "Revert", flags, &failure))
        return TRUE;
    if (args_has(args, "force") && strstr(failure->message, "revert requires force")) {
        g_clear_error(&failure);
        return snapshot_do(snapshot, "Revert", flags | VIR_DOMAIN_SNAPSHOT_REVERT_FORCE, error);
    }
    g_propagate_error(error, failure);
    return FALSE;
}

static gboolean
run_revert(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(Snapshot) snapshot =
        domain ? snapshot_from_args(domain, args, "snapshotname", TRUE, error) : NULL;

    if (!snapshot)
        return FALSE;
    if (!revert(snapshot, args, error)) {
        output_error(_("Failed to revert snapshot %s"), snapshot->name);
        return FALSE;
    }
    output_extra(_("Domain snapshot %s reverted\n"), snapshot->name);
    return TRUE;
}

static const Option revert_options[] = {
    OPTION_DOMAIN_ANY,
    OPTION_SNAPSHOT,
    { "current", OPTION_BOOL, 0, N_("the current snapshot") },
    { "running", OPTION_BOOL, 0, N_("the domain runs then, whatever it did at that time") },
    { "paused", OPTION_BOOL, 0, N_("the domain is paused then") },
    { "force", OPTION_BOOL, 0, N_("also where that is risky") },
    { "reset-nvram", OPTION_BOOL, 0, N_("with a new NVRAM file from its template") },
    { NULL },
};

const Command command_snapshot_revert = {
    "snapshot-revert",
    N_("go back to a snapshot of a domain"),
    N_("What the domain has become since is lost, unless there is a snapshot of it."),
    revert_options,
    run_revert,
    COMMAND_CHANGES,
};

/* edit */

typedef struct Edit {
    const Snapshot *snapshot;
    guint flags;      /* of the new document */
    Snapshot *edited; /* what came of it; NULL: nothing yet */
} Edit;

static char *
get(gpointer data, GError **error)
{
    Edit *edit = data;

    return snapshot_redefinition(edit->snapshot, &edit->flags, error);
}

static gboolean
set(gpointer data, const char *xml, GError **error)
{
    Edit *edit = data;

    g_clear_pointer(&edit->edited, snapshot_free);
    edit->edited = snapshot_create(edit->snapshot->domain, xml, edit->flags, error);
    return edit->edited != NULL;
}

/* A new name is a second snapshot: both stay, or only one. FALSE has said so, before what follows from it is said. */
static gboolean
settle_name(const Edit *edit, const Args *args)
{
    const Snapshot *was = edit->snapshot, *edited = edit->edited;
    gboolean renames = args_has(args, "rename");
    const Snapshot *other = renames ? was : edited;
    g_autoptr(GError) error = NULL;

    if (strcmp(was->name, edited->name) == 0) {
        output_extra(_("Snapshot %s edited.\n"), was->name);
        return TRUE;
    }
    if (args_has(args, "clone")) {
        output_extra(_("Snapshot %s cloned to %s.\n"), was->name, edited->name);
        return TRUE;
    }
    if (!snapshot_do(other, "Delete", VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY, &error)) {
        output_gerror(error);
        output_error(_("Failed to clean up %s"), other->name);
        return FALSE;
    }
    if (!renames)
        output_error(_("Must use --rename or --clone to change %s to %s"), was->name, edited->name);
    return renames;
}

static gboolean
edit_document(Edit *edit, const Args *args, GError **error)
{
    const Editable document = { get, set, edit };
    gboolean changed = FALSE;
    g_autofree char *same = NULL;

    if (!editor_edit(&document, &changed, error))
        return FALSE;
    if (!changed && !(edit->flags & VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT)) {
        output_extra(_("Snapshot %s XML configuration not changed.\n"), edit->snapshot->name);
        return TRUE;
    }
    if (!changed && (!(same = get(edit, error)) || !set(edit, same, error)))
        return FALSE;
    return settle_name(edit, args);
}

static gboolean
run_edit(Session *session, const Args *args, GError **error)
{
    gboolean becomes_current = args_has(args, "current") && args_has(args, "snapshotname");
    g_autoptr(Domain) domain = NULL;
    g_autoptr(Snapshot) snapshot = NULL;
    Edit edit = { .flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE };
    gboolean done;

    if (!args_exclusive(args, "rename", "clone", error) ||
        !(domain = domain_from_args(session, args, error)) ||
        !(snapshot = snapshot_from_args(domain, args, "snapshotname", FALSE, error)))
        return FALSE;
    edit.snapshot = snapshot;
    if (becomes_current)
        edit.flags |= VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT;
    done = edit_document(&edit, args, error);
    snapshot_free(edit.edited);
    if (!done)
        output_error(_("Failed to update %s"), snapshot->name);
    return done;
}

static const Option edit_options[] = {
    OPTION_DOMAIN_ANY,
    OPTION_SNAPSHOT,
    { "current", OPTION_BOOL, 0, N_("the current snapshot; or make the one that is named it") },
    { "rename", OPTION_BOOL, 0, N_("another name may be given to it") },
    { "clone", OPTION_BOOL, 0, N_("with another name it becomes a second one") },
    { NULL },
};

const Command command_snapshot_edit = {
    "snapshot-edit",
    N_("edit the document of a snapshot"),
    N_("The editor is $VISUAL, $EDITOR or vi."),
    edit_options,
    run_edit,
    COMMAND_CHANGES,
};
