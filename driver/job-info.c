#include "driver/job-info.h"

#define PAGE 4096

JobInfo
job_info_begin(int operation)
{
    return (JobInfo){
        .type = VIR_DOMAIN_JOB_UNBOUNDED,
        .operation = operation,
        .begun = g_get_monotonic_time(),
    };
}

void
job_info_end(JobInfo *info, int type)
{
    info->elapsed_ms = job_info_elapsed_ms(info);
    info->type = type;
    if (type == VIR_DOMAIN_JOB_COMPLETED)
        info->done = info->total;
}

guint64
job_info_elapsed_ms(const JobInfo *info)
{
    return info->type == VIR_DOMAIN_JOB_UNBOUNDED
               ? (guint64)(g_get_monotonic_time() - info->begun) / 1000
               : info->elapsed_ms;
}

GVariant *
job_info_params(const JobInfo *info)
{
    GVariantBuilder params;
    const struct {
        const char *name;
        guint64 value;
    } rows[] = {
        { VIR_DOMAIN_JOB_TIME_ELAPSED, job_info_elapsed_ms(info) },
        { VIR_DOMAIN_JOB_DATA_TOTAL, info->total },
        { VIR_DOMAIN_JOB_DATA_PROCESSED, info->transferred },
        { VIR_DOMAIN_JOB_DATA_REMAINING, info->total - info->done },
        { VIR_DOMAIN_JOB_MEMORY_TOTAL, info->total },
        { VIR_DOMAIN_JOB_MEMORY_PROCESSED, info->transferred },
        { VIR_DOMAIN_JOB_MEMORY_REMAINING, info->total - info->done },
        { VIR_DOMAIN_JOB_MEMORY_PAGE_SIZE, PAGE },
    };

    g_variant_builder_init(&params, G_VARIANT_TYPE_VARDICT);
    if (info->type != VIR_DOMAIN_JOB_NONE)
        g_variant_builder_add(&params, "{sv}", VIR_DOMAIN_JOB_OPERATION,
                              g_variant_new_int32(info->operation));
    for (gsize i = 0; info->type != VIR_DOMAIN_JOB_NONE && i < G_N_ELEMENTS(rows); i++)
        g_variant_builder_add(&params, "{sv}", rows[i].name, g_variant_new_uint64(rows[i].value));
    return g_variant_builder_end(&params);
}
