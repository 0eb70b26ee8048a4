/* domain-saved: what clients ask about a domain's managed save, and about the job that makes one. */
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/managed-save.h"
#include "driver/restore-source.h"
#include "driver/save.h"

gboolean
domain_has_managed_save(const Domain *domain)
{
    return domain->managed_save;
}

gboolean
domain_managed_save_remove(Domain *domain, guint flags, GError **error)
{
    return driver_check_flags(flags, 0, "virDomainManagedSaveRemove", error) &&
           managed_save_remove(domain, error);
}

/* NULL with @error where there is no image. */
static char *
existing(Domain *domain, const char *function, GError **error)
{
    if (domain->host->env->simulated) /* an image without a file */
        driver_error(error, VIR_ERR_NO_SUPPORT, "%s", function);
    else if (!domain->managed_save)
        driver_error(error, VIR_ERR_OPERATION_INVALID,
                     "domain does not have managed save image");
    else if (managed_save_make_ready(domain, error))
        return managed_save_path(domain);
    return NULL;
}

char *
domain_managed_save_xml(Domain *domain, guint flags, GError **error)
{
    g_autofree char *path = existing(domain, "virDomainManagedSaveGetXMLDesc", error);

    return path ? restore_image_xml(domain->host->env, &(SavedImage){ path, NULL }, flags, error) : NULL;
}

gboolean
domain_managed_save_define(Domain *domain, const char *xml, guint flags, GError **error)
{
    g_autofree char *path = existing(domain, "virDomainManagedSaveDefineXML", error);

    return path && restore_image_define(domain->host->env, &(SavedImage){ path, NULL }, xml, flags, error);
}

static gboolean
check_active(const Domain *domain, GError **error)
{
    return domain_is_active(domain) ||
           driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
}

gboolean
domain_job_info(const Domain *domain, JobInfo *ret, GError **error)
{
    const JobInfo *info = save_info(domain);

    if (!check_active(domain, error))
        return FALSE;
    *ret = info ? *info : (JobInfo){ .type = VIR_DOMAIN_JOB_NONE };
    return TRUE;
}

gboolean
domain_job_stats(Domain *domain, guint flags, JobInfo *ret, GError **error)
{
    const guint known = VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;

    if (!driver_check_flags(flags, known, "virDomainGetJobStats", error))
        return FALSE;
    if (!(flags & VIR_DOMAIN_JOB_STATS_COMPLETED))
        return domain_job_info(domain, ret, error);
    *ret =
        domain->job_completed ? *domain->job_completed : (JobInfo){ .type = VIR_DOMAIN_JOB_NONE };
    if (!(flags & VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED))
        g_clear_pointer(&domain->job_completed, g_free);
    return TRUE;
}

gboolean
domain_abort_job(Domain *domain, GError **error)
{
    if (!check_active(domain, error))
        return FALSE;
    if (!save_info(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "no job is active on the domain");
    save_abort(domain);
    return TRUE;
}
