/* net-update and net-dhcp-leases: what a network that there is says and is told. */
#include "cli/commands.h"

#include "cli/file.h"
#include "cli/object.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* Of virNetworkUpdateCommand and virNetworkUpdateSection. */
static const ArgsFlag commands[] = {
    { "add", VIR_NETWORK_UPDATE_COMMAND_ADD_LAST },
    { "modify", VIR_NETWORK_UPDATE_COMMAND_MODIFY },
    { "delete", VIR_NETWORK_UPDATE_COMMAND_DELETE },
    { "add-last", VIR_NETWORK_UPDATE_COMMAND_ADD_LAST },
    { "add-first", VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST },
    { NULL, 0 },
};

static const ArgsFlag sections[] = {
    { "bridge", VIR_NETWORK_SECTION_BRIDGE },
    { "domain", VIR_NETWORK_SECTION_DOMAIN },
    { "ip", VIR_NETWORK_SECTION_IP },
    { "ip-dhcp-host", VIR_NETWORK_SECTION_IP_DHCP_HOST },
    { "ip-dhcp-range", VIR_NETWORK_SECTION_IP_DHCP_RANGE },
    { "forward", VIR_NETWORK_SECTION_FORWARD },
    { "forward-interface", VIR_NETWORK_SECTION_FORWARD_INTERFACE },
    { "forward-pf", VIR_NETWORK_SECTION_FORWARD_PF },
    { "portgroup", VIR_NETWORK_SECTION_PORTGROUP },
    { "dns-host", VIR_NETWORK_SECTION_DNS_HOST },
    { "dns-txt", VIR_NETWORK_SECTION_DNS_TXT },
    { "dns-srv", VIR_NETWORK_SECTION_DNS_SRV },
    { NULL, 0 },
};

static const ArgsFlag affects[] = {
    { "config", VIR_NETWORK_UPDATE_AFFECT_CONFIG },
    { "live", VIR_NETWORK_UPDATE_AFFECT_LIVE },
    { NULL, 0 },
};

static gboolean
is_active(const Object *network)
{
    g_autoptr(GVariant) active = connection_get(network->connection, network->path,
                                                network->kind->interface, "Active", "b", NULL);

    return active && g_variant_get_boolean(active);
}

static void
say_updated(const Object *network, const char *name, guint flags)
{
    const char *format = N_("Updated network %s persistent config");
    g_autofree char *text = NULL;

    if (flags == (VIR_NETWORK_UPDATE_AFFECT_CONFIG | VIR_NETWORK_UPDATE_AFFECT_LIVE))
        format = N_("Updated network %s persistent config and live state");
    else if (flags == VIR_NETWORK_UPDATE_AFFECT_LIVE || (!flags && is_active(network)))
        format = N_("Updated network %s live state");
    text = text_about(format, name, NULL);
    output_extra("%s", text);
}

static gboolean
update(const Object *network, guint command, guint section, const char *xml, const Args *args,
       GError **error)
{
    guint flags = args_flags(args, affects);
    g_autofree char *name = object_text(network, "Name", error);
    g_autoptr(GVariant) reply = NULL;

    if (!name)
        return FALSE;
    reply = object_call(network, "Update",
                        g_variant_new("(uuisu)", command, section,
                                      args_int(args, "parent-index", -1), xml, flags),
                        "()", error);
    if (reply)
        say_updated(network, name, flags);
    else
        output_error(_("Failed to update network %s"), name);
    return reply != NULL;
}

static gboolean
run_update(Session *session, const Args *args, GError **error)
{
    const char *source = args_string(args, "xml");
    guint command = args_flag_of(commands, args_string(args, "command"));
    guint section = args_flag_of(sections, args_string(args, "section"));
    g_autofree char *xml = NULL;
    g_autoptr(Object) network = NULL;

    if (!args_exclusive(args, "current", "live", error) ||
        !args_exclusive(args, "current", "config", error))
        return FALSE;
    network = object_from_args(session, &object_network, args, error);
    if (!network)
        return FALSE;
    if (!command)
        return cli_fail(error, _("unrecognized command name '%s'"), args_string(args, "command"));
    if (!section)
        return cli_fail(error, _("unrecognized section name '%s'"), args_string(args, "section"));
    xml = *source == '<' ? g_strdup(source) : file_read_text(source, error);
    return xml && update(network, command, section, xml, args, error);
}

static const Option update_options[] = {
    { "network", OPTION_DATA, OPTION_REQUIRED, N_("the network's name or UUID") },
    { "command", OPTION_DATA, OPTION_REQUIRED, N_("what to do: add-first|add-last|add|delete|modify") },
    { "section", OPTION_DATA, OPTION_REQUIRED, N_("the part of the network's document") },
    { "xml", OPTION_DATA, OPTION_REQUIRED, N_("the element, or the file that has it") },
    { "parent-index", OPTION_INT, 0, N_("which of several parent elements, counted from 0") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "live", OPTION_BOOL, 0, N_("in the network that is active") },
    { "current", OPTION_BOOL, 0, N_("in the network where it is active, else in the definition") },
    { NULL },
};

const Command command_net_update = {
    "net-update",
    N_("change a part of a network"),
    N_("The parts are bridge, domain, ip, ip-dhcp-host, ip-dhcp-range, forward, forward-interface,\n"
       "    forward-pf, portgroup, dns-host, dns-txt and dns-srv."),
    update_options,
    run_update,
    COMMAND_CHANGES,
};

/* dhcp-leases */

typedef struct Lease {
    const char *interface, *mac, *iaid, *address, *hostname, *client;
    gint64 expires_s;
    int type; /* virIPAddrType */
    guint prefix;
} Lease;

static void
add_lease(Table *table, const Lease *lease)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(lease->expires_s);
    g_autofree char *expires = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S") : NULL;
    g_autofree char *address = g_strdup_printf("%s/%u", lease->address, lease->prefix);
    const char *protocol = lease->type == VIR_IP_ADDR_TYPE_IPV4 ? "ipv4" : "ipv6";

    table_add(table, (const char *const[]){ table_cell(expires), table_cell(lease->mac), protocol, address,
                                            table_cell(lease->hostname), table_cell(lease->client),
                                            NULL });
}

static int
compare(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(((const Lease *)a)->mac, ((const Lease *)b)->mac);
}

static void
print_leases(GVariant *reply)
{
    static const TableKey keys[] = {
        { "expires", TABLE_TEXT }, { "mac", TABLE_TEXT },      { "protocol", TABLE_TEXT },
        { "address", TABLE_TEXT }, { "hostname", TABLE_TEXT }, { "client-id", TABLE_TEXT },
    };
    const char *titles[] = { _("Expiry Time"), _("MAC address"), _("Protocol"),
                             _("IP address"),  _("Hostname"),    _("Client ID or DUID"),
                             NULL };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);
    g_autoptr(GArray) leases = g_array_new(FALSE, FALSE, sizeof(Lease));
    g_autoptr(GVariantIter) iter = NULL;
    Lease lease;

    g_variant_get(reply, "(a(sxisssuss))", &iter);
    while (g_variant_iter_next(iter, "(&sxi&s&s&su&s&s)", &lease.interface, &lease.expires_s,
                               &lease.type, &lease.mac, &lease.iaid, &lease.address, &lease.prefix,
                               &lease.hostname, &lease.client))
        g_array_append_val(leases, lease);
    g_array_sort(leases, compare);
    for (guint i = 0; i < leases->len; i++)
        add_lease(table, &g_array_index(leases, Lease, i));
    table_print(table, keys);
}

static gboolean
run_dhcp_leases(Session *session, const Args *args, GError **error)
{
    const char *mac = args_string(args, "mac");
    g_autoptr(Object) network = object_from_args(session, &object_network, args, error);
    g_autoptr(GVariant) reply = NULL;

    if (!network)
        return FALSE;
    reply = object_call(network, "GetDHCPLeases", g_variant_new("(su)", mac ? mac : "", 0),
                        "(a(sxisssuss))", error);
    if (reply)
        print_leases(reply);
    else
        output_error(_("Failed to get leases info for %s"), args_string(args, "network"));
    return reply != NULL;
}

static const Option leases_options[] = {
    { "network", OPTION_DATA, OPTION_REQUIRED, N_("the network's name or UUID") },
    { "mac", OPTION_STRING, 0, N_("only those of this MAC address") },
    { NULL },
};

const Command command_net_dhcp_leases = {
    "net-dhcp-leases",
    N_("list the addresses that a network has given out"),
    NULL,
    leases_options,
    run_dhcp_leases,
    COMMAND_JSON,
};
