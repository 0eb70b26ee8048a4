#include "driver/save-recover.h"

#include "driver/image-file.h"

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

/* It is taken away only once it is known that this does not mean a whole image. */
static void
undo(const char *run_dir, const char *uuid, GuestSaving *saving)
{
    if (!*saving->temporary)
        return;
    saving->undone = TRUE;
    if (guest_write_saving(run_dir, uuid, saving, NULL))
        g_unlink(saving->temporary);
}

void
save_recover(Domain *domain)
{
    const char *run_dir = domain->host->env->run_dir;
    VmmLink *link = domain->guest ? guest_link(domain->guest) : NULL;
    g_auto(GuestSaving) saving = { 0 };

    if (domain->save) /* it is ours, and goes on */
        return;
    if (!guest_read_saving(run_dir, domain_uuid(domain), &saving) || !link)
        return;
    undo(run_dir, domain_uuid(domain), &saving);
    save_ask_cancel(domain);
    if (domain->state == VIR_DOMAIN_PAUSED && domain->reason == VIR_DOMAIN_PAUSED_SAVE)
        vmm_link_send(link, vmm_link_request(link, VMM_RUN), VMM_LINK_TIMEOUT_MS, recovered,
                      domain_ref(domain));
    else
        guest_remove_saving(run_dir, domain_uuid(domain));
}

gboolean
save_is_under_way(const char *run_dir, const char *uuid)
{
    g_auto(GuestSaving) saving = { 0 };

    return guest_read_saving(run_dir, uuid, &saving);
}

static gboolean
is_whole(const GuestSaving *saving)
{
    return !saving->undone && image_file_was_published(saving->temporary);
}

gboolean
save_is_whole(const char *run_dir, const char *uuid)
{
    g_auto(GuestSaving) saving = { 0 };

    return guest_read_saving(run_dir, uuid, &saving) && is_whole(&saving);
}

gboolean
save_had_ended(const char *run_dir, const char *uuid)
{
    g_auto(GuestSaving) saving = { 0 };

    if (!guest_read_saving(run_dir, uuid, &saving))
        return FALSE;
    if (is_whole(&saving))
        return TRUE;
    if (*saving.temporary)
        g_unlink(saving.temporary);
    return FALSE;
}
