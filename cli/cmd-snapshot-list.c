/* snapshot-list: a domain's snapshots, as a table, as a tree or as bare names. */
#include "cli/commands.h"

#include "cli/document.h"
#include "cli/output.h"
#include "cli/snapshot.h"
#include "cli/table.h"
#include "cli/tree.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* Those that no tree can be without. */
static const ArgsFlag filters[] = {
    { "leaves", VIR_DOMAIN_SNAPSHOT_LIST_LEAVES },
    { "no-leaves", VIR_DOMAIN_SNAPSHOT_LIST_NO_LEAVES },
    { "inactive", VIR_DOMAIN_SNAPSHOT_LIST_INACTIVE },
    { "active", VIR_DOMAIN_SNAPSHOT_LIST_ACTIVE },
    { "disk-only", VIR_DOMAIN_SNAPSHOT_LIST_DISK_ONLY },
    { "internal", VIR_DOMAIN_SNAPSHOT_LIST_INTERNAL },
    { "external", VIR_DOMAIN_SNAPSHOT_LIST_EXTERNAL },
    { NULL, 0 },
};

static const ArgsFlag other_flags[] = {
    { "roots", VIR_DOMAIN_SNAPSHOT_LIST_ROOTS },
    { "metadata", VIR_DOMAIN_SNAPSHOT_LIST_METADATA },
    { "no-metadata", VIR_DOMAIN_SNAPSHOT_LIST_NO_METADATA },
    { "topological", VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL },
    { "descendants", VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS },
    { NULL, 0 },
};

static gboolean
check_args(const Args *args, GError **error)
{
    static const char *const pairs[][2] = {
        { "tree", "name" },  { "parent", "roots" }, { "parent", "tree" },
        { "roots", "tree" }, { "roots", "from" },   { "roots", "current" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        if (!args_exclusive(args, pairs[i][0], pairs[i][1], error))
            return FALSE;
    }
    for (const ArgsFlag *filter = filters; filter->name && args_has(args, "tree"); filter++) {
        if (args_has(args, filter->name))
            return cli_fail(error, _("--%s and --tree are mutually exclusive"), filter->name);
    }
    return !args_has(args, "descendants") || args_has(args, "from") || args_has(args, "current") ||
           cli_fail(error, "%s", _("--descendants requires either --from or --current"));
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp((*(Snapshot *const *)a)->name, (*(Snapshot *const *)b)->name);
}

/* A tree below one snapshot shows it, too. */
static GPtrArray *
collect(Domain *domain, const Snapshot *from, const Args *args, GError **error)
{
    gboolean tree = args_has(args, "tree");
    guint flags = args_flags(args, filters) | args_flags(args, other_flags);
    GPtrArray *snapshots;

    if (from && tree)
        flags |= VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS;
    snapshots = snapshot_list(domain, from, flags, error);
    if (snapshots && from && tree)
        g_ptr_array_insert(snapshots, 0, snapshot_from_path(domain, from->path));
    if (snapshots && !args_has(args, "topological"))
        g_ptr_array_sort(snapshots, compare);
    return snapshots;
}

static gboolean
print_tree(const GPtrArray *snapshots, const Snapshot *from, GError **error)
{
    g_autofree TreeNode *nodes = g_new0(TreeNode, snapshots->len);
    g_autoptr(GPtrArray) parents = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < snapshots->len; i++) {
        const Snapshot *snapshot = snapshots->pdata[i];
        gboolean root = from && g_str_equal(snapshot->path, from->path);
        g_autofree char *xml = root ? g_strdup("") : snapshot_xml(snapshot, 0, error);

        if (!xml)
            return FALSE;
        nodes[i].name = snapshot->name;
        nodes[i].parent = document_find(xml, "domainsnapshot/parent/name", NULL);
        g_ptr_array_add(parents, (gpointer)nodes[i].parent);
    }
    tree_print(nodes, snapshots->len);
    return TRUE;
}

static char *
time_text(const char *seconds)
{
    gint64 number = seconds ? g_ascii_strtoll(seconds, NULL, 10) : 0;
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(number);

    return time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S %z") : NULL;
}

/* One that is gone by now is left out. */
static void
add_row(Table *table, const Snapshot *snapshot, gboolean with_parent)
{
    g_autofree char *xml = snapshot_xml(snapshot, 0, NULL);
    g_autofree char *state = xml ? document_find(xml, "domainsnapshot/state", NULL) : NULL;
    g_autofree char *seconds = xml ? document_find(xml, "domainsnapshot/creationTime", NULL) : NULL;
    g_autofree char *time = time_text(seconds);
    g_autofree char *parent = NULL;

    if (!state || !time)
        return;
    if (with_parent)
        parent = document_find(xml, "domainsnapshot/parent/name", NULL);
    table_add(table, (const char *const[]){ snapshot->name, time, state,
                                            with_parent ? (parent ? parent : "") : NULL, NULL });
}

static void
print_table(const GPtrArray *snapshots, gboolean with_parent)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "created", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "parent", TABLE_TEXT },
    };
    const char *titles[] = { _("Name"), _("Creation Time"), _("State"),
                             with_parent ? _("Parent") : NULL, NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (guint i = 0; i < snapshots->len; i++)
        add_row(table, snapshots->pdata[i], with_parent);
    table_print(table, keys);
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    gboolean below = args_has(args, "from") || args_has(args, "current");
    g_autoptr(Domain) domain = NULL;
    g_autoptr(Snapshot) from = NULL;
    g_autoptr(GPtrArray) snapshots = NULL;

    if (!check_args(args, error) || !(domain = domain_from_args(session, args, error)))
        return FALSE;
    if (below && !(from = snapshot_from_args(domain, args, "from", TRUE, error)))
        return FALSE;
    snapshots = collect(domain, from, args, error);
    if (!snapshots)
        return FALSE;
    if (output_is_json())
        print_table(snapshots, TRUE);
    else if (args_has(args, "tree"))
        return print_tree(snapshots, from, error);
    else if (!args_has(args, "name"))
        print_table(snapshots, args_has(args, "parent"));
    for (guint i = 0; i < snapshots->len && args_has(args, "name") && !output_is_json(); i++)
        output("%s\n", ((const Snapshot *)snapshots->pdata[i])->name);
    return TRUE;
}

static const Option options[] = {
    OPTION_DOMAIN_ANY,
    { "parent", OPTION_BOOL, 0, N_("show in the table what each grew from") },
    { "roots", OPTION_BOOL, 0, N_("only those without a parent") },
    { "leaves", OPTION_BOOL, 0, N_("only those without children") },
    { "no-leaves", OPTION_BOOL, 0, N_("only those with children") },
    { "metadata", OPTION_BOOL, 0, N_("only those that the daemon keeps something of") },
    { "no-metadata", OPTION_BOOL, 0, N_("only those that the daemon keeps nothing of") },
    { "inactive", OPTION_BOOL, 0, N_("only those of a domain that was shut off") },
    { "active", OPTION_BOOL, 0, N_("only those of a domain that ran, with its memory") },
    { "disk-only", OPTION_BOOL, 0, N_("only those without the memory of a domain that ran") },
    { "internal", OPTION_BOOL, 0, N_("only those that are in the disks' images") },
    { "external", OPTION_BOOL, 0, N_("only those with files of their own") },
    { "tree", OPTION_BOOL, 0, N_("draw them as a tree") },
    { "from", OPTION_STRING, 0, N_("only those that grew from this snapshot") },
    { "current", OPTION_BOOL, 0, N_("only those that grew from the current snapshot") },
    { "descendants", OPTION_BOOL, 0, N_("with --from or --current: children of children as well") },
    { "name", OPTION_BOOL, 0, N_("print names alone") },
    { "topological", OPTION_BOOL, 0, N_("parents before children, instead of by name") },
    { NULL },
};

const Command command_snapshot_list = {
    "snapshot-list", N_("list the snapshots of a domain"), NULL, options, run_list, COMMAND_JSON,
};
