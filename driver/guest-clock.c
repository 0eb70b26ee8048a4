#include "driver/guest-clock.h"

#include "driver/verb.h"

/* The definition that is kept says the same from now on, where it still says what the guest had before: somebody may have
 * defined another clock meanwhile. */

static gint64
now_s(void)
{
    return g_get_real_time() / G_USEC_PER_SEC;
}

static void
keep_begin(Verb *verb)
{
    Domain *domain = verb->domain;
    g_autoptr(DomainDef) def = NULL;
    g_autoptr(GError) error = NULL;

    if (domain->persistent) {
        def = domain_def_copy(domain->persistent);
        if (domain_clock_follow(&def->clock, now_s(), domain->clock.before, domain->clock.ahead))
            verb_save(verb, g_steal_pointer(&def), &error);
    }
    verb_finish(verb, error);
}

static void
kept(gpointer data, const GError *error)
{
    Domain *domain = data;

    domain->clock.waits = FALSE;
    if (error)
        g_warning("Domain '%s': what the guest has made of its clock cannot be kept: %s", domain_name(domain),
                  error->message);
}

/* The job may be another one's for long: what the guest does until then is one change. */
static void
keep(Domain *domain, gint64 before, gint64 ahead)
{
    const Verb verb = {
        .domain = domain, .begin = keep_begin, .done = kept, .data = domain, .patient = TRUE
    };

    if (!domain_is_persistent(domain))
        return;
    domain->clock.ahead = ahead;
    if (domain->clock.waits)
        return;
    domain->clock.waits = TRUE;
    domain->clock.before = before;
    verb_start("clock", &verb);
}

/* TRUE: the live definition says something else now. */
static gboolean
is_ahead(Domain *domain, gint64 ahead)
{
    DomainClock *clock = &domain->live->clock;
    gint64 before = clock->adjustment;

    if (!domain_clock_set(clock, ahead))
        return FALSE;
    domain_write_live(domain);
    keep(domain, before, clock->adjustment);
    return TRUE;
}

/* libvirt tells how far a clock that varies is from UTC, and how far any other is from what it showed at first. */
void
guest_clock_heard(Domain *domain, VmmMsg *news)
{
    gboolean varies = domain->live->clock.offset == DOMAIN_CLOCK_VARIABLE;
    gint64 ahead, change;

    if (!vmm_msg_get_i64(news, "offset", &ahead) || !vmm_msg_get_i64(news, "change", &change))
        return;
    is_ahead(domain, ahead);
    domain_tell(domain, rtc, varies ? ahead : change);
}

static void
answered(gpointer data, VmmMsg *reply, const GError *error)
{
    g_autoptr(Domain) domain = data;
    gint64 ahead;

    if (reply && domain->live && vmm_msg_get_i64(reply, "offset", &ahead) && is_ahead(domain, ahead))
        domain_tell(domain, rtc, ahead);
}

void
guest_clock_refresh(Domain *domain)
{
    VmmLink *link = guest_link(domain->guest);
    VmmMsg *request;

    if (!link || domain->live->clock.offset != DOMAIN_CLOCK_VARIABLE)
        return;
    request = vmm_link_request(link, VMM_TELL_DEVICE);
    vmm_msg_put_string(request, "id", VMM_DEVICE_RTC);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, answered, domain_ref(domain));
}
