#include "driver/block-job.h"

#include "driver/device-disk.h"
#include "driver/domain-private.h"
#include "driver/error.h"
#include "driver/flags.h"

/* The target of the disk of a domain that runs; NULL with @error. */
static const char *
find_target(const Domain *domain, const char *disk, GError **error)
{
    const Device *dev;

    if (!domain_is_active(domain)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return NULL;
    }
    dev = device_disk_find(domain->live->devices, disk);
    if (dev)
        return device_disk_target(dev);
    driver_error(error, VIR_ERR_INVALID_ARG, "No device found for specified path: %s", disk);
    return NULL;
}

GVariant *
domain_block_job_info(const Domain *domain, const char *disk, guint flags, GError **error)
{
    if (!driver_check_flags(flags, VIR_DOMAIN_BLOCK_JOB_INFO_BANDWIDTH_BYTES,
                            "virDomainGetBlockJobInfo", error) ||
        !find_target(domain, disk, error))
        return NULL;
    return g_variant_new("(ittt)", 0, G_GUINT64_CONSTANT(0), G_GUINT64_CONSTANT(0),
                         G_GUINT64_CONSTANT(0));
}

static gboolean
refuse(const Domain *domain, const char *disk, GError **error)
{
    const char *target = find_target(domain, disk, error);

    return target && driver_error(error, VIR_ERR_INVALID_ARG,
                                  "disk %s does not have an active block job", target);
}

gboolean
domain_block_job_abort(const Domain *domain, const char *disk, guint flags, GError **error)
{
    const guint known = VIR_DOMAIN_BLOCK_JOB_ABORT_ASYNC | VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT;

    return driver_check_flags(flags, known, "virDomainBlockJobAbort", error) &&
           refuse(domain, disk, error);
}

gboolean
domain_block_job_set_speed(const Domain *domain, const char *disk, guint flags, GError **error)
{
    return driver_check_flags(flags, VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES,
                              "virDomainBlockJobSetSpeed", error) &&
           refuse(domain, disk, error);
}
