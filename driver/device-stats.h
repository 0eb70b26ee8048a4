/* device-stats: libvirt's statistics of a domain's disks and network cards, from device-figures of a guest that runs
 * and from the images themselves of one that does not.
 */
#pragma once

#include "driver/domain.h"

/* The groups VIR_DOMAIN_STATS_BLOCK, with the images behind the disks' own where @backing says so, and
 * VIR_DOMAIN_STATS_INTERFACE. */
void device_stats_add_block(const Domain *domain, gboolean backing, GVariantBuilder *out);
void device_stats_add_net(const Domain *domain, GVariantBuilder *out);

/* virDomainGetBlockInfo() of the disk with that target or source: (ttt), its capacity, allocation and physical size
 * in bytes. */
void domain_block_info(Domain *domain, const char *disk, guint flags, DomainReply done,
                       gpointer data);
/* virDomainGetDiskErrors(): a(si), the disks that have failed, and virDomainDiskErrorCode. */
void domain_disk_errors(Domain *domain, guint flags, DomainReply done, gpointer data);
