/* What of a guest that runs is written down, for the next daemon to find it as it is. What could not be written when it
 * changed, because the disk was full, say, is written when that is possible again.
 */
#include "driver/domain-private.h"

#include "driver/domain-xml.h"

#define AGAIN_S 1

static gboolean
write_status(const Domain *domain, GError **error)
{
    GuestStatus status = {
        .id = domain->id,
        .pid = guest_pid(domain->guest),
        .start_time = guest_start_time(guest_pid(domain->guest)),
        .state = domain->state,
        .reason = domain->reason,
        .updated = domain->updated,
        .from_image = domain->from_image,
    };

    /* A process that is gone has no start time any more: the record says how it ended. */
    return status.start_time == 0 ||
           guest_write_status(domain->host->env->run_dir, domain_uuid(domain), &status, error);
}

gboolean
domain_write_live_as(const Domain *domain, const DomainDef *live, GError **error)
{
    g_autofree char *xml =
        domain_xml_format(live, domain->id, DOMAIN_FORMAT_LIVE | DOMAIN_FORMAT_SECURE);

    return guest_write_live(domain->host->env->run_dir, domain_uuid(domain), xml, error);
}

/* A device that the guest's process is being given is written down before. */
static gboolean
write_live(const Domain *domain, GError **error)
{
    return domain_write_live_as(domain, domain->coming ? domain->coming : domain->live, error);
}

static gboolean
write_again(gpointer data)
{
    Domain *domain = data;

    if (domain_is_active(domain) && domain->guest &&
        (!write_status(domain, NULL) || !write_live(domain, NULL)))
        return G_SOURCE_CONTINUE;
    domain->again = 0;
    return G_SOURCE_REMOVE;
}

/* Once is enough to say it. */
static void
failed(Domain *domain, const GError *error)
{
    if (domain->again)
        return;
    g_warning("%s", error->message);
    domain->again = g_timeout_add_seconds(AGAIN_S, write_again, domain);
}

void
domain_write_status(Domain *domain)
{
    g_autoptr(GError) error = NULL;

    if (!write_status(domain, &error))
        failed(domain, error);
}

void
domain_write_live(Domain *domain)
{
    g_autoptr(GError) error = NULL;

    if (!write_live(domain, &error))
        failed(domain, error);
}

void
domain_forget_files(Domain *domain)
{
    g_clear_handle_id(&domain->again, g_source_remove);
}
