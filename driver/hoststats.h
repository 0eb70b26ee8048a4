/* hoststats: what the host's processors and memory are doing, in libvirt's figures.
 *
 * Read from /proc and /sys at each call; nothing waits. The parsers are apart for tests.
 */
#pragma once

#include <glib.h>

/* KiB (virNodeGetMemoryStats' fields). */
typedef struct HostMemory {
    guint64 total, free, buffers, cached;
} HostMemory;

/* Nanoseconds since boot (virNodeGetCPUStats' fields). */
typedef struct HostCpuTimes {
    guint64 user, kernel, idle, iowait;
} HostCpuTimes;

/* @cell: a NUMA node, or VIR_NODE_MEMORY_STATS_ALL_CELLS. */
gboolean hoststats_memory(int cell, HostMemory *ret, GError **error);
/* @cpu: a processor, or VIR_NODE_CPU_STATS_ALL_CPUS for the sum. */
gboolean hoststats_cpu(int cpu, HostCpuTimes *ret, GError **error);
/* A gboolean for each processor that is present: whether it is online. Free with g_array_unref(). */
GArray *hoststats_cpu_map(GError **error);

/* meminfo's text, of /proc or of a node in /sys: what it does not say is 0. */
void hoststats_parse_meminfo(const char *text, HostMemory *ret);
/* /proc/stat's; FALSE where @cpu is not in it. */
gboolean hoststats_parse_stat(const char *text, int cpu, HostCpuTimes *ret);
/* Sets what a list such as "0-3,6" names; numbers beyond the array's end are left out. */
void hoststats_parse_cpu_list(const char *text, GArray *map);
