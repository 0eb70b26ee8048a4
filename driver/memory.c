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
    def = verb_copy_config(verb, error);
    if (!def)
        return FALSE;
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
    g_autoptr(GError) error = NULL;

    *wish = (Wish){ kib, 0 };
    if (domain_is_simulated(domain) && !driver_check_affect_flags(flags, &error)) {
        done(data, error); /* libvirt's test driver changes one definition at a time */
        g_free(wish);
        return;
    }
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
        DomainDef *def = verb_copy_config(verb, &error);

        if (def) {
            set_period(def, wish->kib);
            verb_save(verb, def, &error);
        }
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
