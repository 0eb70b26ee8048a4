/* stats: virConnectGetAllDomainStats' records, from what the driver already knows.
 *
 * No call waits for a VMM: figures that only a VMM or the kernel has are those of the last look.
 */
#pragma once

#include "driver/domain.h"

/* The groups that there are so far; asking for others with VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
 * is an error, without it they are left out. */
#define STATS_SUPPORTED                                                                            \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |              \
     VIR_DOMAIN_STATS_VCPU)

/* A floating a{sv} with libvirt's field names ("state.state" i, "balloon.current" t, ...); @groups 0
 * means all. NULL with @error for an unknown flag. */
GVariant *domain_stats(Domain *domain, guint groups, guint flags, GError **error);
