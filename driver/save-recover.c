#include "driver/save-recover.h"

#include <errno.h>
#include <glib/gstdio.h>

static void
cancel_answered(gpointer data, VmmMsg *reply, const GError *error)
{
    domain_unref(data);
}

void
save_ask_cancel(Domain *domain)
{
    VmmLink *link = guest_link(domain->guest);

    if (link)
        vmm_link_send(link, vmm_link_request(link, VMM_CANCEL_JOB), VMM_LINK_TIMEOUT_MS,
                      cancel_answered, domain_ref(domain));
}

static void
recovered(gpointer data, VmmMsg *reply, const GError *error)
{
    g_autoptr(Domain) domain = data;

    /* Refused while the VMM still writes: "job-ended" brings us here again. */
    if (error || domain->state != VIR_DOMAIN_PAUSED)
        return;
    guest_remove_saving(domain->host->env->run_dir, domain_uuid(domain));
    domain_move(domain, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED);
    domain_emit(domain, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_UNPAUSED);
}

void
save_recover(Domain *domain)
{
    const char *run_dir = domain->host->env->run_dir;
    g_autofree char *temporary = guest_read_saving(run_dir, domain_uuid(domain));
    VmmLink *link = domain->guest ? guest_link(domain->guest) : NULL;

    if (!temporary || !link)
        return;
    if (*temporary)
        g_unlink(temporary);
    save_ask_cancel(domain);
    if (domain->state == VIR_DOMAIN_PAUSED && domain->reason == VIR_DOMAIN_PAUSED_SAVE)
        vmm_link_send(link, vmm_link_request(link, VMM_RUN), VMM_LINK_TIMEOUT_MS, recovered,
                      domain_ref(domain));
    else
        guest_remove_saving(run_dir, domain_uuid(domain));
}

gboolean
save_had_ended(const char *run_dir, const char *uuid)
{
    g_autofree char *temporary = guest_read_saving(run_dir, uuid);

    /* It has lost the name only by getting its own. */
    if (!temporary || !*temporary)
        return FALSE;
    return g_unlink(temporary) < 0 && errno == ENOENT;
}
