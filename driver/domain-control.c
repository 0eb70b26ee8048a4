/* domain-control: what the driver's hold on a running domain is like. */
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/test-agent.h"

#include <libvirt/libvirt.h>

static guint64
ms_since(gint64 since_us)
{
    return (g_get_monotonic_time() - since_us) / 1000;
}

/* What nobody answers stands above the job that asked, for the job waits for it. */
static DomainControl
control_of(const Domain *domain)
{
    VmmLink *link = domain->guest ? guest_link(domain->guest) : NULL;
    gint64 waits = link ? vmm_link_waits_since_us(link) : 0;

    if (!link || guest_is_lost(domain->guest))
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_ERROR,
                                .details = VIR_DOMAIN_CONTROL_ERROR_REASON_MONITOR };
    if (waits)
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_OCCUPIED, .state_ms = ms_since(waits) };
    if (domain->job.active)
        return (DomainControl){ .state = VIR_DOMAIN_CONTROL_JOB,
                                .state_ms = ms_since(domain->job.since_us) };
    return (DomainControl){ .state = VIR_DOMAIN_CONTROL_OK };
}

gboolean
domain_control(const Domain *domain, guint flags, DomainControl *ret, GError **error)
{
    if (!driver_check_flags(flags, 0, "virDomainGetControlInfo", error))
        return FALSE;
    if (!domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
    *ret = domain_is_simulated(domain) ? test_agent_control(domain) : control_of(domain);
    return TRUE;
}
