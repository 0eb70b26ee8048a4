/* The commands about network interfaces that are there: detach-interface, domiflist, their links. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/device-change.h"
#include "cli/devices.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static GPtrArray *
interfaces_of(Domain *domain, gboolean config, GError **error)
{
    g_autofree char *xml = domain_xml(domain, config ? VIR_DOMAIN_XML_INACTIVE : 0, error);

    return xml ? devices_of(xml, "interface") : NULL;
}

static gboolean
is_config_only(guint flags)
{
    return (flags & VIR_DOMAIN_AFFECT_CONFIG) && !(flags & VIR_DOMAIN_AFFECT_LIVE);
}

/* Detaching */

/* NULL after saying why there is none, or none alone. */
static const DeviceEntry *
find_typed(const GPtrArray *interfaces, const char *type, const char *mac)
{
    const DeviceEntry *found = NULL;
    guint n = 0;

    for (guint i = 0; i < interfaces->len; i++) {
        const DeviceEntry *entry = g_ptr_array_index(interfaces, i);

        if (g_strcmp0(entry->type, type) != 0 ||
            (mac && g_ascii_strcasecmp(entry->mac ? entry->mac : "", mac) != 0))
            continue;
        found = entry;
        n++;
    }
    if (n == 1)
        return found;
    if (n > 1 && !mac)
        output_error(_("Domain has %u interfaces. Please specify which one to detach using --mac"),
                     n);
    else if (mac)
        output_error(_("No interface with MAC address %s was found"), mac);
    else
        output_error(_("No interface found whose type is %s"), type);
    return NULL;
}

static gboolean
run_detach_interface(Session *session, const Args *args, GError **error)
{
    gboolean print_only = args_has(args, "print-xml");
    const DeviceEntry *entry;
    guint flags;
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error) ||
        !(interfaces = interfaces_of(domain, is_config_only(flags), error)))
        return FALSE;
    entry = find_typed(interfaces, args_string(args, "type"), args_string(args, "mac"));
    if (!entry)
        return print_only ? FALSE : cli_fail(error, "%s", _("Failed to detach interface"));
    text = device_text(entry->xml);
    if (print_only) {
        output("%s", text);
        return TRUE;
    }
    if (!domain_do(domain, "DetachDevice", g_variant_new("(su)", text, flags), error)) {
        output_error("%s", _("Failed to detach interface"));
        return FALSE;
    }
    output_extra("%s\n", _("Interface detached successfully"));
    return TRUE;
}

static const Option detach_options[] = {
    OPTION_DOMAIN_ANY,
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("the interface's type") },
    { "mac", OPTION_STRING, 0, N_("its address, where there are several") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { NULL },
};

const Command command_detach_interface = {
    "detach-interface",
    N_("take a network interface from a domain"),
    N_("A guest that runs is asked to let go of it: the event device-removed tells that it has."),
    detach_options,
    run_detach_interface,
    COMMAND_CHANGES,
};

/* Listing */

static gboolean
run_domiflist(Session *session, const Args *args, GError **error)
{
    static const char *const titles[] = { N_("Interface"), N_("Type"), N_("Source"),
                                          N_("Model"),     N_("MAC"),  NULL };
    static const TableKey keys[] = {
        { "interface", TABLE_TEXT }, { "type", TABLE_TEXT }, { "source", TABLE_TEXT },
        { "model", TABLE_TEXT },     { "mac", TABLE_TEXT },
    };
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(Table) table = table_new(titles);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    interfaces = domain ? interfaces_of(domain, args_has(args, "inactive"), error) : NULL;
    if (!interfaces)
        return FALSE;
    for (guint i = 0; i < interfaces->len; i++) {
        const DeviceEntry *entry = g_ptr_array_index(interfaces, i);
        const char *cells[] = { table_cell(entry->target), table_cell(entry->type),
                                table_cell(entry->source), table_cell(entry->model),
                                table_cell(entry->mac),    NULL };

        table_add(table, cells);
    }
    table_print(table, keys);
    return TRUE;
}

static const Option domiflist_options[] = {
    OPTION_DOMAIN_ANY,
    { "inactive", OPTION_BOOL, 0, N_("of the definition of its next start") },
    { NULL },
};

const Command command_domiflist = {
    "domiflist",   N_("list the network interfaces of a domain"),
    NULL,          domiflist_options,
    run_domiflist, COMMAND_JSON,
};

/* Links */

static gboolean
run_setlink(Session *session, const Args *args, GError **error)
{
    const char *state = args_string(args, "state"), *name = args_string(args, "interface");
    guint flags = args_has(args, "config") ? VIR_DOMAIN_AFFECT_CONFIG : 0;
    const DeviceEntry *entry;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (strcmp(state, "up") != 0 && strcmp(state, "down") != 0)
        return cli_fail(error, _("invalid link state '%s'"), state);
    interfaces = interfaces_of(domain, flags != 0, error);
    entry = interfaces ? devices_find(interfaces, name) : NULL;
    if (!entry)
        return interfaces ? cli_fail(error, _("interface '%s' not found"), name) : FALSE;
    xml = device_with_link(entry->xml, state);
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    if (!domain_do(domain, "UpdateDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error("%s", _("Failed to update interface link state"));
        return FALSE;
    }
    output_extra("%s\n", _("Device updated successfully"));
    return TRUE;
}

static const Option setlink_options[] = {
    OPTION_DOMAIN_ANY,
    { "interface", OPTION_DATA, OPTION_REQUIRED, N_("the interface's target or address") },
    { "state", OPTION_DATA, OPTION_REQUIRED, N_("up or down") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { NULL },
};

static const OptionAlias link_aliases[] = {
    { "persistent", "config" },
    { NULL },
};

const Command command_domif_setlink = {
    "domif-setlink",
    N_("plug the cable of a network interface in or out"),
    NULL,
    setlink_options,
    run_setlink,
    COMMAND_CHANGES,
    .aliases = link_aliases,
};

static gboolean
run_getlink(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "interface");
    const DeviceEntry *entry;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    interfaces = domain ? interfaces_of(domain, args_has(args, "config"), error) : NULL;
    entry = interfaces ? devices_find(interfaces, name) : NULL;
    if (!entry)
        return interfaces ? cli_fail(error, _("Interface (%s: %s) not found."),
                                     strchr(name, ':') ? "mac" : "dev", name)
                          : FALSE;
    if (output_is_json())
        output_json(g_variant_new_parsed("{'interface': <%s>, 'link': <%s>}", name,
                                         entry->link ? entry->link : "up"));
    else
        output("%s %s", name, entry->link ? entry->link : "up");
    return TRUE;
}

static const Option getlink_options[] = {
    OPTION_DOMAIN_ANY,
    { "interface", OPTION_DATA, OPTION_REQUIRED, N_("the interface's target or address") },
    { "config", OPTION_BOOL, 0, N_("of the definition of its next start") },
    { NULL },
};

const Command command_domif_getlink = {
    "domif-getlink",
    N_("print whether the cable of a network interface is plugged in"),
    NULL,
    getlink_options,
    run_getlink,
    COMMAND_JSON,
    .aliases = link_aliases,
};
