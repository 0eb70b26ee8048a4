/* The commands about a guest's file systems, which its agent sees to: domfsinfo, domfsfreeze, domfsthaw, domfstrim. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>

static void
add_filesystem(Table *table, GVariant *entry)
{
    g_autofree const char **targets = NULL;
    g_autofree char *list = NULL;
    const char *mountpoint, *name, *type;

    g_variant_get(entry, "(&s&s&s^a&s)", &mountpoint, &name, &type, &targets);
    list = g_strjoinv(",", (char **)targets);
    table_add(table, (const char *const[]){ mountpoint, name, type, list, NULL });
}

static gboolean
run_domfsinfo(Session *session, const Args *args, GError **error)
{
    const char *const titles[] = { _("Mountpoint"), _("Name"), _("Type"), _("Target"), NULL };
    static const TableKey keys[] = {
        { "mountpoint", TABLE_TEXT },
        { "name", TABLE_TEXT },
        { "type", TABLE_TEXT },
        { "targets", TABLE_LIST },
    };
    g_autoptr(Table) table = table_new(titles);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL, list = NULL;

    if (!domain)
        return FALSE;
    reply = domain_call(domain, "GetFSInfo", g_variant_new("(u)", 0), "(a(sssas))", error);
    if (!reply) {
        output_error("%s", _("Unable to get filesystem information"));
        return FALSE;
    }
    list = g_variant_get_child_value(reply, 0);
    if (g_variant_n_children(list) == 0 && !output_is_json()) {
        output_extra("%s", _("No filesystems are mounted in the domain"));
        return TRUE;
    }
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) entry = g_variant_get_child_value(list, i);

        add_filesystem(table, entry);
    }
    table_print(table, keys);
    return TRUE;
}

static const Option only_domain[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_domfsinfo = {
    "domfsinfo",
    N_("list the file systems that a domain's guest has mounted"),
    N_("The guest's agent is asked."),
    only_domain,
    run_domfsinfo,
    COMMAND_JSON,
};

/* Freezing and thawing. */
static gboolean
run_on_mountpoints(Session *session, const Args *args, const char *method, guint *ret_n,
                   GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!domain)
        return FALSE;
    reply = domain_call(domain, method, g_variant_new("(^asu)", args_list(args, "mountpoint"), 0),
                        "(u)", error);
    if (reply)
        g_variant_get(reply, "(u)", ret_n);
    return reply != NULL;
}

static gboolean
run_domfsfreeze(Session *session, const Args *args, GError **error)
{
    guint n;

    if (!run_on_mountpoints(session, args, "FSFreeze", &n, error)) {
        output_error("%s", _("Unable to freeze filesystems"));
        return FALSE;
    }
    output_extra(_("Froze %u filesystem(s)\n"), n);
    return TRUE;
}

static const Option mountpoint_options[] = {
    OPTION_DOMAIN_ANY,
    { "mountpoint", OPTION_ARGV, 0, N_("where they are mounted in the guest; without: all") },
    { NULL },
};

const Command command_domfsfreeze = {
    "domfsfreeze",
    N_("stop what a domain's guest writes to its file systems"),
    N_("What was written is on the disks then, as for a backup. domfsthaw lets it go on.\n"
       "    The guest's agent is asked."),
    mountpoint_options,
    run_domfsfreeze,
    COMMAND_CHANGES,
};

static gboolean
run_domfsthaw(Session *session, const Args *args, GError **error)
{
    guint n;

    if (!run_on_mountpoints(session, args, "FSThaw", &n, error)) {
        output_error("%s", _("Unable to thaw filesystems"));
        return FALSE;
    }
    output_extra(_("Thawed %u filesystem(s)\n"), n);
    return TRUE;
}

const Command command_domfsthaw = {
    "domfsthaw",
    N_("let the frozen file systems of a domain's guest go on"),
    N_("The guest's agent is asked."),
    mountpoint_options,
    run_domfsthaw,
    COMMAND_CHANGES,
};

static gboolean
run_domfstrim(Session *session, const Args *args, GError **error)
{
    const char *mountpoint = args_string(args, "mountpoint");
    guint64 minimum = MAX(args_int64(args, "minimum", 0), 0);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (domain_do(domain, "FSTrim",
                  g_variant_new("(stu)", mountpoint ? mountpoint : "", minimum, 0), error))
        return TRUE;
    output_error("%s", _("Unable to invoke fstrim"));
    return FALSE;
}

static const Option trim_options[] = {
    OPTION_DOMAIN_ANY,
    { "minimum", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("leave out free ranges shorter than this many bytes") },
    { "mountpoint", OPTION_STRING, OPTION_NAMED_ONLY, N_("the one that is meant") },
    { NULL },
};

const Command command_domfstrim = {
    "domfstrim",
    N_("let a domain's guest tell its disks what is free"),
    N_("The guest's agent is asked."),
    trim_options,
    run_domfstrim,
    COMMAND_CHANGES,
};
