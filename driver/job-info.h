/* job-info: how far a long job is that is done to a domain, and how the last one ended (virDomainGetJobStats).
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>

typedef struct JobInfo {
    int type;                         /* virDomainJobType */
    int operation;                    /* virDomainJobOperation */
    gint64 begun;                     /* g_get_monotonic_time() */
    guint64 elapsed_ms;               /* of one that is over */
    guint64 total, done, transferred; /* bytes of the guest's RAM, and of what was written for it */
} JobInfo;

JobInfo job_info_begin(int operation);
/* It is over, as @type says. */
void job_info_end(JobInfo *info, int type);

guint64 job_info_elapsed_ms(const JobInfo *info);
/* libvirt's typed parameters, a{sv}, floating; empty for VIR_DOMAIN_JOB_NONE. */
GVariant *job_info_params(const JobInfo *info);
