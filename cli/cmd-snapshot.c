/* The commands that tell of one snapshot: snapshot-current, snapshot-dumpxml, snapshot-info, snapshot-parent. */
#include "cli/commands.h"

#include "cli/document.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/snapshot.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const ArgsFlag xml_flags[] = {
    { "security-info", VIR_DOMAIN_SNAPSHOT_XML_SECURE },
    { NULL, 0 },
};

#define OPTION_SECURITY_INFO                                                                       \
    {                                                                                              \
        "security-info", OPTION_BOOL, OPTION_SECRET, N_("with passwords and other secrets")        \
    }

/* dumpxml */

static gboolean
run_dumpxml(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(Snapshot) snapshot =
        domain ? snapshot_find(domain, args_string(args, "snapshotname"), error) : NULL;
    g_autofree char *xml =
        snapshot ? snapshot_xml(snapshot, args_flags(args, xml_flags), error) : NULL;

    return xml && xpath_print(xml, args, error);
}

static const Option dumpxml_options[] = {
    OPTION_DOMAIN_ANY,
    { "snapshotname", OPTION_DATA, OPTION_REQUIRED, N_("the snapshot's name") },
    OPTION_SECURITY_INFO,
    OPTIONS_XPATH,
    { NULL },
};

const Command command_snapshot_dumpxml = {
    "snapshot-dumpxml",
    N_("print the XML document of a snapshot"),
    NULL,
    dumpxml_options,
    run_dumpxml,
    0,
};

/* current: which it is, or to make another one it: its own document is told again, and that it is current. */

static gboolean
make_current(Domain *domain, const char *name, GError **error)
{
    g_autoptr(Snapshot) snapshot = snapshot_find(domain, name, error);
    guint flags = VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE | VIR_DOMAIN_SNAPSHOT_CREATE_CURRENT;
    g_autofree char *xml = snapshot ? snapshot_redefinition(snapshot, &flags, error) : NULL;
    g_autoptr(Snapshot) again = NULL;

    if (!xml)
        return FALSE;
    again = snapshot_create(domain, xml, flags, error);
    if (again)
        output_extra(_("Snapshot %s set as current"), name);
    return again != NULL;
}

static gboolean
print_current(Domain *domain, const Args *args, GError **error)
{
    GError *failure = NULL;
    g_autoptr(Snapshot) current = snapshot_current(domain, &failure);
    g_autofree char *text = NULL;

    if (!current && snapshot_error_is_no_current(failure)) {
        g_clear_error(&failure);
        return cli_fail(error, _("domain '%s' has no current snapshot"), domain->name);
    }
    if (!current) {
        g_propagate_error(error, failure);
        return FALSE;
    }
    if (output_is_json())
        return facts_tell("name", current->name, NULL);
    text = args_has(args, "name") ? g_strdup(current->name)
                                  : snapshot_xml(current, args_flags(args, xml_flags), error);
    if (text)
        output("%s", text);
    return text != NULL;
}

static gboolean
run_current(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "snapshotname");
    g_autoptr(Domain) domain = NULL;

    if (!args_exclusive(args, "name", "snapshotname", error) ||
        !(domain = domain_from_args(session, args, error)))
        return FALSE;
    return name ? make_current(domain, name, error) : print_current(domain, args, error);
}

static const Option current_options[] = {
    OPTION_DOMAIN_ANY,
    { "name", OPTION_BOOL, 0, N_("print its name instead of its document") },
    OPTION_SECURITY_INFO,
    { "snapshotname", OPTION_STRING, OPTION_CHANGES, N_("make this one the current snapshot") },
    { NULL },
};

const Command command_snapshot_current = {
    "snapshot-current",
    N_("print a domain's current snapshot, or make another one it"),
    N_("That is the one that the domain was made of last, or was last gone back to: the next one\n"
       "    grows from it."),
    current_options,
    run_current,
    COMMAND_JSON,
};

/* parent */

static gboolean
run_parent(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(Snapshot) snapshot =
        domain ? snapshot_from_args(domain, args, "snapshotname", TRUE, error) : NULL;
    g_autofree char *xml = snapshot ? snapshot_xml(snapshot, 0, error) : NULL;
    g_autofree char *parent = xml ? document_find(xml, "domainsnapshot/parent/name", NULL) : NULL;

    if (!xml)
        return FALSE;
    if (!parent)
        return cli_fail(error, _("snapshot '%s' has no parent"), snapshot->name);
    if (output_is_json())
        return facts_tell("parent", parent, NULL);
    output("%s", parent);
    return TRUE;
}

static const Option parent_options[] = {
    OPTION_DOMAIN_ANY,
    OPTION_SNAPSHOT,
    { "current", OPTION_BOOL, 0, N_("the current snapshot") },
    { NULL },
};

const Command command_snapshot_parent = {
    "snapshot-parent",
    N_("print the name of the snapshot that a snapshot grew from"),
    NULL,
    parent_options,
    run_parent,
    COMMAND_JSON,
};

/* info */

static gboolean
is_external(const char *xml, const char *state)
{
    g_autofree char *memory = document_find(xml, "domainsnapshot/memory", NULL);

    if (!memory) /* from long ago */
        return g_strcmp0(state, "disk-snapshot") == 0;
    return document_has(xml, "domainsnapshot/memory", "snapshot", "external") ||
           document_has(xml, "domainsnapshot/disks/disk", "snapshot", "external");
}

static gboolean
add_count(Facts *facts, const Snapshot *snapshot, const char *key, const char *title, guint flags,
          GError **error)
{
    g_autoptr(GPtrArray) below = snapshot_list(snapshot->domain, snapshot, flags, error);
    g_autofree char *text = below ? g_strdup_printf("%u", below->len) : NULL;

    if (below)
        facts_add(facts, key, title, text, g_variant_new_uint32(below->len));
    return below != NULL;
}

static gboolean
add_metadata(Facts *facts, const Snapshot *snapshot, GError **error)
{
    g_autoptr(GPtrArray) kept =
        snapshot_list(snapshot->domain, NULL, VIR_DOMAIN_SNAPSHOT_LIST_METADATA, error);
    gboolean has = FALSE;

    for (guint i = 0; kept && i < kept->len; i++)
        has |= g_str_equal(((const Snapshot *)kept->pdata[i])->path, snapshot->path);
    if (kept)
        facts_add_boolean(facts, "metadata", _("Metadata:"), has);
    return kept != NULL;
}

static void
add_document(Facts *facts, const char *xml)
{
    g_autofree char *state = document_find(xml, "domainsnapshot/state", NULL);
    g_autofree char *parent = document_find(xml, "domainsnapshot/parent/name", NULL);
    gboolean external = is_external(xml, state);

    facts_add(facts, "state", _("State:"), state ? state : "", NULL);
    facts_add(facts, "location", _("Location:"), external ? _("external") : _("internal"),
              g_variant_new_string(external ? "external" : "internal"));
    facts_add(
        facts, "parent", _("Parent:"), parent ? parent : "-",
        g_variant_new_maybe(G_VARIANT_TYPE_STRING, parent ? g_variant_new_string(parent) : NULL));
}

static gboolean
run_info(Session *session, const Args *args, GError **error)
{
    const guint descendants = VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(Snapshot) snapshot =
        domain ? snapshot_from_args(domain, args, "snapshotname", TRUE, error) : NULL;
    g_autofree char *xml = snapshot ? snapshot_xml(snapshot, 0, error) : NULL;
    g_autoptr(Facts) facts = facts_new();
    gboolean current = FALSE;

    if (!xml || !snapshot_is_current(snapshot, &current, error))
        return FALSE;
    facts_add(facts, "name", _("Name:"), snapshot->name, NULL);
    facts_add(facts, "domain", _("Domain:"), domain->name, NULL);
    facts_add_boolean(facts, "current", _("Current:"), current);
    add_document(facts, xml);
    if (!add_count(facts, snapshot, "children", _("Children:"), 0, error) ||
        !add_count(facts, snapshot, "descendants", _("Descendants:"), descendants, error) ||
        !add_metadata(facts, snapshot, error))
        return FALSE;
    facts_print(facts, 15);
    return TRUE;
}

static const Option info_options[] = {
    OPTION_DOMAIN_ANY,
    OPTION_SNAPSHOT,
    { "current", OPTION_BOOL, 0, N_("the current snapshot") },
    { NULL },
};

const Command command_snapshot_info = {
    "snapshot-info", N_("print what a snapshot is"), NULL, info_options, run_info, COMMAND_JSON,
};
