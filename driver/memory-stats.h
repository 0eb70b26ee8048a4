/* memory-stats: what a running guest's memory is used for, by its balloon's last word and by the host.
 *
 * They are as old as the last device_figures_refresh().
 */
#pragma once

#include "driver/domain.h"

/* @tag: of virDomainMemoryStatTags; @name: as in the group "balloon" of virConnectGetAllDomainStats; @value: in libvirt's
 * unit for it, which is KiB for what is a size. */
typedef void (*MemoryStat)(gpointer data, int tag, const char *name, guint64 value);

/* Tells what is known of the active @domain's. */
void memory_stats_each(const Domain *domain, MemoryStat tell, gpointer data);
