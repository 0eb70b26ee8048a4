/* The commands about virtual networks. */
#include "cli/commands.h"

#include "cli/document.h"
#include "cli/facts.h"
#include "cli/object-commands.h"
#include "cli/object-list.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define OPTION_NETWORK(help)                                                                       \
    {                                                                                              \
        "network", OPTION_DATA, OPTION_REQUIRED, help                                              \
    }

static const Option only_network[] = { OPTION_NETWORK(N_("the network's name or UUID")), { NULL } };

/* list */

static const ArgsFlag filters[] = {
    { "persistent", VIR_CONNECT_LIST_NETWORKS_PERSISTENT },
    { "transient", VIR_CONNECT_LIST_NETWORKS_TRANSIENT },
    { "autostart", VIR_CONNECT_LIST_NETWORKS_AUTOSTART },
    { "no-autostart", VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART },
    { NULL, 0 },
};

static void
print_table(const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "autostart", TABLE_BOOLEAN },
        { "persistent", TABLE_BOOLEAN },
    };
    const char *titles[] = { _("Name"), _("State"), _("Autostart"), _("Persistent"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        table_add(table, (const char *const[]){ entry->name,
                                                text_active(object_entry_is(entry, "Active")),
                                                text_yes(object_entry_is(entry, "Autostart")),
                                                text_yes(object_entry_is(entry, "Persistent")),
                                                NULL });
    }
    table_print(table, keys);
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    gboolean name = args_has(args, "name"), uuid = args_has(args, "uuid");
    g_autoptr(GPtrArray) entries = NULL;

    if (args_has(args, "table") + name + uuid > 1)
        return cli_fail(error, "%s",
                        _("Only one argument from --table, --name and --uuid may be specified."));
    entries = object_list(session->connection, &object_network,
                          object_list_states(args) | args_flags(args, filters), error);
    if (!entries) {
        output_error("%s", _("Failed to list networks"));
        return FALSE;
    }
    if (output_is_json() || (!name && !uuid))
        print_table(entries);
    else
        object_entries_print(entries, name ? "Name" : "UUID");
    return TRUE;
}

static const Option list_options[] = {
    { "inactive", OPTION_BOOL, 0, N_("networks that are not active") },
    { "all", OPTION_BOOL, 0, N_("networks that are active and those that are not") },
    { "persistent", OPTION_BOOL, 0, N_("only persistent networks") },
    { "transient", OPTION_BOOL, 0, N_("only transient networks") },
    { "autostart", OPTION_BOOL, 0, N_("only networks with autostart") },
    { "no-autostart", OPTION_BOOL, 0, N_("only networks without autostart") },
    { "uuid", OPTION_BOOL, 0, N_("print UUIDs") },
    { "name", OPTION_BOOL, 0, N_("print names") },
    { "table", OPTION_BOOL, 0, N_("print a table (the default)") },
    { NULL },
};

const Command command_net_list = {
    "net-list",   N_("list networks"), N_("Without an option: the active ones."),
    list_options, run_list,            COMMAND_JSON,
};

/* info */

static gboolean
run_info(Session *session, const Args *args, GError **error)
{
    g_autoptr(Object) network = object_from_args(session, &object_network, args, error);
    g_autoptr(GVariantDict) properties = network ? object_properties(network, error) : NULL;
    g_autofree char *xml = properties ? object_xml(network, 0, NULL) : NULL;
    g_autofree char *bridge = xml ? document_find(xml, "network/bridge", "name") : NULL;
    g_autoptr(Facts) facts = facts_new();

    if (!properties)
        return FALSE;
    facts_add_property(facts, "name", _("Name:"), properties, "Name");
    facts_add_property(facts, "uuid", _("UUID:"), properties, "UUID");
    facts_add_property(facts, "active", _("Active:"), properties, "Active");
    facts_add_property(facts, "persistent", _("Persistent:"), properties, "Persistent");
    facts_add_property(facts, "autostart", _("Autostart:"), properties, "Autostart");
    if (bridge)
        facts_add(facts, "bridge", _("Bridge:"), bridge, NULL);
    facts_print(facts, 15);
    return TRUE;
}

const Command command_net_info = {
    "net-info", N_("print a network's basic facts"), NULL, only_network, run_info, COMMAND_JSON,
};

/* The ones that are a row. */

const Command command_net_start = {
    "net-start",
    N_("start a network"),
    NULL,
    only_network,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_network, "Create", NULL, N_("Network %s started\n"),
                         N_("Failed to start network %s") },
};

const Command command_net_destroy = {
    "net-destroy",
    N_("stop a network at once"),
    N_("The definition of a persistent network stays."),
    only_network,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_network, "Destroy", NULL, N_("Network %s destroyed\n"),
                         N_("Failed to destroy network %s") },
};

const Command command_net_undefine = {
    "net-undefine",
    N_("remove the definition of a network"),
    NULL,
    only_network,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_network, "Undefine", NULL, N_("Network %s has been undefined\n"),
                         N_("Failed to undefine network %s") },
};

static const Option make_options[] = {
    OPTION_FILE(N_("file with the network's XML document")),
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first (not supported)") },
    { NULL },
};

const Command command_net_define = {
    "net-define",
    N_("define a network from an XML file, without starting it"),
    N_("A network of the same name and UUID gets the new definition."),
    make_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_network, "NetworkDefineXML", NULL,
                         N_("Network %s defined from %s\n"), N_("Failed to define network from %s"),
                         .validating = "virNetworkDefineXMLFlags" },
};

const Command command_net_create = {
    "net-create",
    N_("start a transient network from an XML file"),
    N_("It is gone when it is destroyed."),
    make_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_network, "NetworkCreateXML", NULL,
                         N_("Network %s created from %s\n"), N_("Failed to create network from %s"),
                         .validating = "virNetworkCreateXMLFlags" },
};

static const Option autostart_options[] = {
    OPTION_NETWORK(N_("the network's name or UUID")),
    { "disable", OPTION_BOOL, 0, N_("no longer start it with the daemon") },
    { NULL },
};

const Command command_net_autostart = {
    "net-autostart",
    N_("start a network whenever the daemon starts"),
    NULL,
    autostart_options,
    object_run_autostart,
    COMMAND_CHANGES,
    &(const ObjectAutostart){ &object_network, N_("Network %s marked as autostarted\n"),
                              N_("Network %s unmarked as autostarted\n"),
                              N_("failed to mark network %s as autostarted"),
                              N_("failed to unmark network %s as autostarted") },
};

static const Option dumpxml_options[] = {
    OPTION_NETWORK(N_("the network's name or UUID")),
    { "inactive", OPTION_BOOL, 0, N_("the definition of its next start") },
    OPTIONS_XPATH,
    { NULL },
};

static const ArgsFlag dumpxml_flags[] = { { "inactive", VIR_NETWORK_XML_INACTIVE }, { NULL, 0 } };

const Command command_net_dumpxml = {
    "net-dumpxml",      N_("print the XML document of a network"),
    NULL,               dumpxml_options,
    object_run_dumpxml, 0,
    &(const ObjectXml){ &object_network, dumpxml_flags },
};

const Command command_net_edit = {
    "net-edit",
    N_("edit the definition of a network"),
    N_("The editor is $VISUAL, $EDITOR or vi."),
    only_network,
    object_run_edit,
    COMMAND_CHANGES,
    &(const ObjectEdit){ &object_network, "NetworkDefineXML", FALSE, VIR_NETWORK_XML_INACTIVE,
                         N_("Network %s XML configuration edited.\n"),
                         N_("Network %s XML configuration not changed.\n") },
};

static const Option only_uuid[] = { OPTION_NETWORK(N_("the network's UUID")), { NULL } };
static const Option only_name[] = { OPTION_NETWORK(N_("the network's name")), { NULL } };

const Command command_net_name = {
    "net-name",      N_("print a network's name, given its UUID"),
    NULL,            only_uuid,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_network, OBJECT_BY_KEY, "Name" },
};

const Command command_net_uuid = {
    "net-uuid",      N_("print a network's UUID, given its name"),
    NULL,            only_name,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_network, OBJECT_BY_NAME, "UUID" },
};

static const Option event_options[] = {
    { "network", OPTION_STRING, 0, N_("only of this network: name or UUID") },
    WATCH_OPTION_EVENT,
    WATCH_OPTIONS,
    { NULL },
};

const Command command_net_event = {
    "net-event",
    N_("wait for what happens to networks"),
    NULL,
    event_options,
    object_run_event,
    COMMAND_JSON,
    &(const WatchSubject){ "org.libvirt.Network", network_event_kinds,
                           N_("event '%s' for network %s"), object_learn_names, &object_network },
};
