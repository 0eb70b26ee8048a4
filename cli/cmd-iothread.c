/* The commands about a domain's I/O threads: iothreadinfo, iothreadadd, iothreaddel, iothreadpin, iothreadset. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/cpulist.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* iothreadinfo */

static gboolean
run_iothreadinfo(Session *session, const Args *args, GError **error)
{
    const char *const titles[] = { _("IOThread ID"), _("CPU Affinity"), NULL };
    static const TableKey keys[] = { { "id", TABLE_NUMBER }, { "affinity" } };
    g_autoptr(Table) table = table_new(titles);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariantIter) rows = NULL;
    GVariant *map;
    guint flags, id;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    reply = domain_call(domain, "GetIOThreadInfo", g_variant_new("(u)", flags), "(a(uab))", error);
    if (!reply) {
        output_error("%s", _("Unable to get domain IOThreads information"));
        return FALSE;
    }
    g_variant_get(reply, "(a(uab))", &rows);
    if (g_variant_iter_n_children(rows) == 0 && !output_is_json()) {
        output_extra("%s", _("No IOThreads found for the domain")); /* nor has virsh an end of the line here */
        return TRUE;
    }
    while (g_variant_iter_loop(rows, "(u@ab)", &id, &map)) {
        g_autofree char *number = g_strdup_printf("%u", id);
        g_autofree char *list = cpulist_format(map);
        const char *const cells[] = { number, list, NULL };

        table_add(table, cells);
    }
    table_print(table, keys);
    return TRUE;
}

static const Option iothreadinfo_options[] = { OPTION_DOMAIN_ANY, OPTIONS_AFFECTS, { NULL } };

const Command command_iothreadinfo = {
    "iothreadinfo",
    N_("print a domain's I/O threads"),
    NULL,
    iothreadinfo_options,
    run_iothreadinfo,
    COMMAND_JSON,
};

/* The others are about one of them. */

/* Its number, from --id; 0 with @error where it can be none's. */
static guint
id_from_args(const Args *args, GError **error)
{
    int id = args_int(args, "id", 0);

    if (id <= 0)
        cli_fail(error, _("Invalid IOThread id value: '%d'"), id);
    return MAX(id, 0);
}

static gboolean
out_of_range(const Args *args, const char *option, GError **error)
{
    return cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                    args_string(args, option), option);
}

/* iothreadadd, iothreaddel */

static gboolean
run_method(Session *session, const Args *args, GError **error)
{
    const char *method = args_command(args)->about;
    guint id, flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    return domain && affects_from_args(domain, args, 0, &flags, error) &&
           (id = id_from_args(args, error)) != 0 &&
           domain_do(domain, method, g_variant_new("(uu)", id, flags), error);
}

static const Option iothreadadd_options[] = {
    OPTION_DOMAIN_ANY,
    { "id", OPTION_INT, OPTION_REQUIRED, N_("the number that it gets") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_iothreadadd = {
    "iothreadadd",
    N_("add an I/O thread to a domain"),
    N_("Disks that are attached later can be served by it."),
    iothreadadd_options,
    run_method,
    COMMAND_CHANGES,
    "AddIOThread",
};

static const Option iothreaddel_options[] = {
    OPTION_DOMAIN_ANY,
    { "id", OPTION_INT, OPTION_REQUIRED, N_("the number of the I/O thread") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_iothreaddel = {
    "iothreaddel",
    N_("remove an I/O thread from a domain"),
    N_("One that serves a disk stays."),
    iothreaddel_options,
    run_method,
    COMMAND_CHANGES,
    "DelIOThread",
};

/* iothreadpin */

/* How many CPUs the host has; 0 with @error. */
static gsize
host_cpus(Domain *domain, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetEmulatorPinInfo", g_variant_new("(u)", 0), "(ab)", error);
    g_autoptr(GVariant) map = reply ? g_variant_get_child_value(reply, 0) : NULL;

    return map ? g_variant_n_children(map) : 0;
}

static gboolean
run_iothreadpin(Session *session, const Args *args, GError **error)
{
    int id = args_int(args, "iothread", 0);
    GVariant *map;
    gsize n_cpus;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (id < 0) /* that there is no thread 0 is the daemon's to say, as for virsh */
        return out_of_range(args, "iothread", error);
    n_cpus = host_cpus(domain, error);
    map = n_cpus ? cpulist_parse(args_string(args, "cpulist"), n_cpus, error) : NULL;
    return map && domain_do(domain, "PinIOThread", g_variant_new("(u@abu)", (guint)id, map, flags), error);
}

static const Option iothreadpin_options[] = {
    OPTION_DOMAIN_ANY,
    { "iothread", OPTION_INT, OPTION_REQUIRED, N_("the number of the I/O thread") },
    { "cpulist", OPTION_DATA, OPTION_REQUIRED, N_("the host's CPUs to run on, such as 0-3,^2") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_iothreadpin = {
    "iothreadpin",
    N_("change on which of the host's CPUs an I/O thread runs"),
    NULL,
    iothreadpin_options,
    run_iothreadpin,
    COMMAND_CHANGES,
};

/* iothreadset */

/* What can be set: the option, libvirt's parameter, and the bounds of its type. */
static const struct {
    const char *option, *param, *type;
    gint64 min, max;
} settings[] = {
    { "poll-max-ns", VIR_DOMAIN_IOTHREAD_POLL_MAX_NS, "t", 0, G_MAXINT64 },
    { "poll-grow", VIR_DOMAIN_IOTHREAD_POLL_GROW, "u", 0, G_MAXUINT },
    { "poll-shrink", VIR_DOMAIN_IOTHREAD_POLL_SHRINK, "u", 0, G_MAXUINT },
    { "thread-pool-min", VIR_DOMAIN_IOTHREAD_THREAD_POOL_MIN, "i", G_MININT, G_MAXINT },
    { "thread-pool-max", VIR_DOMAIN_IOTHREAD_THREAD_POOL_MAX, "i", G_MININT, G_MAXINT },
};

static GVariant *
value_of(const char *type, gint64 value)
{
    return *type == 't'   ? g_variant_new_uint64(value)
           : *type == 'u' ? g_variant_new_uint32(value)
                          : g_variant_new_int32(value);
}

/* a{sv}, floating; NULL with @error. */
static GVariant *
settings_from_args(const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    gboolean any = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(settings); i++) {
        const char *option = settings[i].option;
        gint64 value = args_int64(args, option, 0);

        if (!args_has(args, option))
            continue;
        if (value < settings[i].min || value > settings[i].max) {
            out_of_range(args, option, error);
            return NULL;
        }
        g_variant_dict_insert_value(&wanted, settings[i].param, value_of(settings[i].type, value));
        any = TRUE;
    }
    if (any)
        return g_variant_dict_end(&wanted);
    cli_fail(error, "%s", _("Not enough arguments passed, nothing to set"));
    return NULL;
}

static gboolean
run_iothreadset(Session *session, const Args *args, GError **error)
{
    guint id, flags;
    GVariant *params;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error) ||
        !(id = id_from_args(args, error)))
        return FALSE;
    params = settings_from_args(args, error);
    if (!params)
        return FALSE;
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "SetIOThreadParams", g_variant_new("(u@a{sv}u)", id, params, flags),
                            "()", error);
    return reply != NULL;
}

static const Option iothreadset_options[] = {
    OPTION_DOMAIN_ANY,
    { "id", OPTION_INT, OPTION_REQUIRED, N_("the number of the I/O thread") },
    { "poll-max-ns", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("for how many nanoseconds it looks for the next request before it sleeps; 0: it does not") },
    { "poll-grow", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("how many times as long it looks when that was too short; 0: at once for as long as it may") },
    { "poll-shrink", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("by what the time is divided when it has looked in vain; 0: it stops for a while") },
    { "thread-pool-min", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("how many threads a disk with io='threads' has at least") },
    { "thread-pool-max", OPTION_INT, OPTION_NAMED_ONLY | OPTION_WIDE,
      N_("how many it has at most") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_iothreadset = {
    "iothreadset",
    N_("change how an I/O thread of a domain works"),
    N_("How it looks for requests can be changed in a guest that runs, and is forgotten with it. Numbers of threads are "
       "for the disks that are attached, or started with, from then on."),
    iothreadset_options,
    run_iothreadset,
    COMMAND_CHANGES,
};
