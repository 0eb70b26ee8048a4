/* guest-threads: the threads of a guest's process, as the host's kernel lists them.
 *
 * A VMM names its vCPUs' threads "vcpu N", and its I/O threads "io N". Nothing else that it might say is believed: what
 * is listed under a process belongs to it, so the worst that a VMM can do with a name is to mislead about itself.
 */
#pragma once

#include "driver/domain-iothreads.h"

#include <sys/types.h>

typedef struct GuestThread {
    pid_t tid;
    int vcpu;       /* -1: none */
    guint iothread; /* 0: none */
    char state;     /* as in proc(5) */
    int cpu;        /* where it ran last */
    guint64 user_ns, system_ns;
    guint64 wait_ns; /* that it was ready to run, and waited for a CPU */
} GuestThread;

/* An array of GuestThread; empty where there is no such process. Free with g_array_unref(). */
GArray *guest_threads_list(pid_t pid);
/* CPU time of all threads, those that have ended included; FALSE: no such process. */
gboolean guest_process_times(pid_t pid, guint64 *ret_user_ns, guint64 *ret_system_ns);
/* FALSE: that vCPU has none; there is no such I/O thread. */
gboolean guest_threads_find(pid_t pid, guint vcpu, GuestThread *ret);
gboolean guest_threads_find_iothread(pid_t pid, guint iothread, GuestThread *ret);
/* All that are neither a vCPU's nor an I/O thread. */
gboolean guest_thread_is_emulator(const GuestThread *thread);

/* Where a thread may run; an empty set means anywhere. */
gboolean guest_thread_pin(pid_t tid, const CpuSet *cpus, GError **error);
/* Every thread of the emulator. */
gboolean guest_threads_pin_emulator(pid_t pid, const CpuSet *cpus, GError **error);
/* Has it scheduled as @schedule says; where that says nothing, as ever. */
gboolean guest_thread_schedule(pid_t tid, const ThreadSchedule *schedule, GError **error);
CpuSet guest_thread_affinity(pid_t tid);
