/* The commands that ask a guest about itself, or change something in it, by its agent: domhostname, domifaddr, domtime,
 * guestinfo, guestvcpus, set-user-password. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* One of the words for where to look; an error for another one. */
static gboolean
read_source(const Args *args, const ArgsFlag *sources, guint *ret, GError **error)
{
    const char *word = args_string(args, "source");

    for (; word && sources->name; sources++) {
        if (strcmp(sources->name, word) == 0) {
            *ret = sources->flag;
            return TRUE;
        }
    }
    return !word || cli_fail(error, _("Unknown data source '%s'"), word);
}

/* domhostname */

static gboolean
run_domhostname(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag sources[] = { { "lease", VIR_DOMAIN_GET_HOSTNAME_LEASE },
                                        { "agent", VIR_DOMAIN_GET_HOSTNAME_AGENT },
                                        { NULL, 0 } };
    guint flags = 0;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;
    const char *name;

    if (!domain || !read_source(args, sources, &flags, error))
        return FALSE;
    reply = domain_call(domain, "GetHostname", g_variant_new("(u)", flags), "(s)", error);
    if (!reply) {
        output_error("%s", _("failed to get hostname"));
        return FALSE;
    }
    g_variant_get(reply, "(&s)", &name);
    return facts_tell("hostname", name, NULL);
}

static const Option hostname_options[] = {
    OPTION_DOMAIN_ANY,
    { "source", OPTION_STRING, OPTION_NAMED_ONLY, N_("who is asked: lease or agent") },
    { NULL },
};

const Command command_domhostname = {
    "domhostname",
    N_("print the host name that a domain's guest has"),
    NULL,
    hostname_options,
    run_domhostname,
    COMMAND_JSON,
};

/* domifaddr */

static void
print_addresses(GVariant *iface, gboolean full)
{
    g_autoptr(GVariantIter) addresses = NULL;
    const char *name, *mac, *text;
    gboolean first = TRUE;
    guint prefix;
    int type;

    g_variant_get(iface, "(&s&sa(isu))", &name, &mac, &addresses);
    if (g_variant_iter_n_children(addresses) == 0)
        output(" %-10s %-17s    %-12s %s\n", name, mac, "N/A", "N/A");
    while (g_variant_iter_next(addresses, "(i&su)", &type, &text, &prefix)) {
        output(" %-10s %-17s    %-12s %s/%u\n", first || full ? name : "-",
               first || full ? mac : "-", type == VIR_IP_ADDR_TYPE_IPV6 ? "ipv6" : "ipv4", text,
               prefix);
        first = FALSE;
    }
}

/* One object for each address; an interface without any is one as well. */
static GVariant *
address_value(const char *name, const char *mac, const char *protocol, const char *address,
              guint prefix)
{
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&object, "{sv}", "name", g_variant_new_string(name));
    g_variant_builder_add(&object, "{sv}", "mac", g_variant_new_string(mac));
    g_variant_builder_add(&object, "{sv}", "protocol", g_variant_new("ms", protocol));
    g_variant_builder_add(&object, "{sv}", "address", g_variant_new("ms", address));
    g_variant_builder_add(&object, "{sv}", "prefix", g_variant_new_uint32(prefix));
    return g_variant_builder_end(&object);
}

static void
add_addresses(GVariantBuilder *all, GVariant *iface, const char *only)
{
    g_autoptr(GVariantIter) addresses = NULL;
    const char *name, *mac, *text;
    guint prefix;
    int type;

    g_variant_get(iface, "(&s&sa(isu))", &name, &mac, &addresses);
    if (only && strcmp(only, name) != 0)
        return;
    if (g_variant_iter_n_children(addresses) == 0)
        g_variant_builder_add_value(all, address_value(name, mac, NULL, NULL, 0));
    while (g_variant_iter_next(addresses, "(i&su)", &type, &text, &prefix))
        g_variant_builder_add_value(
            all, address_value(name, mac, type == VIR_IP_ADDR_TYPE_IPV6 ? "ipv6" : "ipv4", text,
                               prefix));
}

static void
json_interfaces(GVariant *list, const char *only)
{
    GVariantBuilder all;

    g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) iface = g_variant_get_child_value(list, i);
        add_addresses(&all, iface, only);
    }
    output_json(g_variant_builder_end(&all));
}

static void
print_interfaces(GVariant *list, const char *only, gboolean full)
{
    if (output_is_json()) {
        json_interfaces(list, only);
        return;
    }
    output_extra(" %-*s %-*s %-*s     %s\n", text_in(10, _("Name")), text_in(20, _("MAC address")),
                 text_in(8, _("Protocol")), _("Address"));
    output_extra("%s\n", "---------------------------------------"
                         "----------------------------------------");
    for (gsize i = 0; i < g_variant_n_children(list); i++) {
        g_autoptr(GVariant) iface = g_variant_get_child_value(list, i);
        const char *name;

        g_variant_get_child(iface, 0, "&s", &name);
        if (!only || strcmp(only, name) == 0)
            print_addresses(iface, full);
    }
}

static gboolean
run_domifaddr(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag sources[] = {
        { "lease", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE },
        { "agent", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT },
        { "arp", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP },
        { NULL, 0 },
    };
    guint source = VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL, list = NULL;

    if (!domain || !read_source(args, sources, &source, error))
        return FALSE;
    reply = domain_call(domain, "InterfaceAddresses", g_variant_new("(uu)", source, 0),
                        "(a(ssa(isu)))", error);
    if (!reply) {
        output_error("%s", _("Failed to query for interfaces addresses"));
        return FALSE;
    }
    list = g_variant_get_child_value(reply, 0);
    print_interfaces(list, args_string(args, "interface"), args_has(args, "full"));
    return TRUE;
}

static const Option ifaddr_options[] = {
    OPTION_DOMAIN_ANY,
    { "interface", OPTION_STRING, OPTION_NAMED_ONLY, N_("the only one to show") },
    { "full", OPTION_BOOL, 0, N_("show names and MAC addresses on each line") },
    { "source", OPTION_STRING, OPTION_NAMED_ONLY,
      N_("who is asked: lease (the default), agent or arp") },
    { NULL },
};

const Command command_domifaddr = {
    "domifaddr",
    N_("list the addresses of a domain's network interfaces"),
    N_("The agent knows all that the guest has; arp is what the host's kernel has heard of."),
    ifaddr_options,
    run_domifaddr,
    COMMAND_JSON,
};

/* domtime */

static gboolean
print_time(Domain *domain, gboolean pretty, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetTime", g_variant_new("(u)", 0), "((tu))", error);
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *text = NULL;
    guint64 seconds;
    guint nseconds;

    if (!reply)
        return FALSE;
    g_variant_get(reply, "((tu))", &seconds, &nseconds);
    if (output_is_json()) {
        output_json(g_variant_new_parsed("{'time-s': <%t>, 'nanoseconds': <%u>}", seconds, nseconds));
        return TRUE;
    }
    time = pretty ? g_date_time_new_from_unix_utc(MIN(seconds, G_MAXINT64)) : NULL;
    text = time ? g_date_time_format(time, "%Y-%m-%d %H:%M:%S")
                : g_strdup_printf("%" G_GUINT64_FORMAT, seconds);
    output(_("Time: %s"), text);
    return TRUE;
}

static gboolean
set_time(Domain *domain, const Args *args, GError **error)
{
    gint64 now = g_get_real_time();
    guint flags = args_has(args, "sync") ? VIR_DOMAIN_TIME_SYNC : 0;
    guint64 seconds = args_int64(args, "time", 0);
    guint nseconds = 0;

    if (args_has(args, "now")) {
        seconds = now / G_USEC_PER_SEC;
        nseconds = now % G_USEC_PER_SEC * 1000;
    }
    return domain_do(domain, "SetTime", g_variant_new("(tuu)", seconds, nseconds, flags), error);
}

static gboolean
run_domtime(Session *session, const Args *args, GError **error)
{
    gboolean set = args_has(args, "time") || args_has(args, "now") || args_has(args, "sync");
    g_autoptr(Domain) domain = NULL;

    if (!args_exclusive(args, "time", "now", error) ||
        !args_exclusive(args, "time", "sync", error) || !args_exclusive(args, "now", "sync", error))
        return FALSE;
    domain = domain_from_args(session, args, error);
    if (!domain)
        return FALSE;
    return set ? set_time(domain, args, error)
               : print_time(domain, args_has(args, "pretty"), error);
}

static const Option time_options[] = {
    OPTION_DOMAIN_ANY,
    { "now", OPTION_BOOL, 0, N_("set it to this host's time") },
    { "pretty", OPTION_BOOL, 0, N_("print it as a date, in UTC") },
    { "sync", OPTION_BOOL, 0, N_("set it to what the guest's battery-backed clock says") },
    { "time", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE, N_("set it: seconds since 1970") },
    { NULL },
};

const Command command_domtime = {
    "domtime",
    N_("print or set the clock of a domain's guest"),
    N_("The guest's agent is asked."),
    time_options,
    run_domtime,
    COMMAND_CHANGES | COMMAND_JSON,
};

/* guestinfo */

static char *
value_text(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(text_yes(g_variant_get_boolean(value)));
    return g_variant_print(value, FALSE);
}

static gboolean
run_guestinfo(Session *session, const Args *args, GError **error)
{
    static const ArgsFlag types[] = {
        { "user", VIR_DOMAIN_GUEST_INFO_USERS },
        { "os", VIR_DOMAIN_GUEST_INFO_OS },
        { "timezone", VIR_DOMAIN_GUEST_INFO_TIMEZONE },
        { "hostname", VIR_DOMAIN_GUEST_INFO_HOSTNAME },
        { "filesystem", VIR_DOMAIN_GUEST_INFO_FILESYSTEM },
        { "disk", VIR_DOMAIN_GUEST_INFO_DISKS },
        { "interface", VIR_DOMAIN_GUEST_INFO_INTERFACES },
        { NULL, 0 },
    };
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariantIter) params = NULL;
    const char *name;
    GVariant *value;

    if (!domain)
        return FALSE;
    reply =
        connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE, "GetGuestInfo",
                        g_variant_new("(uu)", args_flags(args, types), 0), "(a{sv})", error);
    if (!reply)
        return FALSE;
    if (output_is_json()) {
        g_autoptr(GVariant) all = g_variant_get_child_value(reply, 0);

        output_json(all);
        return TRUE;
    }
    g_variant_get(reply, "(a{sv})", &params);
    while (g_variant_iter_loop(params, "{&sv}", &name, &value)) {
        g_autofree char *text = value_text(value);

        output("%-20s: %s\n", name, text);
    }
    return TRUE;
}

static const Option guestinfo_options[] = {
    OPTION_DOMAIN_ANY,
    { "user", OPTION_BOOL, 0, N_("users that are logged in") },
    { "os", OPTION_BOOL, 0, N_("the operating system") },
    { "timezone", OPTION_BOOL, 0, N_("the time zone") },
    { "hostname", OPTION_BOOL, 0, N_("the host name") },
    { "filesystem", OPTION_BOOL, 0, N_("mounted file systems") },
    { "disk", OPTION_BOOL, 0, N_("disks and partitions") },
    { "interface", OPTION_BOOL, 0, N_("network interfaces") },
    { NULL },
};

const Command command_guestinfo = {
    "guestinfo",
    N_("print what the agent of a domain's guest knows of it"),
    N_("Without an option: everything that the agent can tell."),
    guestinfo_options,
    run_guestinfo,
    COMMAND_JSON,
};

/* guestvcpus */

#define VCPU_ID_MAX 4095

/* One part of a list, "2", "0-3" or "^1", into @map; FALSE where it is none. */
static gboolean
read_range(const char *text, gboolean *map, guint *n)
{
    gboolean set = *text != '^';
    guint64 first, last;
    char *end;

    text += !set;
    if (!g_ascii_isdigit(*text))
        return FALSE;
    first = last = g_ascii_strtoull(text, &end, 10);
    if (set && *end == '-' && g_ascii_isdigit(end[1]))
        last = g_ascii_strtoull(end + 1, &end, 10);
    if (*end || first > last || last > VCPU_ID_MAX)
        return FALSE;
    for (guint64 i = first; i <= last; i++)
        map[i] = set;
    *n = MAX(*n, (guint)last + 1);
    return TRUE;
}

/* The list as an array of booleans; floating, NULL with @error. */
static GVariant *
read_cpulist(const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autofree gboolean *map = g_new0(gboolean, VCPU_ID_MAX + 1);
    GVariantBuilder list;
    guint n = 0;

    for (gsize i = 0; parts[i]; i++) {
        if (!read_range(parts[i], map, &n)) {
            cli_fail(error, _("invalid argument: Failed to parse bitmap '%s'"), text);
            return NULL;
        }
    }
    g_variant_builder_init(&list, G_VARIANT_TYPE("ab"));
    for (guint i = 0; i < n; i++)
        g_variant_builder_add(&list, "b", map[i]);
    return g_variant_builder_end(&list);
}

static gboolean
set_vcpus(Domain *domain, const char *cpulist, gboolean enable, GError **error)
{
    GVariant *list = read_cpulist(cpulist, error);

    return list &&
           domain_do(domain, "SetGuestVcpus", g_variant_new("(@abiu)", list, enable, 0), error);
}

static gboolean
print_vcpus(Domain *domain, GError **error)
{
    static const char *const names[] = { "vcpus", "online", "offlinable" };
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetGuestVcpus", g_variant_new("(u)", 0), "(a{sv})", error);
    g_autoptr(GVariant) inner = reply ? g_variant_get_child_value(reply, 0) : NULL;
    g_autoptr(GVariantDict) dict = inner ? g_variant_dict_new(inner) : NULL;

    if (inner && output_is_json()) {
        output_json(inner);
        return TRUE;
    }
    for (gsize i = 0; dict && i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GVariant) value = variant_dict_unwrap(dict, names[i], "s");

        if (value)
            output("%-15s: %s\n", names[i], g_variant_get_string(value, NULL));
    }
    return dict != NULL;
}

static gboolean
run_guestvcpus(Session *session, const Args *args, GError **error)
{
    const char *cpulist = args_string(args, "cpulist");
    gboolean enable = args_has(args, "enable"), disable = args_has(args, "disable");
    g_autoptr(Domain) domain = NULL;

    if (!args_exclusive(args, "enable", "disable", error))
        return FALSE;
    if ((enable || disable) && !cpulist)
        return cli_fail(error, _("Option --%s is required by option --%s"), "cpulist",
                        enable ? "enable" : "disable");
    if (cpulist && !enable && !disable)
        return cli_fail(error, "%s",
                        _("One of options --enable or --disable is required by option --cpulist"));
    domain = domain_from_args(session, args, error);
    if (!domain)
        return FALSE;
    return cpulist ? set_vcpus(domain, cpulist, enable, error) : print_vcpus(domain, error);
}

static const Option guestvcpus_options[] = {
    OPTION_DOMAIN_ANY,
    { "cpulist", OPTION_STRING, OPTION_NAMED_ONLY, N_("CPUs, such as 0-3,^2,5") },
    { "enable", OPTION_BOOL, 0, N_("let the guest use them") },
    { "disable", OPTION_BOOL, 0, N_("let the guest do without them") },
    { NULL },
};

const Command command_guestvcpus = {
    "guestvcpus",
    N_("print or change which CPUs a domain's guest uses"),
    N_("The guest's agent is asked."),
    guestvcpus_options,
    run_guestvcpus,
    COMMAND_CHANGES | COMMAND_JSON,
};

/* set-user-password */

static gboolean
run_set_user_password(Session *session, const Args *args, GError **error)
{
    const char *user = args_string(args, "user");
    guint flags = args_has(args, "encrypted") ? VIR_DOMAIN_PASSWORD_ENCRYPTED : 0;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain ||
        !domain_do(domain, "SetUserPassword",
                   g_variant_new("(ssu)", user, args_string(args, "password"), flags), error))
        return FALSE;
    output_extra(_("Password set successfully for %s in %s"), user, domain->name);
    return TRUE;
}

static const Option password_options[] = {
    OPTION_DOMAIN_ANY,
    { "user", OPTION_DATA, OPTION_REQUIRED, N_("a user of the guest") },
    { "password", OPTION_DATA, OPTION_REQUIRED, N_("the new password") },
    { "encrypted", OPTION_BOOL, 0, N_("it is one as the guest keeps them") },
    { NULL },
};

const Command command_set_user_password = {
    "set-user-password",
    N_("change the password of a user of a domain's guest"),
    N_("The guest's agent is asked."),
    password_options,
    run_set_user_password,
    COMMAND_CHANGES,
};
