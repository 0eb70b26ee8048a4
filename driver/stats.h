/* stats: virConnectGetAllDomainStats' records, from what the driver already knows.
 *
 * A VMM that does not answer delays nothing: its figures are those of the last look then, and the record has a field of
 * our own, "vmctl.stale" b.
 */
#pragma once

#include "driver/domain.h"

/* The groups that there are so far; asking for others with VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS
 * is an error, without it they are left out. */
#define STATS_SUPPORTED                                                                            \
    (VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON |              \
     VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_INTERFACE | VIR_DOMAIN_STATS_BLOCK |               \
     VIR_DOMAIN_STATS_IOTHREAD)

/* Before domain_stats() of any of @domains: calls @done when what only guests' processes know is as new as it gets,
 * within DEVICE_FIGURES_TIMEOUT_MS. */
void stats_refresh(const GPtrArray *domains, guint groups, GDestroyNotify done, gpointer data);

/* A floating a{sv} with libvirt's field names ("state.state" i, "balloon.current" t, ...); @groups 0
 * means all. NULL with @error for an unknown flag. */
GVariant *domain_stats(Domain *domain, guint groups, guint flags, GError **error);

/* The same of all @domains, one after the other. @record, a{sv}, is floating or not; where it is the one of the domain
 * before, they say the same. */
typedef void (*StatsEach)(gpointer data, const Domain *domain, GVariant *record);
gboolean stats_each(const GPtrArray *domains, guint groups, guint flags, StatsEach each,
                    gpointer data, GError **error);
