/* block-job: what libvirt tells of copying a disk in the background and lets a client do to it. This driver has no such
 * jobs, so that there never is one; what is wrong is told in libvirt's words.
 */
#pragma once

#include "driver/domain.h"

/* virDomainGetBlockJobInfo: (ittt), a type, the bandwidth, and how far it is of how far; all 0 without a job. Floating;
 * NULL with @error. */
GVariant *domain_block_job_info(const Domain *domain, const char *disk, guint flags, GError **error);
/* virDomainBlockJobAbort and virDomainBlockJobSetSpeed: fail, for there is none. */
gboolean domain_block_job_abort(const Domain *domain, const char *disk, guint flags, GError **error);
gboolean domain_block_job_set_speed(const Domain *domain, const char *disk, guint flags,
                                    GError **error);
