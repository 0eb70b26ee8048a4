#include "driver/memory-stats.h"

#include "driver/device-figures.h"
#include "driver/device-memballoon.h"
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/test-default.h"

#include <string.h>

static const struct {
    int tag;
    const char *name;
    FigureKey key;
    guint unit; /* what one of libvirt's is, in the figure's units */
} rows[] = {
    { VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "swap_in", FIGURE_SWAP_IN, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "swap_out", FIGURE_SWAP_OUT, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "major_fault", FIGURE_MAJOR_FAULTS, 1 },
    { VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "minor_fault", FIGURE_MINOR_FAULTS, 1 },
    { VIR_DOMAIN_MEMORY_STAT_UNUSED, "unused", FIGURE_FREE, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "available", FIGURE_TOTAL, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_USABLE, "usable", FIGURE_AVAILABLE, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, "last-update", FIGURE_TOLD_AT, 1 },
    { VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "disk_caches", FIGURE_CACHES, 1024 },
    { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "hugetlb_pgalloc", FIGURE_HUGETLB_ALLOCATIONS, 1 },
    { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "hugetlb_pgfail", FIGURE_HUGETLB_FAILURES, 1 },
};

/* Resident memory of the guest's process, in KiB. */
static guint64
resident_kib(const Domain *domain)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)guest_pid(domain->guest));
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, "\nVmRSS:")))
        return 0;
    return g_ascii_strtoull(line + strcspn(line, "0123456789"), NULL, 10);
}

/* What libvirt's test driver makes up of a guest that has a balloon, in the order of @rows. */
static void
each_simulated(const Domain *domain, MemoryStat tell, gpointer data)
{
    guint64 kib = domain->live->current_memory_kib;
    const guint64 values[G_N_ELEMENTS(rows)] = {
        0, 0, 0, 0, kib / 2, kib, kib / 2, TEST_DEFAULT_SECONDS, kib / 8, 0, 0
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
        tell(data, rows[i].tag, rows[i].name, values[i]);
    tell(data, VIR_DOMAIN_MEMORY_STAT_RSS, "rss", kib / 2);
}

void
memory_stats_each(const Domain *domain, MemoryStat tell, gpointer data)
{
    const Device *balloon = device_memballoon_find(domain->live->devices);
    const DeviceFigures *told = balloon ? device_figures_of(domain, balloon->alias) : NULL;

    if (domain_is_simulated(domain)) {
        if (balloon)
            each_simulated(domain, tell, data);
        return;
    }
    for (gsize i = 0; told && i < G_N_ELEMENTS(rows); i++) {
        if (told->known[rows[i].key])
            tell(data, rows[i].tag, rows[i].name, told->values[rows[i].key] / rows[i].unit);
    }
    if (domain->guest && guest_pid(domain->guest))
        tell(data, VIR_DOMAIN_MEMORY_STAT_RSS, "rss", resident_kib(domain));
}

/* virDomainMemoryStats */

typedef struct StatsCall {
    Domain *domain;
    DomainReply done;
    gpointer data;
} StatsCall;

static void
add(gpointer out, int tag, const char *name, guint64 value)
{
    g_variant_builder_add(out, "{it}", tag, value);
}

static GVariant *
all_stats(const Domain *domain)
{
    GVariantBuilder out;

    g_variant_builder_init(&out, G_VARIANT_TYPE("a{it}"));
    add(&out, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, "current", domain->live->current_memory_kib);
    memory_stats_each(domain, add, &out);
    return g_variant_builder_end(&out);
}

static void
figures_there(gpointer data)
{
    StatsCall *call = data;
    g_autoptr(GError) gone = NULL;

    if (domain_is_active(call->domain)) {
        call->done(call->data, all_stats(call->domain), NULL);
    } else {
        driver_error(&gone, VIR_ERR_OPERATION_INVALID, "domain is not running");
        call->done(call->data, NULL, gone);
    }
    domain_unref(call->domain);
    g_free(call);
}

void
domain_memory_stats(Domain *domain, guint flags, DomainReply done, gpointer data)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    StatsCall *call;

    if (!driver_check_flags(flags, 0, "virDomainMemoryStats", &error)) {
        done(data, NULL, error);
        return;
    }
    call = g_new(StatsCall, 1);
    *call = (StatsCall){ domain_ref(domain), done, data };
    g_ptr_array_add(domains, domain);
    device_figures_refresh(domains, figures_there, call);
}
