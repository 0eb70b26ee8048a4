/* The commands about the long job that is done to a domain: domjobinfo, domjobabort. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static const char *
pick(const char *const *names, gsize n_names, int number)
{
    return number >= 0 && (gsize)number < n_names ? _(names[number]) : _("unknown");
}

static const char *
type_name(int type)
{
    static const char *const names[] = { N_("None"),      N_("Bounded"), N_("Unbounded"),
                                         N_("Completed"), N_("Failed"),  N_("Cancelled") };

    return pick(names, G_N_ELEMENTS(names), type);
}

static const char *
operation_name(int operation)
{
    static const char *const names[] = {
        N_("Unknown"),
        N_("Start"),
        N_("Save"),
        N_("Restore"),
        N_("Incoming migration"),
        N_("Outgoing migration"),
        N_("Snapshot"),
        N_("Snapshot revert"),
        N_("Dump"),
        N_("Backup"),
        N_("Snapshot delete"),
    };

    return pick(names, G_N_ELEMENTS(names), operation);
}

/* 560.754 KiB */
static void
print_size(const char *title, guint64 bytes, const char *per)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double value = (double)bytes;
    gsize unit = 0;

    for (; value >= 1024 && unit + 1 < G_N_ELEMENTS(units); unit++)
        value /= 1024;
    output("%-*s %-.3lf %s%s\n", text_in(17, title), value, units[unit], per);
}

typedef enum RowKind { ROW_SIZE, ROW_SPEED, ROW_NUMBER } RowKind;

/* In virsh's order; a figure that there is not is left out, and so is a group of sizes that are all zero. */
static const struct {
    const char *param, *key, *title; /* @key: in JSON */
    RowKind kind;
    const char *unit; /* of a number */
} rows[] = {
    { VIR_DOMAIN_JOB_TIME_ELAPSED, "time-elapsed-ms", N_("Time elapsed:"), ROW_NUMBER, " ms" },
    { VIR_DOMAIN_JOB_TIME_REMAINING, "time-remaining-ms", N_("Time remaining:"), ROW_NUMBER,
      " ms" },
    { VIR_DOMAIN_JOB_DATA_PROCESSED, "data-processed-bytes", N_("Data processed:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_DATA_REMAINING, "data-remaining-bytes", N_("Data remaining:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_DATA_TOTAL, "data-total-bytes", N_("Data total:"), ROW_SIZE, NULL },
    { VIR_DOMAIN_JOB_MEMORY_PROCESSED, "memory-processed-bytes", N_("Memory processed:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_MEMORY_REMAINING, "memory-remaining-bytes", N_("Memory remaining:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_MEMORY_TOTAL, "memory-total-bytes", N_("Memory total:"), ROW_SIZE, NULL },
    { VIR_DOMAIN_JOB_MEMORY_BPS, "memory-bytes-per-second", N_("Memory bandwidth:"), ROW_SPEED,
      NULL },
    { VIR_DOMAIN_JOB_MEMORY_DIRTY_RATE, "dirty-pages-per-second", N_("Dirty rate:"), ROW_NUMBER,
      " pages/s" },
    { VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, "page-size-bytes", N_("Page size:"), ROW_NUMBER, " bytes" },
    { VIR_DOMAIN_JOB_MEMORY_ITERATION, "iteration", N_("Iteration:"), ROW_NUMBER, "" },
    { VIR_DOMAIN_JOB_DISK_PROCESSED, "disk-processed-bytes", N_("File processed:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_DISK_REMAINING, "disk-remaining-bytes", N_("File remaining:"), ROW_SIZE,
      NULL },
    { VIR_DOMAIN_JOB_DISK_TOTAL, "disk-total-bytes", N_("File total:"), ROW_SIZE, NULL },
    { VIR_DOMAIN_JOB_MEMORY_CONSTANT, "constant-pages", N_("Constant pages:"), ROW_NUMBER, "" },
    { VIR_DOMAIN_JOB_MEMORY_NORMAL, "normal-pages", N_("Normal pages:"), ROW_NUMBER, "" },
    { VIR_DOMAIN_JOB_MEMORY_NORMAL_BYTES, "normal-data-bytes", N_("Normal data:"), ROW_SIZE, NULL },
    { VIR_DOMAIN_JOB_DOWNTIME, "downtime-ms", N_("Total downtime:"), ROW_NUMBER, " ms" },
    { VIR_DOMAIN_JOB_SETUP_TIME, "setup-time-ms", N_("Setup time:"), ROW_NUMBER, " ms" },
};

static void
print_row(gsize i, guint64 value)
{
    if (rows[i].kind == ROW_NUMBER)
        output("%-*s %-12" G_GUINT64_FORMAT "%s\n", text_in(17, _(rows[i].title)), value,
               rows[i].unit);
    else
        print_size(_(rows[i].title), value, rows[i].kind == ROW_SPEED ? "/s" : "");
}

static void
print_figures(GVariant *params)
{
    g_autoptr(GVariantDict) dict = g_variant_dict_new(params);
    g_autoptr(GVariant) operation = variant_dict_unwrap(dict, VIR_DOMAIN_JOB_OPERATION, "i");

    if (operation)
        output("%-*s %-12s\n", text_in(17, _("Operation:")),
               operation_name(g_variant_get_int32(operation)));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) value = variant_dict_unwrap(dict, rows[i].param, "t");

        if (value)
            print_row(i, g_variant_get_uint64(value));
    }
}

static void
print_raw(int type, GVariant *params)
{
    GVariantIter iter;
    GVariant *wrapped;
    const char *name;

    output(_("Job type: %d\n"), type);
    output("\n");
    g_variant_iter_init(&iter, params);
    while (g_variant_iter_loop(&iter, "{&sv}", &name, &wrapped)) {
        g_autoptr(GVariant) value = variant_unwrap(wrapped);
        g_autofree char *text = g_variant_print(value, FALSE);

        output("%s: %s\n", name, text);
    }
}

static void
print_info(const Args *args, int type, GVariant *params)
{
    gboolean active = type == VIR_DOMAIN_JOB_BOUNDED || type == VIR_DOMAIN_JOB_UNBOUNDED;

    output("%-*s %-12s\n", text_in(17, _("Job type:")), type_name(type));
    if (active || type == VIR_DOMAIN_JOB_COMPLETED || args_has(args, "anystats"))
        print_figures(params);
}

static void
print_json(int type, GVariant *params)
{
    g_autoptr(Facts) facts = facts_new();
    g_autoptr(GVariantDict) dict = g_variant_dict_new(params);
    g_autoptr(GVariant) operation = variant_dict_unwrap(dict, VIR_DOMAIN_JOB_OPERATION, "i");

    facts_add(facts, "type", NULL, type_name(type), NULL);
    facts_add(
        facts, "operation", NULL, NULL,
        g_variant_new("ms", operation ? operation_name(g_variant_get_int32(operation)) : NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GVariant) value = variant_dict_unwrap(dict, rows[i].param, "t");

        if (value)
            facts_add(facts, rows[i].key, NULL, NULL, value);
    }
    facts_print(facts, 0);
}

static guint
stats_flags(const Args *args)
{
    static const ArgsFlag flags[] = {
        { "completed", VIR_DOMAIN_JOB_STATS_COMPLETED },
        { "keep-completed", VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED },
        { NULL, 0 },
    };

    return args_flags(args, flags);
}

static gboolean
run_domjobinfo(Session *session, const Args *args, GError **error)
{
    g_autoptr(GVariant) reply = NULL, params = NULL;
    g_autoptr(Domain) domain = NULL;
    int type;

    if (args_has(args, "keep-completed") && !args_has(args, "completed"))
        return cli_fail(error, _("Option --%s is required by option --%s"), "completed",
                        "keep-completed");
    domain = domain_from_args(session, args, error);
    if (!domain)
        return FALSE;
    reply = domain_call(domain, "GetJobStats", g_variant_new("(u)", stats_flags(args)),
                        "((ia{sv}))", error);
    if (!reply)
        return FALSE;
    g_variant_get(reply, "((i@a{sv}))", &type, &params);
    if (output_is_json())
        print_json(type, params);
    else if (args_has(args, "rawstats"))
        print_raw(type, params);
    else
        print_info(args, type, params);
    return TRUE;
}

static const Option domjobinfo_options[] = {
    OPTION_DOMAIN_ANY,
    { "completed", OPTION_BOOL, 0, N_("about the last job, which is over") },
    { "keep-completed", OPTION_BOOL, 0, N_("do not forget that one when it is read") },
    { "anystats", OPTION_BOOL, 0, N_("the figures of a job that failed, too") },
    { "rawstats", OPTION_BOOL, 0, N_("the figures as the daemon gives them") },
    { NULL },
};

const Command command_domjobinfo = {
    "domjobinfo",   N_("print how far a job of a domain is"),
    NULL,           domjobinfo_options,
    run_domjobinfo, COMMAND_JSON,
};

static gboolean
run_domjobabort(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = NULL;

    if (args_has(args, "postcopy"))
        return cli_fail(error, "%s", _("--postcopy is not supported: domains do not migrate yet"));
    domain = domain_from_args(session, args, error);
    return domain && domain_do(domain, "AbortJob", NULL, error);
}

static const Option domjobabort_options[] = {
    OPTION_DOMAIN_ANY,
    { "postcopy", OPTION_BOOL, 0, N_("interrupt a migration by post-copy (not supported)") },
    { NULL },
};

const Command command_domjobabort = {
    "domjobabort",
    N_("abort the job of a domain"),
    N_("Its own command fails, and the domain goes on as before."),
    domjobabort_options,
    run_domjobabort,
    COMMAND_CHANGES,
};
