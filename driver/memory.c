/* memory: how much RAM a domain has, by its definition and by its guest's balloon. */
#include "driver/device-memballoon.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/verb.h"

#include <string.h>

#define WITHOUT_BALLOON                                                                            \
    "Unable to change memory of active domain without the balloon device and guest OS balloon "    \
    "driver"

/* Setting. A live change asks the guest; its answer is an event, some time later. */

typedef struct Wish {
    guint64 kib;
    guint affects;
} Wish;

/* The configuration comes last: a guest that cannot be asked leaves everything as it was. */
static gboolean
save_memory(Verb *verb, GError **error)
{
    const Wish *wish = verb->detail;
    DomainDef *def;

    if (!(wish->affects & VIR_DOMAIN_AFFECT_CONFIG))
        return TRUE;
    def = domain_def_copy(verb->domain->persistent);
    if (verb->flags & VIR_DOMAIN_MEM_MAXIMUM) {
        def->memory_kib = wish->kib;
        def->current_memory_kib = MIN(def->current_memory_kib, wish->kib);
    } else {
        def->current_memory_kib = wish->kib;
    }
    return verb_save(verb, def, error);
}

static void
finish_set(Verb *verb)
{
    g_autoptr(GError) error = NULL;

    save_memory(verb, &error);
    verb_finish(verb, error);
}

static void
balloon_asked(gpointer data, VmmMsg *reply, const GError *error)
{
    if (error)
        verb_finish(data, error);
    else
        finish_set(data);
}

static void
ask_balloon(Verb *verb, const char *key, guint64 value, VmmLinkReply reply)
{
    const Device *balloon = device_memballoon_find(verb->domain->live->devices);
    VmmLink *link = balloon ? verb_link(verb) : NULL;
    VmmMsg *request;

    if (!balloon) {
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, WITHOUT_BALLOON);
        return;
    }
    if (!link)
        return;
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", balloon->alias);
    vmm_msg_put_u64(request, key, value);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, reply, verb);
}

static gboolean
check_wish(const Verb *verb, const Wish *wish, GError **error)
{
    const Domain *domain = verb->domain;
    gboolean maximum = (verb->flags & VIR_DOMAIN_MEM_MAXIMUM) != 0;
    gboolean live = (wish->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    gboolean config = (wish->affects & VIR_DOMAIN_AFFECT_CONFIG) != 0;

    if (wish->kib == 0)
        return driver_error_argument(error, "memory in virDomainSetMemoryFlags must not be zero");
    if (maximum && live)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "cannot resize the maximum memory on an active domain");
    if (!maximum && ((live && wish->kib > domain->live->memory_kib) ||
                     (config && wish->kib > domain->persistent->memory_kib)))
        return driver_error(error, VIR_ERR_INVALID_ARG, "cannot set memory higher than max memory");
    return TRUE;
}

static void
set_begin(Verb *verb)
{
    Wish *wish = verb->detail;
    guint affects = verb_affects(verb);
    g_autoptr(GError) error = NULL;

    if (!affects)
        return;
    wish->affects = affects;
    if (!check_wish(verb, wish, &error))
        verb_finish(verb, error);
    else if (wish->affects & VIR_DOMAIN_AFFECT_LIVE)
        ask_balloon(verb, "target", (verb->domain->live->memory_kib - wish->kib) * 1024 & ~4095ull,
                    balloon_asked);
    else
        finish_set(verb);
}

void
domain_set_memory(Domain *domain, guint64 kib, guint flags, DomainDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG | VIR_DOMAIN_MEM_MAXIMUM;
    Wish *wish = g_new(Wish, 1);
    const Verb verb = { domain, flags, wish, g_free, set_begin, done, data };

    *wish = (Wish){ kib, 0 };
    verb_start_checked("set-memory", &verb, "virDomainSetMemoryFlags", known);
}

/* The period of the guest's own statistics */

static void
set_period(DomainDef *def, guint period_s)
{
    Device *balloon = device_memballoon_find(def->devices);

    if (balloon)
        device_memballoon_set_period(balloon, period_s);
}

static void
finish_period(Verb *verb)
{
    const Wish *wish = verb->detail;
    g_autoptr(GError) error = NULL;

    if (wish->affects & VIR_DOMAIN_AFFECT_CONFIG) {
        DomainDef *def = domain_def_copy(verb->domain->persistent);

        set_period(def, wish->kib);
        verb_save(verb, def, &error);
    }
    verb_finish(verb, error);
}

static void
period_set(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    const Wish *wish = verb->detail;

    if (error) {
        verb_finish(verb, error);
        return;
    }
    set_period(verb->domain->live, wish->kib);
    domain_write_live(verb->domain);
    finish_period(verb);
}

static void
period_begin(Verb *verb)
{
    Wish *wish = verb->detail;
    guint affects = verb_affects(verb);

    if (!affects)
        return;
    wish->affects = affects;
    if (wish->affects & VIR_DOMAIN_AFFECT_CONFIG &&
        !device_memballoon_find(verb->domain->persistent->devices))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID,
                  "Memory balloon model must be virtio to set the collection period");
    else if (wish->affects & VIR_DOMAIN_AFFECT_LIVE)
        ask_balloon(verb, "stats-period", wish->kib, period_set);
    else
        finish_period(verb);
}

void
domain_set_memory_stats_period(Domain *domain, int period_s, guint flags, DomainDone done,
                               gpointer data)
{
    const guint known = VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG;
    g_autoptr(GError) error = NULL;
    Wish *wish;

    if (period_s < 0 || period_s > MEMBALLOON_PERIOD_MAX) {
        driver_error(&error, VIR_ERR_INVALID_ARG,
                     "period in %s must be from 0 to %d seconds, and is %d",
                     "virDomainSetMemoryStatsPeriod", MEMBALLOON_PERIOD_MAX, period_s);
        done(data, error);
        return;
    }
    wish = g_new(Wish, 1);
    *wish = (Wish){ period_s, 0 };
    verb_start_checked("set-memory-stats-period",
                       &(Verb){ domain, flags, wish, g_free, period_begin, done, data },
                       "virDomainSetMemoryStatsPeriod", known);
}

/* Statistics */

static const struct Figure {
    int tag;         /* virDomainMemoryStatTags */
    const char *key; /* of the balloon's answer */
    guint unit;      /* what one of libvirt's is, in the answer's units */
} figures[] = {
    { VIR_DOMAIN_MEMORY_STAT_SWAP_IN, "stat-swap-in", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, "stat-swap-out", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, "stat-major-faults", 1 },
    { VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, "stat-minor-faults", 1 },
    { VIR_DOMAIN_MEMORY_STAT_UNUSED, "stat-free", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_AVAILABLE, "stat-total", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_USABLE, "stat-available", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, "stats-time", 1 },
    { VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, "stat-caches", 1024 },
    { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGALLOC, "stat-hugetlb-allocations", 1 },
    { VIR_DOMAIN_MEMORY_STAT_HUGETLB_PGFAIL, "stat-hugetlb-failures", 1 },
};

typedef struct StatsCall {
    Domain *domain;
    DomainReply done;
    gpointer data;
} StatsCall;

static void
add(GVariantBuilder *out, int tag, guint64 value)
{
    g_variant_builder_add(out, "{it}", tag, value);
}

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

/* @reply: the balloon's; NULL where there is none, or it did not answer. */
static GVariant *
memory_stats(const Domain *domain, VmmMsg *reply)
{
    GVariantBuilder out;

    g_variant_builder_init(&out, G_VARIANT_TYPE("a{it}"));
    add(&out, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, domain->live->current_memory_kib);
    for (gsize i = 0; reply && i < G_N_ELEMENTS(figures); i++) {
        guint64 value;

        if (vmm_msg_get_u64(reply, figures[i].key, &value))
            add(&out, figures[i].tag, value / figures[i].unit);
    }
    add(&out, VIR_DOMAIN_MEMORY_STAT_RSS, resident_kib(domain));
    return g_variant_builder_end(&out);
}

static void
stats_answered(gpointer data, VmmMsg *reply, const GError *error)
{
    StatsCall *call = data;
    g_autoptr(GError) gone = NULL;

    if (domain_is_active(call->domain)) {
        call->done(call->data, memory_stats(call->domain, reply), NULL);
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
    g_autoptr(GError) error = NULL;
    const Device *balloon;
    VmmLink *link;
    VmmMsg *request;
    StatsCall *call;

    if (!driver_check_flags(flags, 0, "virDomainMemoryStats", &error) ||
        (!domain_is_active(domain) &&
         !driver_error(&error, VIR_ERR_OPERATION_INVALID, "domain is not running"))) {
        done(data, NULL, error);
        return;
    }
    balloon = device_memballoon_find(domain->live->devices);
    link = balloon ? guest_link(domain->guest) : NULL;
    if (!link) {
        done(data, memory_stats(domain, NULL), NULL);
        return;
    }
    call = g_new(StatsCall, 1);
    *call = (StatsCall){ domain_ref(domain), done, data };
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", balloon->alias);
    vmm_link_send(link, request, STATS_TIMEOUT_MS, stats_answered, call);
}
