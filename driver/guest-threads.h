/* guest-threads: the threads of a guest's process, as the host's kernel lists them.
 *
 * A VMM names its vCPUs' threads "vcpu N". Nothing else that it might say is believed: what is listed under a
 * process belongs to it, so the worst that a VMM can do with a name is to mislead about itself.
 */
#pragma once

#include "driver/cpuset.h"

#include <sys/types.h>

typedef struct GuestThread {
    pid_t tid;
    int vcpu;   /* -1: none, it is the emulator's */
    char state; /* as in proc(5) */
    int cpu;    /* where it ran last */
    guint64 user_ns, system_ns;
    guint64 wait_ns; /* that it was ready to run, and waited for a CPU */
} GuestThread;

/* An array of GuestThread; empty where there is no such process. Free with g_array_unref(). */
GArray *guest_threads_list(pid_t pid);
/* CPU time of all threads, those that have ended included; FALSE: no such process. */
gboolean guest_process_times(pid_t pid, guint64 *ret_user_ns, guint64 *ret_system_ns);
/* FALSE: that vCPU has none. */
gboolean guest_threads_find(pid_t pid, guint vcpu, GuestThread *ret);

/* Where a thread may run; an empty set means anywhere. */
gboolean guest_thread_pin(pid_t tid, const CpuSet *cpus, GError **error);
/* Every thread that is no vCPU's. */
gboolean guest_threads_pin_emulator(pid_t pid, const CpuSet *cpus, GError **error);
CpuSet guest_thread_affinity(pid_t tid);
