/* The commands about a domain's memory: setmem, setmaxmem, dommemstat. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/facts.h"
#include "cli/output.h"
#include "cli/size.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
parse_size(const char *text, guint64 *ret_kib, GError **error)
{
    return size_parse_kib(text, ret_kib) ||
           cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                    text, "size");
}

static gboolean
set_memory(Session *session, const Args *args, guint otherwise, guint more, GError **error)
{
    guint64 kib = 0;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    return domain && affects_from_args(domain, args, otherwise, &flags, error) &&
           parse_size(args_string(args, "size"), &kib, error) &&
           domain_do(domain, "SetMemory", g_variant_new("(tu)", kib, flags | more), error);
}

static const Option size_options[] = {
    OPTION_DOMAIN_ANY,
    { "size", OPTION_SIZE, OPTION_REQUIRED, N_("how much: a number, in KiB or with a unit") },
    OPTIONS_AFFECTS,
    { NULL },
};

static gboolean
run_setmem(Session *session, const Args *args, GError **error)
{
    return set_memory(session, args, VIR_DOMAIN_AFFECT_LIVE, 0, error);
}

static const OptionAlias size_aliases[] = {
    { "kilobytes", "size" },
    { NULL },
};

const Command command_setmem = {
    "setmem",
    N_("change how much memory a domain has"),
    N_("A guest that runs is asked to give memory back, or may take it again: the event\n"
       "    balloon-change tells what it did."),
    size_options,
    run_setmem,
    COMMAND_CHANGES,
    .aliases = size_aliases,
};

static gboolean
run_setmaxmem(Session *session, const Args *args, GError **error)
{
    if (set_memory(session, args, VIR_DOMAIN_AFFECT_CURRENT, VIR_DOMAIN_MEM_MAXIMUM, error))
        return TRUE;
    output_error("%s", _("Unable to change MaxMemorySize"));
    return FALSE;
}

const Command command_setmaxmem = {
    "setmaxmem",   N_("change how much memory a domain may have"),
    NULL,          size_options,
    run_setmaxmem, COMMAND_CHANGES,
    .aliases = size_aliases,
};

/* virDomainMemoryStatTags */
static const char *const stat_names[] = {
    [VIR_DOMAIN_MEMORY_STAT_SWAP_IN] = "swap_in",
    [VIR_DOMAIN_MEMORY_STAT_SWAP_OUT] = "swap_out",
    [VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT] = "major_fault",
    [VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT] = "minor_fault",
    [VIR_DOMAIN_MEMORY_STAT_UNUSED] = "unused",
    [VIR_DOMAIN_MEMORY_STAT_AVAILABLE] = "available",
    [VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON] = "actual",
    [VIR_DOMAIN_MEMORY_STAT_RSS] = "rss",
    [VIR_DOMAIN_MEMORY_STAT_USABLE] = "usable",
    [VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE] = "last_update",
    [VIR_DOMAIN_MEMORY_STAT_DISK_CACHES] = "disk_caches",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC] = "hugetlb_pgalloc",
    [VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL] = "hugetlb_pgfail",
};

static void
print_stats(GVariant *reply)
{
    g_autoptr(GVariantIter) stats = NULL;
    g_autoptr(Facts) facts = facts_new();
    guint64 value;
    int tag;

    g_variant_get(reply, "(a{it})", &stats);
    while (g_variant_iter_next(stats, "{it}", &tag, &value)) {
        g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

        if (tag >= 0 && tag < (int)G_N_ELEMENTS(stat_names))
            facts_add(facts, stat_names[tag], stat_names[tag], text, g_variant_new_uint64(value));
    }
    facts_print(facts, 1);
}

static gboolean
run_dommemstat(Session *session, const Args *args, GError **error)
{
    guint flags;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (args_has(args, "period")) {
        int period_s = args_int(args, "period", 0);

        if (period_s < 0)
            return cli_fail(error, _("Invalid collection period value '%d'"), period_s);
        return domain_do(domain, "SetMemoryStatsPeriod", g_variant_new("(iu)", period_s, flags),
                         error);
    }
    reply = domain_call(domain, "MemoryStats", g_variant_new("(u)", 0), "(a{it})", error);
    if (!reply) {
        output_error(_("Failed to get memory statistics for domain %s"), domain->name);
        return FALSE;
    }
    print_stats(reply);
    return TRUE;
}

static const Option memstat_options[] = {
    OPTION_DOMAIN_ANY,
    { "period", OPTION_INT, OPTION_NAMED_ONLY | OPTION_CHANGES,
      N_("ask the guest for figures every so many seconds") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_dommemstat = {
    "dommemstat",
    N_("print what a guest does with its memory"),
    N_("The guest's own figures are there where it is asked for them: see --period."),
    memstat_options,
    run_dommemstat,
    COMMAND_JSON,
};
