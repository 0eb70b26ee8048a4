#include "driver/guest-threads.h"

#include "driver/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static guint64
ticks_to_ns(const char *ticks)
{
    return g_ascii_strtoull(ticks, NULL, 10) * (1000000000 / sysconf(_SC_CLK_TCK));
}

/* Of /proc/PID/task/TID/stat, proc(5): the name in parentheses may contain anything, so fields are counted
 * from the last one. */
static gboolean
parse_stat(char *text, GuestThread *ret)
{
    char *open = strchr(text, '('), *close = strrchr(text, ')');
    g_auto(GStrv) fields = NULL;
    unsigned number;
    char end;

    if (!open || !close || close < open || !close[1])
        return FALSE;
    fields = g_strsplit(close + 2, " ", 0); /* the first is field 3 */
    if (g_strv_length(fields) < 37)
        return FALSE;
    *close = '\0';
    ret->vcpu = sscanf(open + 1, "vcpu %u%c", &number, &end) == 1 ? (int)number : -1;
    ret->iothread = sscanf(open + 1, "io %u%c", &number, &end) == 1 ? number : 0;
    ret->state = fields[0][0];
    ret->user_ns = ticks_to_ns(fields[11]);
    ret->system_ns = ticks_to_ns(fields[12]);
    ret->cpu = atoi(fields[36]);
    return TRUE;
}

/* "RUNNING_NS WAITING_NS SLICES", where the kernel keeps count (sched-stats.rst). */
static guint64
wait_of(const char *task)
{
    g_autofree char *path = g_build_filename(task, "schedstat", NULL);
    g_autofree char *text = NULL;
    const char *space;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(space = strchr(text, ' ')))
        return 0;
    return g_ascii_strtoull(space + 1, NULL, 10);
}

static gboolean
read_stat(const char *dir, GuestThread *ret)
{
    g_autofree char *path = g_build_filename(dir, "stat", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && parse_stat(text, ret);
}

gboolean
guest_process_times(pid_t pid, guint64 *ret_user_ns, guint64 *ret_system_ns)
{
    g_autofree char *dir = g_strdup_printf("/proc/%d", (int)pid);
    GuestThread process;

    if (!read_stat(dir, &process))
        return FALSE;
    *ret_user_ns = process.user_ns;
    *ret_system_ns = process.system_ns;
    return TRUE;
}

GArray *
guest_threads_list(pid_t pid)
{
    GArray *threads = g_array_new(FALSE, FALSE, sizeof(GuestThread));
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)pid);
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    const char *tid;

    while (dir && (tid = g_dir_read_name(dir))) {
        g_autofree char *task = g_build_filename(tasks, tid, NULL);
        GuestThread thread = { .tid = atoi(tid) };

        if (!read_stat(task, &thread))
            continue;
        thread.wait_ns = wait_of(task);
        g_array_append_val(threads, thread);
    }
    return threads;
}

/* The first with these two numbers. */
static gboolean
find(pid_t pid, int vcpu, guint iothread, GuestThread *ret)
{
    g_autoptr(GArray) threads = guest_threads_list(pid);

    for (guint i = 0; i < threads->len; i++) {
        const GuestThread *thread = &g_array_index(threads, GuestThread, i);

        if (thread->vcpu == vcpu && thread->iothread == iothread) {
            *ret = *thread;
            return TRUE;
        }
    }
    return FALSE;
}

gboolean
guest_threads_find(pid_t pid, guint vcpu, GuestThread *ret)
{
    return find(pid, vcpu, 0, ret);
}

gboolean
guest_threads_find_iothread(pid_t pid, guint iothread, GuestThread *ret)
{
    return find(pid, -1, iothread, ret);
}

gboolean
guest_thread_is_emulator(const GuestThread *thread)
{
    return thread->vcpu < 0 && !thread->iothread;
}

gboolean
guest_thread_pin(pid_t tid, const CpuSet *cpus, GError **error)
{
    const CpuSet set = cpuset_is_empty(cpus) ? cpuset_host() : *cpus;

    return sched_setaffinity(tid, sizeof(set.cpus), &set.cpus) == 0 ||
           driver_error_errno(error, errno, "cannot set CPU affinity on process %d", (int)tid);
}

gboolean
guest_threads_pin_emulator(pid_t pid, const CpuSet *cpus, GError **error)
{
    g_autoptr(GArray) threads = guest_threads_list(pid);

    for (guint i = 0; i < threads->len; i++) {
        const GuestThread *thread = &g_array_index(threads, GuestThread, i);

        if (guest_thread_is_emulator(thread) && !guest_thread_pin(thread->tid, cpus, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
guest_thread_schedule(pid_t tid, const ThreadSchedule *schedule, GError **error)
{
    const struct sched_param param = { .sched_priority = schedule->priority };

    return !schedule->said || sched_setscheduler(tid, schedule->policy, &param) == 0 ||
           driver_error_errno(error, errno, "Cannot set scheduler parameters for pid %d", (int)tid);
}

CpuSet
guest_thread_affinity(pid_t tid)
{
    CpuSet set = { 0 };

    sched_getaffinity(tid, sizeof(set.cpus), &set.cpus);
    return set;
}
