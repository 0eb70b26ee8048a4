#include "driver/launch-tell.h"

#include "driver/pm-suspend.h"

#include <libvirt/libvirt.h>

void
launch_tell_started(Domain *domain, gboolean paused)
{
    if (paused) {
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
        domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
    } else {
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
        /* Both, and in this order: so does libvirt, and clients count on the first. */
        domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
        domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_BOOTED);
    }
}

void
launch_tell_reverted(Domain *domain, gboolean paused)
{
    if (paused)
        domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT);
    else
        domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_FROM_SNAPSHOT);
    domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_FROM_SNAPSHOT);
    if (paused)
        domain_emit(domain, VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT);
}

/* The reason is libvirt's, to which a restored guest is one that came by migration. */
void
launch_tell_restored(Domain *domain, gboolean asleep)
{
    domain_move(domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    domain_emit(domain, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_RESTORED);
    if (asleep)
        pm_suspended(domain);
}

void
launch_tell_news(Domain *domain, GQueue *news)
{
    const GuestEvents events = domain_guest_events(domain);
    VmmMsg *event;

    while ((event = g_queue_pop_head(news))) {
        events.event(events.data, event);
        vmm_msg_free(event);
    }
}
