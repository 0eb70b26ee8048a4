/* The commands about network interfaces: attach-interface, detach-interface, domiflist, their links. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/devices.h"
#include "cli/output.h"
#include "cli/rate.h"
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

/* Attaching */

/* <@element @attribute='@value'/>, or nothing. */
static void
add_element(GString *xml, const char *element, const char *attribute, const char *value)
{
    if (value) {
        g_autofree char *text =
            g_markup_printf_escaped("  <%s %s='%s'/>\n", element, attribute, value);

        g_string_append(xml, text);
    }
}

static void
add_rate(GString *xml, const char *element, const guint64 rate[RATE_N_FIELDS])
{
    g_string_append_printf(xml, "    <%s", element);
    for (int i = 0; i < RATE_N_FIELDS; i++) {
        if (rate[i])
            g_string_append_printf(xml, " %s='%" G_GUINT64_FORMAT "'", rate_fields[i], rate[i]);
    }
    g_string_append(xml, "/>\n");
}

static gboolean
add_bandwidth(GString *xml, const Args *args, GError **error)
{
    guint64 inbound[RATE_N_FIELDS] = { 0 }, outbound[RATE_N_FIELDS] = { 0 };
    gboolean in = args_has(args, "inbound"), out = args_has(args, "outbound");

    if (!in && !out)
        return TRUE;
    if ((in && (!rate_parse(args_string(args, "inbound"), inbound, error) ||
                !rate_check_inbound(inbound, error))) ||
        (out && (!rate_parse(args_string(args, "outbound"), outbound, error) ||
                 !rate_check_outbound(outbound, error))))
        return FALSE;
    g_string_append(xml, "  <bandwidth>\n");
    if (in)
        add_rate(xml, "inbound", inbound);
    if (out)
        add_rate(xml, "outbound", outbound);
    g_string_append(xml, "  </bandwidth>\n");
    return TRUE;
}

/* NULL where the options say nothing that a card could have. */
static char *
interface_document(const Args *args, GError **error)
{
    const char *type = args_string(args, "type");
    g_autofree char *start = g_markup_printf_escaped("<interface type='%s'>\n", type);
    GString *xml = g_string_new(start);
    gboolean good;

    if (strcmp(type, "bridge") == 0 || strcmp(type, "network") == 0)
        add_element(xml, "source", type, args_string(args, "source"));
    add_element(xml, "target", "dev", args_string(args, "target"));
    add_element(xml, "mac", "address", args_string(args, "mac"));
    add_element(xml, "model", "type", args_string(args, "model"));
    add_element(xml, "alias", "name", args_string(args, "alias"));
    good = add_bandwidth(xml, args, error);
    g_string_append(xml, "</interface>\n");
    return g_string_free(xml, !good);
}

static gboolean
run_attach_interface(Session *session, const Args *args, GError **error)
{
    g_autofree char *xml = NULL;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error) ||
        !(xml = interface_document(args, error)))
        return FALSE;
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    if (!domain_do(domain, "AttachDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error("%s", _("Failed to attach interface"));
        return FALSE;
    }
    output_extra("%s\n", _("Interface attached successfully"));
    return TRUE;
}

static const Option attach_options[] = {
    OPTION_DOMAIN_ANY,
    { "type", OPTION_DATA, OPTION_REQUIRED, N_("bridge, ethernet or user") },
    { "source", OPTION_DATA, OPTION_EMPTY_OK, N_("the bridge; anything for other types") },
    { "target", OPTION_STRING, 0, N_("the tap's name on the host") },
    { "mac", OPTION_STRING, 0, N_("the card's address") },
    { "model", OPTION_STRING, 0, N_("the card's model: virtio") },
    { "alias", OPTION_STRING, 0, N_("a name for it, which begins with \"ua-\"") },
    { "inbound", OPTION_STRING, 0, N_("to the guest: AVERAGE,PEAK,BURST,FLOOR") },
    { "outbound", OPTION_STRING, 0, N_("from the guest: AVERAGE,PEAK,BURST") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { NULL },
};

const Command command_attach_interface = {
    "attach-interface",
    N_("add a network interface to a domain"),
    N_("Without an option: to the guest that runs."),
    attach_options,
    run_attach_interface,
    COMMAND_CHANGES,
};

/* Detaching */

static const DeviceEntry *
find_typed(const GPtrArray *interfaces, const char *type, const char *mac, GError **error)
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
        cli_fail(error,
                 _("Domain has %u interfaces. Please specify which one to detach using --mac"), n);
    else if (mac)
        cli_fail(error, _("No interface with MAC address %s was found"), mac);
    else
        cli_fail(error, _("No interface found whose type is %s"), type);
    return NULL;
}

static gboolean
run_detach_interface(Session *session, const Args *args, GError **error)
{
    const DeviceEntry *entry;
    guint flags;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error))
        return FALSE;
    interfaces = interfaces_of(domain, is_config_only(flags), error);
    entry = interfaces
                ? find_typed(interfaces, args_string(args, "type"), args_string(args, "mac"), error)
                : NULL;
    if (!entry)
        return FALSE;
    if (!domain_do(domain, "DetachDevice", g_variant_new("(su)", entry->xml, flags), error)) {
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

static const char *
or_dash(const char *text)
{
    return text ? text : "-";
}

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
        const char *cells[] = { or_dash(entry->target), or_dash(entry->type),
                                or_dash(entry->source), or_dash(entry->model),
                                or_dash(entry->mac),    NULL };

        table_add(table, cells);
    }
    table_print(table, keys, "\n");
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

static const DeviceEntry *
find_interface(const GPtrArray *interfaces, const char *name, GError **error)
{
    const DeviceEntry *entry = devices_find(interfaces, name);

    if (!entry)
        cli_fail(error, _("interface (%s: %s) not found"), strchr(name, ':') ? "mac" : "target",
                 name);
    return entry;
}

static gboolean
run_setlink(Session *session, const Args *args, GError **error)
{
    const char *state = args_string(args, "state");
    guint flags = args_has(args, "config") ? VIR_DOMAIN_AFFECT_CONFIG : 0;
    const DeviceEntry *entry;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autofree char *link = g_markup_printf_escaped("<link state='%s'/>", state);
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (strcmp(state, "up") != 0 && strcmp(state, "down") != 0)
        return cli_fail(error, _("invalid link state '%s'"), state);
    interfaces = interfaces_of(domain, flags != 0, error);
    entry = interfaces ? find_interface(interfaces, args_string(args, "interface"), error) : NULL;
    if (!entry)
        return FALSE;
    xml = device_with(entry->xml, "link", link);
    if (args_has(args, "print-xml")) {
        output("%s\n", xml);
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

const Command command_domif_setlink = {
    "domif-setlink",
    N_("plug the cable of a network interface in or out"),
    NULL,
    setlink_options,
    run_setlink,
    COMMAND_CHANGES,
};

static gboolean
run_getlink(Session *session, const Args *args, GError **error)
{
    const char *name = args_string(args, "interface");
    const DeviceEntry *entry;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    interfaces = domain ? interfaces_of(domain, args_has(args, "config"), error) : NULL;
    entry = interfaces ? find_interface(interfaces, name, error) : NULL;
    if (!entry)
        return FALSE;
    if (output_is_json())
        output_json(g_variant_new_parsed("{'interface': <%s>, 'link': <%s>}", name,
                                         entry->link ? entry->link : "up"));
    else
        output("%s %s\n", name, entry->link ? entry->link : "up");
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
};
