/* The commands about the devices of the host. */
#include "cli/commands.h"

#include "cli/object-commands.h"
#include "cli/object-list.h"
#include "cli/output.h"
#include "cli/table.h"
#include "cli/tree.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define OPTION_DEVICE                                                                              \
    {                                                                                              \
        "device", OPTION_DATA, OPTION_REQUIRED, N_("the device's name")                            \
    }
#define STATES                                                                                     \
    ((guint)VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE | (guint)VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE)

static const Option only_device[] = { OPTION_DEVICE, { NULL } };

/* list */

static const ArgsFlag capabilities[] = {
    { "system", VIR_CONNECT_LIST_NODE_DEVICES_CAP_SYSTEM },
    { "pci", VIR_CONNECT_LIST_NODE_DEVICES_CAP_PCI_DEV },
    { "usb_device", VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_DEV },
    { "usb", VIR_CONNECT_LIST_NODE_DEVICES_CAP_USB_INTERFACE },
    { "net", VIR_CONNECT_LIST_NODE_DEVICES_CAP_NET },
    { "scsi_host", VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_HOST },
    { "scsi_target", VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_TARGET },
    { "scsi", VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI },
    { "storage", VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE },
    { "fc_host", VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST },
    { "vports", VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS },
    { "scsi_generic", VIR_CONNECT_LIST_NODE_DEVICES_CAP_SCSI_GENERIC },
    { "drm", VIR_CONNECT_LIST_NODE_DEVICES_CAP_DRM },
    { "mdev_types", VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV_TYPES },
    { "mdev", VIR_CONNECT_LIST_NODE_DEVICES_CAP_MDEV },
    { "ccw", VIR_CONNECT_LIST_NODE_DEVICES_CAP_CCW_DEV },
    { "css", VIR_CONNECT_LIST_NODE_DEVICES_CAP_CSS_DEV },
    { "vdpa", VIR_CONNECT_LIST_NODE_DEVICES_CAP_VDPA },
    { "ap_card", VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_CARD },
    { "ap_queue", VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_QUEUE },
    { "ap_matrix", VIR_CONNECT_LIST_NODE_DEVICES_CAP_AP_MATRIX },
    { "vpd", VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPD },
    { NULL, 0 },
};

/* "pci,net" */
static gboolean
read_capabilities(const Args *args, guint *ret_flags, GError **error)
{
    const char *text = args_string(args, "cap");
    g_auto(GStrv) names = text ? g_strsplit(text, ",", -1) : NULL;

    *ret_flags = 0;
    for (gsize i = 0; names && names[i]; i++) {
        guint flag = args_flag_of(capabilities, names[i]);

        if (!flag)
            return cli_fail(error, "%s", _("Invalid capability type"));
        *ret_flags |= flag;
    }
    return TRUE;
}

/* A driver that knows no states refuses their flags; all its devices are active. */
static GPtrArray *
list_devices(Connection *connection, guint flags, GError **error)
{
    GError *failure = NULL;
    GPtrArray *entries = object_list(connection, &object_node_device, flags, &failure);

    if (entries)
        return entries;
    if ((flags & (guint)VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE) &&
        strstr(failure->message, "unsupported flags")) {
        g_error_free(failure);
        return object_list(connection, &object_node_device, flags & ~STATES, error);
    }
    g_propagate_error(error, failure);
    return NULL;
}

static void
print_tree(const GPtrArray *entries)
{
    g_autofree TreeNode *nodes = g_new0(TreeNode, entries->len);

    for (guint i = 0; i < entries->len; i++) {
        const char *parent = object_entry_text(entries->pdata[i], "Parent");
        nodes[i].name = ((const ObjectEntry *)entries->pdata[i])->name;
        nodes[i].parent = *parent ? parent : NULL;
    }
    tree_print(nodes, entries->len);
}

static void
print_json(const GPtrArray *entries)
{
    static const TableKey keys[] = { { "name", TABLE_TEXT }, { "parent", TABLE_TEXT } };
    g_autoptr(Table) table = table_new(NULL);

    for (guint i = 0; i < entries->len; i++) {
        const ObjectEntry *entry = entries->pdata[i];
        table_add(table,
                  (const char *const[]){ entry->name, object_entry_text(entry, "Parent"), NULL });
    }
    table_print(table, keys);
}

static guint
state_flags(const Args *args)
{
    if (args_has(args, "all"))
        return STATES;
    return args_has(args, "inactive") ? (guint)VIR_CONNECT_LIST_NODE_DEVICES_INACTIVE
                                      : (guint)VIR_CONNECT_LIST_NODE_DEVICES_ACTIVE;
}

static gboolean
run_list(Session *session, const Args *args, GError **error)
{
    gboolean tree = args_has(args, "tree");
    guint flags;
    g_autoptr(GPtrArray) entries = NULL;

    if (!read_capabilities(args, &flags, error))
        return FALSE;
    if (tree && (args_has(args, "cap") || args_has(args, "inactive")))
        return cli_fail(error, "%s", _("Option --tree is incompatible with --cap and --inactive"));
    entries = list_devices(session->connection, flags | state_flags(args), error);
    if (!entries)
        output_error("%s", _("Failed to list node devices"));
    else if (output_is_json())
        print_json(entries);
    else if (tree)
        print_tree(entries);
    else
        object_entries_print(entries, "Name");
    return entries != NULL;
}

static const Option list_options[] = {
    { "tree", OPTION_BOOL, 0, N_("draw them as a tree") },
    { "cap", OPTION_STRING, 0, N_("only devices with one of these capabilities, separated by commas") },
    { "inactive", OPTION_BOOL, 0, N_("devices that are not active") },
    { "all", OPTION_BOOL, 0, N_("devices that are active and those that are not") },
    { NULL },
};

const Command command_nodedev_list = {
    "nodedev-list",
    N_("list the devices of the host"),
    N_("Without an option: the active ones."),
    list_options,
    run_list,
    COMMAND_JSON,
};

/* detach */

static gboolean
run_detach(Session *session, const Args *args, GError **error)
{
    const char *driver = args_string(args, "driver"), *called = args_string(args, "device");
    g_autoptr(Object) device = object_from_args(session, &object_node_device, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!device)
        return FALSE;
    reply =
        object_call(device, "Detach", g_variant_new("(su)", driver ? driver : "", 0), "()", error);
    if (reply)
        output_extra(_("Device %s detached\n"), called);
    else
        output_error(_("Failed to detach device %s"), called);
    return reply != NULL;
}

static const Option detach_options[] = {
    OPTION_DEVICE,
    { "driver", OPTION_STRING, 0, N_("the driver to bind it to: vfio") },
    { NULL },
};

const Command command_nodedev_detach = {
    "nodedev-detach",
    N_("detach a device from the host's driver"),
    N_("A guest can have it then."),
    detach_options,
    run_detach,
    COMMAND_CHANGES,
};

/* The ones that are a row. */

const Command command_nodedev_reattach = {
    "nodedev-reattach",
    N_("give a device back to the host's driver"),
    NULL,
    only_device,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_node_device, "ReAttach", NULL, N_("Device %s re-attached\n"),
                         N_("Failed to re-attach device %s") },
};

const Command command_nodedev_reset = {
    "nodedev-reset",
    N_("reset a device of the host"),
    NULL,
    only_device,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_node_device, "Reset", NULL, N_("Device %s reset\n"),
                         N_("Failed to reset device %s") },
};

static const OptionAlias destroy_aliases[] = {
    { "name", "device" },
    { NULL },
};

const Command command_nodedev_destroy = {
    "nodedev-destroy",
    N_("remove a device from the host"),
    N_("It must be one that nodedev-create has made."),
    only_device,
    object_run_verb,
    COMMAND_CHANGES,
    &(const ObjectVerb){ &object_node_device, "Destroy", NULL, N_("Destroyed node device '%s'\n"),
                         N_("Failed to destroy node device '%s'") },
    .aliases = destroy_aliases,
};

static const Option create_options[] = { OPTION_FILE(N_("file with the device's XML document")),
                                         { "validate", OPTION_BOOL, 0,
                                           N_("check the document against the schema first") },
                                         { NULL } };
static const ArgsFlag create_flags[] = { { "validate", VIR_NODE_DEVICE_CREATE_XML_VALIDATE },
                                         { NULL, 0 } };

const Command command_nodedev_create = {
    "nodedev-create",
    N_("make a device of the host from an XML file"),
    NULL,
    create_options,
    object_run_make,
    COMMAND_CHANGES,
    &(const ObjectMake){ &object_node_device, "NodeDeviceCreateXML", create_flags,
                         N_("Node device %s created from %s\n"),
                         N_("Failed to create node device from %s") },
};

static const Option dumpxml_options[] = { OPTION_DEVICE, OPTIONS_XPATH, { NULL } };

const Command command_nodedev_dumpxml = {
    "nodedev-dumpxml",  N_("print the XML document of a device of the host"),
    NULL,               dumpxml_options,
    object_run_dumpxml, 0,
    &(const ObjectXml){ &object_node_device, object_no_flags },
};

static const Option event_options[] = {
    { "device", OPTION_STRING, 0, N_("only of this device") },
    WATCH_OPTION_EVENT,
    WATCH_OPTIONS,
    { NULL },
};

const Command command_nodedev_event = {
    "nodedev-event",
    N_("wait for what happens to the devices of the host"),
    NULL,
    event_options,
    object_run_event,
    COMMAND_JSON,
    &(const WatchSubject){ "org.libvirt.NodeDevice", device_event_kinds,
                           N_("event '%s' for node device %s"), object_learn_names,
                           &object_node_device },
};
