/* The commands about a domain's CPUs and those of the host that they run on: vcpuinfo, vcpucount, vcpupin,
 * emulatorpin, cpu-stats.
 */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/cpulist.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* aab: the map of each vCPU; NULL with @error. */
static GVariant *
vcpu_pins(Domain *domain, guint flags, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetVcpuPinInfo", g_variant_new("(u)", flags), "(aab)", error);

    return reply ? g_variant_get_child_value(reply, 0) : NULL;
}

static gsize
map_size(GVariant *maps)
{
    g_autoptr(GVariant) first =
        g_variant_n_children(maps) ? g_variant_get_child_value(maps, 0) : NULL;

    return first ? g_variant_n_children(first) : 0;
}

/* vcpuinfo */

static void
print_affinity(GVariant *map, gboolean pretty)
{
    g_autofree char *text = pretty ? cpulist_format(map) : cpulist_format_letters(map);

    output("%-*s ", text_in(15, _("CPU Affinity:")));
    if (pretty)
        output(_("%s (out of %zu)"), text, g_variant_n_children(map));
    else
        output("%s", text);
    output("\n");
}

static const char *
vcpu_state(int state)
{
    switch (state) {
    case VIR_VCPU_OFFLINE:
        return _("offline");
    case VIR_VCPU_RUNNING:
        return _("running");
    case VIR_VCPU_BLOCKED:
        return _("blocked");
    default:
        return _("no state");
    }
}

/* What there is only of a guest that runs is null otherwise. */
static void
add_vcpu(GVariantBuilder *all, guint number, int cpu, const char *state, guint64 time_ns,
         GVariant *map)
{
    g_autofree char *affinity = cpulist_format(map);
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    g_variant_builder_add(&object, "{sv}", "vcpu", g_variant_new_uint32(number));
    g_variant_builder_add(&object, "{sv}", "cpu", g_variant_new("mi", state != NULL, cpu));
    g_variant_builder_add(&object, "{sv}", "state", g_variant_new("ms", state));
    g_variant_builder_add(&object, "{sv}", "cpu-time-ns",
                          g_variant_new("mt", state != NULL, time_ns));
    g_variant_builder_add(&object, "{sv}", "affinity", g_variant_new_string(affinity));
    g_variant_builder_add_value(all, g_variant_builder_end(&object));
}

/* Of (uiti@ab), or of the maps alone. */
static void
json_vcpus(GVariant *vcpus, gboolean running)
{
    GVariantBuilder all;

    g_variant_builder_init(&all, G_VARIANT_TYPE("aa{sv}"));
    for (gsize i = 0; i < g_variant_n_children(vcpus); i++) {
        g_autoptr(GVariant) map = NULL;
        guint number = (guint)i;
        int state = 0, cpu = 0;
        guint64 time_ns = 0;

        if (running)
            g_variant_get_child(vcpus, i, "(uiti@ab)", &number, &state, &time_ns, &cpu, &map);
        else
            map = g_variant_get_child_value(vcpus, i);
        add_vcpu(&all, number, cpu, running ? vcpu_state(state) : NULL, time_ns, map);
    }
    output_json(g_variant_builder_end(&all));
}

static void
print_running(GVariant *vcpus, gboolean pretty)
{
    gsize n = g_variant_n_children(vcpus);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) map = NULL;
        guint number;
        int state, cpu;
        guint64 time_ns;

        g_variant_get_child(vcpus, i, "(uiti@ab)", &number, &state, &time_ns, &cpu, &map);
        output("%-*s %u\n", text_in(15, _("VCPU:")), number);
        output("%-*s %d\n", text_in(15, _("CPU:")), cpu);
        output("%-*s %s\n", text_in(15, _("State:")), vcpu_state(state));
        output("%-*s %.1lfs\n", text_in(15, _("CPU time:")), time_ns / 1e9);
        print_affinity(map, pretty);
        if (i + 1 < n)
            output("\n");
    }
}

static void
print_defined(GVariant *maps, gboolean pretty)
{
    gsize n = g_variant_n_children(maps);

    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) map = g_variant_get_child_value(maps, i);

        output("%-*s %zu\n", text_in(15, _("VCPU:")), i);
        output("%-*s %s\n", text_in(15, _("CPU:")), _("N/A"));
        output("%-*s %s\n", text_in(15, _("State:")), _("N/A"));
        output("%-*s %s\n", text_in(15, _("CPU time")), _("N/A"));
        print_affinity(map, pretty);
        if (i + 1 < n)
            output("\n");
    }
}

static gboolean
run_vcpuinfo(Session *session, const Args *args, GError **error)
{
    gboolean pretty = args_has(args, "pretty"), active;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) vcpus = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !domain_is_active(domain, &active, error))
        return FALSE;
    if (!active) {
        vcpus = vcpu_pins(domain, VIR_DOMAIN_AFFECT_CONFIG, error);
        if (vcpus && output_is_json())
            json_vcpus(vcpus, FALSE);
        else if (vcpus)
            print_defined(vcpus, pretty);
        return vcpus != NULL;
    }
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE, "GetVcpuInfo",
                            NULL, "(a(uitiab))", error);
    if (!reply)
        return FALSE;
    vcpus = g_variant_get_child_value(reply, 0);
    if (output_is_json())
        json_vcpus(vcpus, TRUE);
    else
        print_running(vcpus, pretty);
    return TRUE;
}

static const Option vcpuinfo_options[] = {
    OPTION_DOMAIN_ANY,
    { "pretty", OPTION_BOOL, 0, N_("the host's CPUs as a list") },
    { NULL },
};

const Command command_vcpuinfo = {
    "vcpuinfo",   N_("print what a domain's virtual CPUs do"), NULL, vcpuinfo_options, run_vcpuinfo,
    COMMAND_JSON,
};

/* vcpucount */

static gboolean
get_count(Domain *domain, guint flags, guint *ret, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetVcpus", g_variant_new("(u)", flags), "(u)", error);

    if (reply)
        g_variant_get(reply, "(u)", ret);
    return reply != NULL;
}

static const struct {
    const char *kind, *where; /* N_() */
    guint flags;
} counts[] = {
    { N_("maximum"), N_("config"), VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_AFFECT_CONFIG },
    { N_("maximum"), N_("live"), VIR_DOMAIN_VCPU_MAXIMUM | VIR_DOMAIN_AFFECT_LIVE },
    { N_("current"), N_("config"), VIR_DOMAIN_AFFECT_CONFIG },
    { N_("current"), N_("live"), VIR_DOMAIN_AFFECT_LIVE },
};

static gboolean
is_persistent(Domain *domain)
{
    g_autoptr(GVariant) value =
        connection_get(domain->connection, domain->path, DOMAIN_INTERFACE, "Persistent", "b", NULL);

    return value && g_variant_get_boolean(value);
}

static gboolean
print_counts(Domain *domain, GError **error)
{
    gboolean persistent = is_persistent(domain), active;
    g_autoptr(Facts) facts = facts_new();
    guint n;

    if (!domain_is_active(domain, &active, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
        g_autofree char *key = g_strdup_printf("%s-%s", counts[i].kind, counts[i].where);

        if (!(counts[i].flags & VIR_DOMAIN_AFFECT_LIVE ? active : persistent))
            continue;
        if (!get_count(domain, counts[i].flags, &n, error))
            return FALSE;
        if (output_is_json())
            facts_add(facts, key, NULL, NULL, g_variant_new_uint32(n));
        else
            output("%-*s %-*s %3u\n", text_in(12, _(counts[i].kind)),
                   text_in(12, _(counts[i].where)), n);
    }
    if (output_is_json())
        facts_print(facts, 0);
    return TRUE;
}

static const ArgsFlag count_flags[] = {
    { "maximum", VIR_DOMAIN_VCPU_MAXIMUM },
    { "live", VIR_DOMAIN_AFFECT_LIVE },
    { "config", VIR_DOMAIN_AFFECT_CONFIG },
    { "guest", VIR_DOMAIN_VCPU_GUEST },
    { NULL, 0 },
};

static gboolean
print_count(Domain *domain, const Args *args, GError **error)
{
    guint n;

    if (!get_count(domain, args_flags(args, count_flags), &n, error)) {
        if (args_has(args, "guest"))
            output_error("%s", _("Failed to retrieve vCPU count from the guest"));
        return FALSE;
    }
    if (output_is_json())
        output_json(g_variant_new_parsed("{'vcpus': <%u>}", n));
    else
        output("%u\n", n);
    return TRUE;
}

static gboolean
run_vcpucount(Session *session, const Args *args, GError **error)
{
    gboolean any =
        args_flags(args, count_flags) != 0 || args_has(args, "active") || args_has(args, "current");
    g_autoptr(Domain) domain = NULL;

    if (!args_exclusive(args, "live", "config", error) ||
        !args_exclusive(args, "active", "maximum", error) ||
        !args_exclusive(args, "guest", "config", error))
        return FALSE;
    domain = domain_from_args(session, args, error);
    return domain && (any ? print_count(domain, args, error) : print_counts(domain, error));
}

static const Option vcpucount_options[] = {
    OPTION_DOMAIN_ANY,
    { "maximum", OPTION_BOOL, 0, N_("how many it may have") },
    { "active", OPTION_BOOL, 0, N_("how many it has") },
    { "live", OPTION_BOOL, 0, N_("in the guest that runs") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition") },
    { "guest", OPTION_BOOL, OPTION_CHANGES, N_("as the guest itself counts") },
    { NULL },
};

const Command command_vcpucount = {
    "vcpucount",
    N_("print how many virtual CPUs a domain has"),
    N_("Without an option: both numbers of both definitions."),
    vcpucount_options,
    run_vcpucount,
    COMMAND_JSON,
};

/* vcpupin */

static gboolean
is_live(Domain *domain, guint flags)
{
    gboolean active = FALSE;

    return !(flags & VIR_DOMAIN_AFFECT_CONFIG) && domain_is_active(domain, &active, NULL) && active;
}

static void
print_pins(GVariant *pins, int only)
{
    const char *const titles[] = { _("VCPU"), _("CPU Affinity"), NULL };
    static const TableKey keys[] = { { "vcpu", TABLE_NUMBER }, { "affinity" } };
    g_autoptr(Table) table = table_new(output_quiet() ? NULL : titles);

    for (gsize i = 0; i < g_variant_n_children(pins); i++) {
        g_autoptr(GVariant) map = g_variant_get_child_value(pins, i);
        g_autofree char *number = g_strdup_printf("%zu", i);
        g_autofree char *list = cpulist_format(map);
        const char *const cells[] = { number, list, NULL };

        if (only < 0 || (gsize)only == i)
            table_add(table, cells);
    }
    table_print(table, keys);
}

/* Where nothing is said it is a guest that runs, as with virsh; of flags libvirt's test driver knows nothing here. */
static gboolean
check_runs(Domain *domain, const Args *args, guint flags, GError **error)
{
    gboolean active = FALSE;

    if (flags || args_has(args, "current"))
        return TRUE;
    return domain_is_active(domain, &active, error) &&
           (active || cli_fail(error, "%s", _("The domain is not running")));
}

static gboolean
pin_vcpu(Domain *domain, const Args *args, GVariant *pins, guint flags, GError **error)
{
    g_autoptr(GVariant) map = NULL;

    if (!args_has(args, "vcpu"))
        return cli_fail(error, "%s", _("vcpupin: Missing vCPU number in pin mode."));
    if (!check_runs(domain, args, flags, error))
        return FALSE;
    map = cpulist_parse(args_string(args, "cpulist"), map_size(pins), error);
    return map && domain_do(domain, "PinVcpu",
                            g_variant_new("(u@abu)", (guint)args_int(args, "vcpu", 0),
                                          g_steal_pointer(&map), flags),
                            error);
}

static gboolean
run_vcpupin(Session *session, const Args *args, GError **error)
{
    gboolean query = !args_has(args, "cpulist");
    int vcpu = args_int(args, "vcpu", -1);
    g_autoptr(GVariant) pins = NULL;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error) ||
        (query && !args_exclusive(args, "live", "config", error)))
        return FALSE;
    pins = vcpu_pins(domain, query ? flags : 0, error);
    if (!pins)
        return FALSE;
    if (!query)
        return pin_vcpu(domain, args, pins, flags, error);
    if (args_has(args, "vcpu") && (vcpu < 0 || (gsize)vcpu >= g_variant_n_children(pins)))
        return cli_fail(error,
                        is_live(domain, flags)
                            ? _("vcpu %d is out of range of live cpu count %zu")
                            : _("vcpu %d is out of range of persistent cpu count %zu"),
                        vcpu, g_variant_n_children(pins));
    print_pins(pins, vcpu);
    return TRUE;
}

static const Option vcpupin_options[] = {
    OPTION_DOMAIN_ANY,
    { "vcpu", OPTION_INT, 0, N_("this virtual CPU") },
    { "cpulist", OPTION_STRING, OPTION_EMPTY_OK | OPTION_CHANGES,
      N_("the host's CPUs to run on, such as 0-3,^2; without it, print them") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_vcpupin = {
    "vcpupin",   N_("print or change on which of the host's CPUs a virtual CPU runs"),
    NULL,        vcpupin_options,
    run_vcpupin, COMMAND_JSON,
};

/* emulatorpin */

static gboolean
run_emulatorpin(Session *session, const Args *args, GError **error)
{
    gboolean query = !args_has(args, "cpulist");
    guint otherwise = query ? VIR_DOMAIN_AFFECT_CURRENT : VIR_DOMAIN_AFFECT_LIVE;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) map = NULL;
    g_autofree char *text = NULL;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, otherwise, &flags, error))
        return FALSE;
    reply = domain_call(domain, "GetEmulatorPinInfo", g_variant_new("(u)", query ? flags : 0),
                        "(ab)", error);
    if (!reply)
        return FALSE;
    map = g_variant_get_child_value(reply, 0);
    if (!query) {
        GVariant *wanted =
            cpulist_parse(args_string(args, "cpulist"), g_variant_n_children(map), error);

        return wanted &&
               domain_do(domain, "PinEmulator", g_variant_new("(@abu)", wanted, flags), error);
    }
    text = cpulist_format(map);
    if (output_is_json()) {
        output_json(g_variant_new_parsed("{'affinity': <%s>}", text));
        return TRUE;
    }
    output_extra("%s %s\n", _("emulator:"), _("CPU Affinity"));
    output_extra("----------------------------------\n");
    output_extra("       *: ");
    output("%s\n", text);
    return TRUE;
}

static const Option emulatorpin_options[] = {
    OPTION_DOMAIN_ANY,
    { "cpulist", OPTION_STRING, OPTION_EMPTY_OK | OPTION_CHANGES,
      N_("the host's CPUs to run on, such as 0-3,^2; without it, print them") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_emulatorpin = {
    "emulatorpin",
    N_("print or change on which of the host's CPUs a domain's emulator runs"),
    N_("These are all threads of a guest's process that are no virtual CPUs."),
    emulatorpin_options,
    run_emulatorpin,
    COMMAND_JSON,
};

/* cpu-stats */

static void
print_time(GVariantDict *stats, const char *key)
{
    g_autoptr(GVariant) value = variant_dict_unwrap(stats, key, "t");
    guint64 ns = value ? g_variant_get_uint64(value) : 0;

    if (value)
        output("\t%-12s %9" G_GUINT64_FORMAT ".%09" G_GUINT64_FORMAT " seconds\n", key,
               ns / 1000000000, ns % 1000000000);
}

/* The same times, with their unit in the key. */
static void
print_times_json(GVariantDict *stats)
{
    static const char *const times[][2] = {
        { VIR_DOMAIN_CPU_STATS_CPUTIME, "cpu-time-ns" },
        { VIR_DOMAIN_CPU_STATS_USERTIME, "user-time-ns" },
        { VIR_DOMAIN_CPU_STATS_SYSTEMTIME, "system-time-ns" },
    };
    GVariantBuilder object;

    g_variant_builder_init(&object, G_VARIANT_TYPE_VARDICT);
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autoptr(GVariant) value = variant_dict_unwrap(stats, times[i][0], "t");

        g_variant_builder_add(&object, "{sv}", times[i][1],
                              value ? value : g_variant_new_maybe(G_VARIANT_TYPE_UINT64, NULL));
    }
    output_json(g_variant_builder_end(&object));
}

static gboolean
run_cpu_stats(Session *session, const Args *args, GError **error)
{
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) dictionary = NULL;
    g_autoptr(GVariantDict) stats = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (args_int(args, "start", 0) < 0)
        return cli_fail(error, "%s", _("Invalid value for start CPU"));
    if (args_has(args, "start") || args_has(args, "count"))
        return cli_fail(error, "%s",
                        _("The host does not keep count by CPU; see --total and vcpuinfo"));
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE, "GetCPUStats",
                            g_variant_new("(u)", 0), "(a{sv})", error);
    if (!reply) {
        output_error(_("Failed to retrieve CPU statistics for domain '%s'"), domain->name);
        return FALSE;
    }
    dictionary = g_variant_get_child_value(reply, 0);
    stats = g_variant_dict_new(dictionary);
    if (output_is_json()) {
        print_times_json(stats);
        return TRUE;
    }
    output(_("Total:\n"));
    print_time(stats, VIR_DOMAIN_CPU_STATS_CPUTIME);
    print_time(stats, VIR_DOMAIN_CPU_STATS_USERTIME);
    print_time(stats, VIR_DOMAIN_CPU_STATS_SYSTEMTIME);
    return TRUE;
}

static const Option cpu_stats_options[] = {
    OPTION_DOMAIN_ANY,
    { "total", OPTION_BOOL, 0, N_("of all CPUs together (it always is)") },
    { "start", OPTION_INT, 0, N_("from this CPU of the host on") },
    { "count", OPTION_INT, 0, N_("of so many CPUs of the host") },
    { NULL },
};

const Command command_cpu_stats = {
    "cpu-stats",
    N_("print how much of the host's CPUs a domain has used"),
    N_("Control groups of version 2 keep no count by CPU, so it is of all of them."),
    cpu_stats_options,
    run_cpu_stats,
    COMMAND_JSON,
};
