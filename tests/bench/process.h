/* process: what a monitor costs, beyond the memory of its guest: /proc/PID/smaps and schedstat
 * (proc(5)).
 */
#pragma once

#include <glib.h>

typedef struct Overhead {
    double pss_kib;           /* shared pages count by how many share them */
    double private_dirty_kib; /* what would be free if the process ended */
} Overhead;

/* Sums @smaps, the content of that file, but for mappings of @ram_kib and more: those are the
 * guest's RAM. */
Overhead process_sum_overhead(const char *smaps, guint ram_kib);
/* The same for a process that runs. */
Overhead process_overhead(GPid pid, guint ram_kib);

/* CPU time that all threads have had. That of a thread that runs is up to a clock tick old. */
gint64 process_cpu_ns(GPid pid);
/* The same without the vCPUs' threads, known by their names: what devices take. */
gint64 process_devices_cpu_ns(GPid pid);
