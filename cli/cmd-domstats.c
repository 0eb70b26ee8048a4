/* domstats: figures of domains, as names and values. */
#include "cli/commands.h"

#include "cli/domain-stats.h"
#include "cli/domain.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const ArgsFlag groups[] = {
    { "state", VIR_DOMAIN_STATS_STATE },
    { "cpu-total", VIR_DOMAIN_STATS_CPU_TOTAL },
    { "balloon", VIR_DOMAIN_STATS_BALLOON },
    { "vcpu", VIR_DOMAIN_STATS_VCPU },
    { "interface", VIR_DOMAIN_STATS_INTERFACE },
    { "block", VIR_DOMAIN_STATS_BLOCK },
    { "perf", VIR_DOMAIN_STATS_PERF },
    { "iothread", VIR_DOMAIN_STATS_IOTHREAD },
    { "memory", VIR_DOMAIN_STATS_MEMORY },
    { "dirtyrate", VIR_DOMAIN_STATS_DIRTYRATE },
    { "vm", VIR_DOMAIN_STATS_VM },
    { NULL, 0 },
};

static const ArgsFlag filters[] = {
    { "list-active", VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE },
    { "list-inactive", VIR_CONNECT_GET_ALL_DOMAINS_STATS_INACTIVE },
    { "list-persistent", VIR_CONNECT_GET_ALL_DOMAINS_STATS_PERSISTENT },
    { "list-transient", VIR_CONNECT_GET_ALL_DOMAINS_STATS_TRANSIENT },
    { "list-running", VIR_CONNECT_GET_ALL_DOMAINS_STATS_RUNNING },
    { "list-paused", VIR_CONNECT_GET_ALL_DOMAINS_STATS_PAUSED },
    { "list-shutoff", VIR_CONNECT_GET_ALL_DOMAINS_STATS_SHUTOFF },
    { "list-other", VIR_CONNECT_GET_ALL_DOMAINS_STATS_OTHER },
    { NULL, 0 },
};

static const ArgsFlag modifiers[] = {
    { "enforce", VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS },
    { "backing", VIR_CONNECT_GET_ALL_DOMAINS_STATS_BACKING },
    { "nowait", VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT },
    { NULL, 0 },
};

/* A value as virsh shows it: bare text, yes or no, numbers. */
static char *
value_text(GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_dup_string(value, NULL);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN))
        return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_DOUBLE))
        return g_strdup_printf("%f", g_variant_get_double(value));
    return g_variant_print(value, FALSE);
}

/* Member by member: g_variant_get() with a '&' would serialise what is still in pieces. */
static void
print_field(GVariant *stats, gsize i)
{
    g_autoptr(GVariant) field = g_variant_get_child_value(stats, i);
    g_autoptr(GVariant) key = g_variant_get_child_value(field, 0);
    g_autoptr(GVariant) wrapped = g_variant_get_child_value(field, 1);
    g_autoptr(GVariant) value = variant_unwrap(wrapped);
    g_autofree char *text = value_text(value);

    output("  %s=%s\n", g_variant_get_string(key, NULL), text);
}

/* The records so far, where they are printed as JSON at the end. */
typedef struct Report {
    GVariantBuilder records;
    gboolean any;
} Report;

static void
print_record(gpointer data, const char *name, GVariant *stats)
{
    Report *report = data;
    gsize n = g_variant_n_children(stats);

    if (output_is_json()) {
        GVariantBuilder record;

        g_variant_builder_init(&record, G_VARIANT_TYPE_VARDICT);
        g_variant_builder_add(&record, "{sv}", "domain", g_variant_new_string(name));
        g_variant_builder_add(&record, "{sv}", "stats", stats);
        g_variant_builder_add_value(&report->records, g_variant_builder_end(&record));
        return;
    }
    output(_("%sDomain: '%s'\n"), report->any ? "\n" : "", name);
    report->any = TRUE;
    for (gsize i = 0; i < n; i++)
        print_field(stats, i);
}

static gboolean
print_one(Session *session, Report *report, const char *text, guint stats, guint flags,
          GError **error)
{
    g_autoptr(GVariant) record = NULL;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Domain) domain = domain_find(session, text, DOMAIN_BY_ANY, error);

    if (!domain)
        return FALSE;
    reply = domain_call(domain, "GetStats", g_variant_new("(uu)", stats, flags), "(a{sv})", error);
    if (!reply)
        return FALSE;
    record = g_variant_get_child_value(reply, 0);
    print_record(report, domain->name, record);
    return TRUE;
}

static gboolean
run_domstats(Session *session, const Args *args, GError **error)
{
    const char *const *names = args_list(args, "domain");
    guint stats = args_flags(args, groups);
    guint flags = args_flags(args, modifiers);

    Report report = { .any = FALSE };
    gboolean done = TRUE;

    g_variant_builder_init(&report.records, G_VARIANT_TYPE("aa{sv}"));
    if (!*names)
        done = domain_stats_all(session->connection, stats, flags | args_flags(args, filters),
                                print_record, &report, error);
    for (gsize i = 0; done && names[i]; i++)
        done = print_one(session, &report, names[i], stats, flags, error);
    if (done && output_is_json())
        output_json(g_variant_builder_end(&report.records));
    else
        g_variant_builder_clear(&report.records);
    return done;
}

static const Option domstats_options[] = {
    { "state", OPTION_BOOL, 0, N_("its state") },
    { "cpu-total", OPTION_BOOL, 0, N_("CPU time it used") },
    { "balloon", OPTION_BOOL, 0, N_("its memory") },
    { "vcpu", OPTION_BOOL, 0, N_("its virtual CPUs") },
    { "interface", OPTION_BOOL, 0, N_("its network interfaces") },
    { "block", OPTION_BOOL, 0, N_("its disks") },
    { "perf", OPTION_BOOL, 0, N_("its performance events") },
    { "iothread", OPTION_BOOL, 0, N_("its I/O threads") },
    { "memory", OPTION_BOOL, 0, N_("its use of memory bandwidth") },
    { "dirtyrate", OPTION_BOOL, 0, N_("how fast it changes its memory") },
    { "vm", OPTION_BOOL, 0, N_("figures of the hypervisor's own") },
    { "list-active", OPTION_BOOL, 0, N_("only domains that run") },
    { "list-inactive", OPTION_BOOL, 0, N_("only domains that do not run") },
    { "list-persistent", OPTION_BOOL, 0, N_("only persistent domains") },
    { "list-transient", OPTION_BOOL, 0, N_("only transient domains") },
    { "list-running", OPTION_BOOL, 0, N_("only running domains") },
    { "list-paused", OPTION_BOOL, 0, N_("only paused domains") },
    { "list-shutoff", OPTION_BOOL, 0, N_("only domains that are shut off") },
    { "list-other", OPTION_BOOL, 0, N_("only domains in other states") },
    { "raw", OPTION_BOOL, 0, N_("values as they are (they always are)") },
    { "enforce", OPTION_BOOL, 0, N_("fail where a figure is not available") },
    { "backing", OPTION_BOOL, 0, N_("with the backing files of disks") },
    { "nowait", OPTION_BOOL, 0, N_("only figures that need no waiting") },
    { "domain", OPTION_ARGV, 0, N_("these domains (default: all)") },
    { NULL },
};

const Command command_domstats = {
    "domstats",
    N_("print figures about domains"),
    N_("Without a group such as --state: all that the daemon has."),
    domstats_options,
    run_domstats,
    COMMAND_JSON,
};
