/* The commands about the network interfaces of the host. */
#include "cli/commands.h"

#include "cli/object-commands.h"
#include "cli/object-list.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

#define OPTION_INTERFACE(help)                                                                     \
    {                                                                                              \
        "interface", OPTION_DATA, OPTION_REQUIRED, help                                            \
    }

static const Option only_interface[] = { OPTION_INTERFACE(N_("the interface's name or MAC address")),
                                         { NULL } };

/* list */

static void
print_table(const GPtrArray *entries)
{
    static const TableKey keys[] = {
        { "name", TABLE_TEXT },
        { "state", TABLE_TEXT },
        { "mac", TABLE_TEXT },
    };
    const char *titles[] = { _("Name"), _("State"), _("MAC Address"), NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        table_add(table, (const char *const[]){ entry->name,
                                                text_active(object_entry_is(entry, "Active")),
                                                object_entry_text(entry, "MAC"), NULL });
    }
    table_print(table, keys);
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    g_autoptr(GPtrArray) entries =
        object_list(session->connection, &object_interface, object_list_states(args), error);

    if (entries)
        print_table(entries);
    else
        output_error("%s", _("Failed to list interfaces"));
    return entries != NULL;
}

static const Option list_options[] = {
    { "inactive", OPTION_BOOL, 0, N_("interfaces that are not active") },
    { "all", OPTION_BOOL, 0, N_("interfaces that are active and those that are not") },
    { NULL },
};

const Command command_iface_list = {
    "iface-list",
    N_("list the network interfaces of the host"),
    N_("Without an option: the active ones."),
    list_options,
    run_list,
    COMMAND_JSON,
};

/* The ones that are a row. */

const Command command_iface_start = {
    "iface-start",
    N_("start a network interface of the host"),
    NULL,
    only_interface,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_interface, "Create", object_no_flags,
                         N_("Interface %s started\n"), N_("Failed to start interface %s") },
};

const Command command_iface_destroy = {
    "iface-destroy",
    N_("stop a network interface of the host"),
    NULL,
    only_interface,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_interface, "Destroy", object_no_flags,
                         N_("Interface %s destroyed\n"), N_("Failed to destroy interface %s") },
};

const Command command_iface_undefine = {
    "iface-undefine",
    N_("remove the definition of a network interface of the host"),
    NULL,
    only_interface,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_interface, "Undefine", NULL, N_("Interface %s undefined\n"),
                         N_("Failed to undefine interface %s") },
};

static const ArgsFlag define_flags[] = { { "validate", VIR_INTERFACE_DEFINE_VALIDATE },
                                         { NULL, 0 } };

static const Option define_options[] = {
    OPTION_FILE(N_("file with the interface's XML document")),
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first") },
    { NULL },
};

const Command command_iface_define = {
    "iface-define",
    N_("define a network interface of the host from an XML file"),
    NULL,
    define_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_interface, "InterfaceDefineXML", define_flags,
                         N_("Interface %s defined from %s\n"),
                         N_("Failed to define interface from %s") },
};

static const Option dumpxml_options[] = {
    OPTION_INTERFACE(N_("the interface's name or MAC address")),
    { "inactive", OPTION_BOOL, 0, N_("its definition instead of its present state") },
    OPTIONS_XPATH,
    { NULL },
};

static const ArgsFlag dumpxml_flags[] = { { "inactive", VIR_INTERFACE_XML_INACTIVE }, { NULL, 0 } };

const Command command_iface_dumpxml = {
    "iface-dumpxml",    N_("print the XML document of a network interface of the host"),
    NULL,               dumpxml_options,
    object_run_dumpxml, 0,
    &(const ObjectXml){ &object_interface, dumpxml_flags },
};

const Command command_iface_edit = {
    "iface-edit",
    N_("edit the definition of a network interface of the host"),
    N_("The editor is $VISUAL, $EDITOR or vi."),
    only_interface,
    object_run_edit,
    COMMAND_CHANGES,
    &(const ObjectEdit){ &object_interface, "InterfaceDefineXML", TRUE, VIR_INTERFACE_XML_INACTIVE,
                         N_("Interface %s XML configuration edited.\n"),
                         N_("Interface %s XML configuration not changed.\n") },
};

static const Option only_name[] = { OPTION_INTERFACE(N_("the interface's name")), { NULL } };
static const Option only_mac[] = { OPTION_INTERFACE(N_("the interface's MAC address")), { NULL } };

const Command command_iface_mac = {
    "iface-mac",     N_("print an interface's MAC address, given its name"),
    NULL,            only_name,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_interface, OBJECT_BY_NAME, "MAC" },
};

const Command command_iface_name = {
    "iface-name",    N_("print an interface's name, given its MAC address"),
    NULL,            only_mac,
    object_run_fact, COMMAND_JSON,
    &(const ObjectFact){ &object_interface, OBJECT_BY_KEY, "Name" },
};

/* begin, commit, rollback: a method of Connect with no flag, and what is said of it. */

typedef struct Change {
    const char *method;
    const char *done, *failed; /* N_() */
} Change;

static gboolean
run_change(Session *session, const Args *args, GError **error)
{
    const Change *change = args_command(args)->about;
    g_autoptr(GVariant) reply =
        connection_call(session->connection, connection_root(session->connection),
                        CONNECT_INTERFACE, change->method, g_variant_new("(u)", 0), "()", error);

    if (reply)
        output_extra("%s", _(change->done));
    else
        output_error("%s", _(change->failed));
    return reply != NULL;
}

const Command command_iface_begin = {
    "iface-begin",
    N_("begin to change the network interfaces of the host"),
    N_("What is changed from now on can be taken back, by iface-rollback, until iface-commit."),
    NULL,
    run_change,
    COMMAND_CHANGES,
    &(const Change){ "InterfaceChangeBegin", N_("Network config change transaction started\n"),
                     N_("Failed to begin network config change transaction") },
};

const Command command_iface_commit = {
    "iface-commit",
    N_("keep what was changed since iface-begin"),
    NULL,
    NULL,
    run_change,
    COMMAND_CHANGES,
    &(const Change){ "InterfaceChangeCommit", N_("Network config change transaction committed\n"),
                     N_("Failed to commit network config change transaction") },
};

const Command command_iface_rollback = {
    "iface-rollback",
    N_("take back what was changed since iface-begin"),
    NULL,
    NULL,
    run_change,
    COMMAND_CHANGES,
    &(const Change){ "InterfaceChangeRollback",
                     N_("Network config change transaction rolled back\n"),
                     N_("Failed to rollback network config change transaction") },
};
