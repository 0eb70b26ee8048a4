/* The commands about the host: its processors, its memory, and what guests on it can have. */
#include "cli/commands.h"

#include "cli/args.h"
#include "cli/document.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/session.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static GVariant *
call(Session *session, const char *method, GVariant *parameters, const char *reply_type,
     GError **error)
{
    return connection_call(session->connection, connection_root(session->connection),
                           CONNECT_INTERFACE, method, parameters, reply_type, error);
}

static void
add_number(Facts *facts, const char *key, const char *title, const char *unit, guint64 number)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);
    g_autofree char *text = g_strconcat(digits, unit, NULL);

    facts_add(facts, key, title, text, g_variant_new_uint64(number));
}

/* nodeinfo */

static gboolean
run_nodeinfo(Session *session, const Args *args, GError **error)
{
    guint cpus, mhz, nodes, sockets, cores, threads;
    guint64 memory_kib;
    const char *model;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariant) reply =
        connection_call(session->connection, connection_root(session->connection),
                        VMCTL_CONNECT_INTERFACE, "NodeGetInfo", NULL, "((stuuuuuu))", error);

    if (!reply) {
        output_error("%s", _("failed to get node information"));
        return FALSE;
    }
    g_variant_get(reply, "((&stuuuuuu))", &model, &memory_kib, &cpus, &mhz, &nodes, &sockets,
                  &cores, &threads);
    facts_add(facts, "cpu-model", _("CPU model:"), model, NULL);
    add_number(facts, "cpus", _("CPU(s):"), "", cpus);
    add_number(facts, "cpu-mhz", mhz ? _("CPU frequency:") : NULL, " MHz", mhz);
    add_number(facts, "sockets", _("CPU socket(s):"), "", sockets);
    add_number(facts, "cores-per-socket", _("Core(s) per socket:"), "", cores);
    add_number(facts, "threads-per-core", _("Thread(s) per core:"), "", threads);
    add_number(facts, "numa-cells", _("NUMA cell(s):"), "", nodes);
    add_number(facts, "memory-kib", _("Memory size:"), " KiB", memory_kib);
    facts_print(facts, 20);
    return TRUE;
}

const Command command_nodeinfo = {
    "nodeinfo",   N_("print the host's processors and memory"), NULL, NULL, run_nodeinfo,
    COMMAND_JSON,
};

/* nodecpumap */

/* "0,2-4" */
static char *
map_text(GVariant *map)
{
    GString *text = g_string_new(NULL);
    gsize n = g_variant_n_children(map);
    gboolean on;

    for (gsize i = 0; i < n; i++) {
        gsize first = i;

        for (; i < n; i++) {
            g_variant_get_child(map, i, "b", &on);
            if (!on)
                break;
        }
        if (i > first)
            g_string_append_printf(text, "%s%" G_GSIZE_FORMAT, text->len ? "," : "", first);
        if (i > first + 1)
            g_string_append_printf(text, "-%" G_GSIZE_FORMAT, i - 1);
    }
    return g_string_free(text, FALSE);
}

static char *
map_letters(GVariant *map, guint *ret_online)
{
    gsize n = g_variant_n_children(map);
    char *letters = g_malloc0(n + 1);
    gboolean on;

    *ret_online = 0;
    for (gsize i = 0; i < n; i++) {
        g_variant_get_child(map, i, "b", &on);
        letters[i] = on ? 'y' : '-';
        *ret_online += on ? 1 : 0;
    }
    return letters;
}

static gboolean
run_nodecpumap(Session *session, const Args *args, GError **error)
{
    guint online;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariant) map = NULL;
    g_autofree char *letters = NULL;
    g_autofree char *ranges = NULL;
    g_autoptr(GVariant) reply =
        call(session, "NodeGetCPUMap", g_variant_new("(u)", 0), "(ab)", error);

    if (!reply) {
        output_error("%s", _("Unable to get cpu map"));
        return FALSE;
    }
    map = g_variant_get_child_value(reply, 0);
    letters = map_letters(map, &online);
    ranges = map_text(map);
    add_number(facts, "present", _("CPUs present:"), "", g_variant_n_children(map));
    add_number(facts, "online", _("CPUs online:"), "", online);
    facts_add(facts, "map", _("CPU map:"), args_has(args, "pretty") ? ranges : letters, map);
    facts_print(facts, 15);
    return TRUE;
}

static const Option nodecpumap_options[] = {
    { "pretty", OPTION_BOOL, 0, N_("as ranges of numbers") },
    { NULL },
};

const Command command_nodecpumap = {
    "nodecpumap",   N_("print which of the host's processors are online"),
    NULL,           nodecpumap_options,
    run_nodecpumap, COMMAND_JSON,
};

/* nodecpustats */

/* virsh's rows; a figure that the daemon has not is not shown. */
static const struct {
    const char *figure, *key, *title;
} cpu_rows[] = {
    { VIR_NODE_CPU_STATS_USER, "user", N_("user:") },
    { VIR_NODE_CPU_STATS_KERNEL, "system", N_("system:") },
    { VIR_NODE_CPU_STATS_IDLE, "idle", N_("idle:") },
    { VIR_NODE_CPU_STATS_IOWAIT, "iowait", N_("iowait:") },
};
#define N_CPU_ROWS G_N_ELEMENTS(cpu_rows)

typedef struct CpuTimes {
    guint64 ns[N_CPU_ROWS];
    gboolean known[N_CPU_ROWS];
} CpuTimes;

static gboolean
get_cpu_times(Session *session, int cpu, CpuTimes *ret, GError **error)
{
    g_autoptr(GVariant) figures = NULL;
    g_autoptr(GVariant) reply =
        call(session, "NodeGetCPUStats", g_variant_new("(iu)", cpu, 0), "(a{st})", error);

    if (!reply) {
        output_error("%s", _("Unable to get number of cpu stats"));
        return FALSE;
    }
    figures = g_variant_get_child_value(reply, 0);
    for (gsize i = 0; i < N_CPU_ROWS; i++)
        ret->known[i] = g_variant_lookup(figures, cpu_rows[i].figure, "t", &ret->ns[i]);
    return TRUE;
}

static void
print_cpu_times(const CpuTimes *times)
{
    g_autoptr(Facts) facts = facts_new();

    for (gsize i = 0; i < N_CPU_ROWS; i++) {
        g_autofree char *text = g_strdup_printf("%20" G_GUINT64_FORMAT, times->ns[i]);

        if (times->known[i])
            facts_add(facts, cpu_rows[i].key, _(cpu_rows[i].title), text,
                      g_variant_new_uint64(times->ns[i]));
    }
    facts_print(facts, 15);
}

static void
add_percent(Facts *facts, const char *key, const char *title, double percent)
{
    g_autofree char *text = g_strdup_printf("%5.1lf%%", percent);

    facts_add(facts, key, title, text, g_variant_new_double(percent));
}

static gboolean
print_percent(Session *session, int cpu, const CpuTimes *before, GError **error)
{
    CpuTimes after;
    double total = 0, idle = 0;
    g_autoptr(Facts) facts = facts_new();

    g_usleep(G_USEC_PER_SEC);
    if (!get_cpu_times(session, cpu, &after, error))
        return FALSE;
    for (gsize i = 0; i < N_CPU_ROWS; i++) {
        total += (double)(after.ns[i] - before->ns[i]);
        if (i >= 2)
            idle += (double)(after.ns[i] - before->ns[i]);
    }
    total = MAX(total, 1);
    add_percent(facts, "usage", _("usage:"), (total - idle) / total * 100);
    for (gsize i = 0; i < N_CPU_ROWS; i++)
        if (after.known[i])
            add_percent(facts, cpu_rows[i].key, _(cpu_rows[i].title),
                        (double)(after.ns[i] - before->ns[i]) / total * 100);
    facts_print(facts, 15);
    return TRUE;
}

static gboolean
run_nodecpustats(Session *session, const Args *args, GError **error)
{
    int cpu = args_int(args, "cpu", VIR_NODE_CPU_STATS_ALL_CPUS);
    CpuTimes times = { 0 };

    if (!get_cpu_times(session, cpu, &times, error))
        return FALSE;
    if (args_has(args, "percent"))
        return print_percent(session, cpu, &times, error);
    print_cpu_times(&times);
    return TRUE;
}

static const Option nodecpustats_options[] = {
    { "cpu", OPTION_INT, 0, N_("of this processor only") },
    { "percent", OPTION_BOOL, 0, N_("as shares of the second to come") },
    { NULL },
};

const Command command_nodecpustats = {
    "nodecpustats",
    N_("print what the host's processors did since it booted, in nanoseconds"),
    NULL,
    nodecpustats_options,
    run_nodecpustats,
    COMMAND_JSON,
};

/* nodememstats and freecell */

static GVariant *
get_memory(Session *session, int cell, GError **error)
{
    g_autoptr(GVariant) reply =
        call(session, "NodeGetMemoryStats", g_variant_new("(iu)", cell, 0), "(a{st})", error);

    return reply ? g_variant_get_child_value(reply, 0) : NULL;
}

static gboolean
run_nodememstats(Session *session, const Args *args, GError **error)
{
    int cell = args_int(args, "cell", VIR_NODE_MEMORY_STATS_ALL_CELLS);
    GVariantIter iter;
    const char *name;
    guint64 kib;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariant) figures = NULL;

    if (args_has(args, "cell") && cell < 0)
        return cli_fail(error, _("Invalid value for option %s"), "--cell");
    figures = get_memory(session, cell, error);
    if (!figures) {
        output_error("%s", _("Unable to get number of memory stats"));
        return FALSE;
    }
    g_variant_iter_init(&iter, figures);
    while (g_variant_iter_next(&iter, "{&st}", &name, &kib)) {
        g_autofree char *text = g_strdup_printf("%20" G_GUINT64_FORMAT " KiB", kib);
        g_autofree char *title = g_strdup_printf("%-7s:", name);

        facts_add(facts, name, title, text, g_variant_new_uint64(kib));
    }
    facts_print(facts, 8);
    return TRUE;
}

static const Option nodememstats_options[] = {
    { "cell", OPTION_INT, 0, N_("of this NUMA cell only") },
    { NULL },
};

const Command command_nodememstats = {
    "nodememstats",
    N_("print how the host's memory is used"),
    NULL,
    nodememstats_options,
    run_nodememstats,
    COMMAND_JSON,
};

static gboolean
free_of_cell(Session *session, int cell, guint64 *ret_kib, GError **error)
{
    g_autoptr(GVariant) figures = get_memory(session, cell, error);

    if (!figures)
        return FALSE;
    return g_variant_lookup(figures, VIR_NODE_MEMORY_STATS_FREE, "t", ret_kib) ||
           cli_fail(error, _("failed to get free memory for NUMA node number: %d"), cell);
}

static char *
cell_name(int cell)
{
    return g_strdup_printf("%5d", cell);
}

/* The cells that there are: those that the daemon has figures for, in a row from 0. */
static gboolean
print_cells(Session *session, GError **error)
{
    guint64 kib, sum = 0;
    int cell = 0;
    g_autoptr(Facts) facts = facts_new();

    for (; free_of_cell(session, cell, &kib, cell ? NULL : error); cell++) {
        g_autofree char *name = cell_name(cell);
        g_autofree char *title = g_strconcat(name, ":", NULL);
        g_autofree char *text = g_strdup_printf("%10" G_GUINT64_FORMAT " KiB", kib);

        facts_add(facts, g_strchug(name), title, text, g_variant_new_uint64(kib));
        sum += kib;
    }
    if (cell == 0)
        return FALSE;
    facts_print(facts, 6);
    if (!output_is_json()) {
        output("--------------------\n");
        output("%5s: %10" G_GUINT64_FORMAT " KiB\n", _("Total"), sum);
    }
    return TRUE;
}

static gboolean
print_total(Session *session, GError **error)
{
    guint64 bytes;
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariant) reply = call(session, "NodeGetFreeMemory", NULL, "(t)", error);

    if (!reply)
        return FALSE;
    g_variant_get(reply, "(t)", &bytes);
    add_number(facts, "total", _("Total:"), " KiB", bytes / 1024);
    facts_print(facts, 6);
    return TRUE;
}

static gboolean
run_freecell(Session *session, const Args *args, GError **error)
{
    int cell = args_int(args, "cellno", 0);
    guint64 kib;
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *name = g_strdup_printf("%d", cell);
    g_autofree char *title = g_strconcat(name, ":", NULL);

    if (!args_exclusive(args, "all", "cellno", error))
        return FALSE;
    if (args_has(args, "all"))
        return print_cells(session, error);
    if (!args_has(args, "cellno"))
        return print_total(session, error);
    if (!free_of_cell(session, cell, &kib, error))
        return FALSE;
    add_number(facts, name, title, " KiB", kib);
    facts_print(facts, 2);
    return TRUE;
}

static const Option freecell_options[] = {
    { "cellno", OPTION_INT, 0, N_("of this NUMA cell only") },
    { "all", OPTION_BOOL, 0, N_("of each NUMA cell") },
    { NULL },
};

const Command command_freecell = {
    "freecell",   N_("print the host's free memory"), NULL, freecell_options, run_freecell,
    COMMAND_JSON,
};

/* cpu-models, domcapabilities and maxvcpus */

static gboolean
run_cpu_models(Session *session, const Args *args, GError **error)
{
    g_autofree const char **names = NULL;
    g_autoptr(GVariant) models = NULL;
    g_autoptr(GVariant) reply =
        call(session, "GetCPUModelNames", g_variant_new("(su)", args_string(args, "arch"), 0),
             "(as)", error);

    if (!reply) {
        output_error("%s", _("failed to get CPU model names"));
        return FALSE;
    }
    models = g_variant_get_child_value(reply, 0);
    if (output_is_json()) {
        output_json(models);
        return TRUE;
    }
    names = g_variant_get_strv(models, NULL);
    if (!names[0])
        output("%s\n", _("all CPU models are accepted"));
    for (gsize i = 0; names[i]; i++)
        output("%s\n", names[i]);
    return TRUE;
}

static const Option cpu_models_options[] = {
    { "arch", OPTION_DATA, OPTION_REQUIRED, N_("the architecture, such as x86_64") },
    { NULL },
};

const Command command_cpu_models = {
    "cpu-models",   N_("list the CPU models that a guest can have"),
    NULL,           cpu_models_options,
    run_cpu_models, COMMAND_JSON,
};

static char *
get_domain_capabilities(Session *session, const char *emulator, const char *arch,
                        const char *machine, const char *type, GError **error)
{
    char *xml = NULL;
    g_autoptr(GVariant) reply =
        call(session, "GetDomainCapabilities",
             g_variant_new("(ssssu)", emulator ? emulator : "", arch ? arch : "",
                           machine ? machine : "", type ? type : "", 0),
             "(s)", error);

    if (reply)
        g_variant_get(reply, "(s)", &xml);
    return xml;
}

static gboolean
run_domcapabilities(Session *session, const Args *args, GError **error)
{
    g_autofree char *xml = get_domain_capabilities(
        session, args_string(args, "emulatorbin"), args_string(args, "arch"),
        args_string(args, "machine"), args_string(args, "virttype"), error);

    if (!xml) {
        output_error("%s", _("failed to get emulator capabilities"));
        return FALSE;
    }
    output("%s\n", xml);
    return TRUE;
}

static const Option domcapabilities_options[] = {
    { "virttype", OPTION_STRING, 0, N_("the kind of guest: kvm") },
    { "emulatorbin", OPTION_STRING, 0, N_("the path of the machine monitor") },
    { "arch", OPTION_STRING, 0, N_("the architecture: x86_64") },
    { "machine", OPTION_STRING, 0, N_("the machine, such as q35") },
    { NULL },
};

const Command command_domcapabilities = {
    "domcapabilities",
    N_("print what guests can have, as XML"),
    NULL,
    domcapabilities_options,
    run_domcapabilities,
    0,
};

static gboolean
run_maxvcpus(Session *session, const Args *args, GError **error)
{
    g_autoptr(Facts) facts = facts_new();
    g_autofree char *max = NULL;
    g_autofree char *xml =
        get_domain_capabilities(session, NULL, NULL, NULL, args_string(args, "type"), error);

    if (!xml)
        return FALSE;
    max = document_find(xml, "domainCapabilities/vcpu", "max");
    if (!max)
        return cli_fail(error, "%s", _("the daemon does not say how many"));
    add_number(facts, "max-vcpus", "", "", g_ascii_strtoull(max, NULL, 10));
    facts_print(facts, 0);
    return TRUE;
}

static const Option maxvcpus_options[] = {
    { "type", OPTION_STRING, 0, N_("the kind of guest: kvm") },
    { NULL },
};

const Command command_maxvcpus = {
    "maxvcpus",   N_("print how many virtual CPUs a guest can have"),
    NULL,         maxvcpus_options,
    run_maxvcpus, COMMAND_JSON,
};
