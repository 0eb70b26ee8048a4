#include "driver/guest.h"

#include "driver/error.h"
#include "driver/guest-end.h"
#include "driver/guest-threads.h"
#include "driver/store.h"
#include "driver/unix-socket.h"
#include "driver/vmm-sim.h"
#include "driver/vsock-host.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_BACKLOG 4
#define GRACE_MS        100 /* in which a process that hangs up because it ends is expected to do so */

/* What proc(5) has in a process' /proc/PID/stat, by number, and a bit of the first: it is being taken apart
 * (linux/sched.h), which takes long where it has much memory. */
#define STAT_FLAGS      9
#define STAT_START_TIME 22
#define PF_EXITING      0x4

struct Guest {
    char *run_dir, *uuid, *dir, *vsock_dir;
    int listener; /* -1 once the process has it */
    pid_t pid;
    int pidfd;
    guint watch; /* on pidfd */
    char *end;   /* NULL: it runs, or ended as it should, or is not our child */
    VmmLink *link;
    guint grace;   /* a timer: it has hung up, and may be ending; 0: none */
    gboolean lost;  /* by the link before ... */
    gboolean heard; /* ... which had heard something of it */
    Cgroup *room;  /* NULL: none */
    VmmSim *sim;   /* in place of a process, its directory and its socket */
    GuestEvents events;
};

static int
pidfd_open_pid(pid_t pid)
{
    return syscall(SYS_pidfd_open, pid, 0);
}

static void
link_event(gpointer data, VmmMsg *event)
{
    Guest *guest = data;

    guest->events.event(guest->events.data, event);
}

static void
link_late(gpointer data)
{
    Guest *guest = data;

    if (guest->events.late)
        guest->events.late(guest->events.data);
}

static void
lose(Guest *guest, gboolean sane)
{
    guest->lost = TRUE;
    if (guest->events.lost)
        guest->events.lost(guest->events.data, sane);
}

/* A field of the process' /proc/PID/stat behind its name, from 3, the state (proc(5)); 0 where there is none. */
static guint64
stat_field(pid_t pid, guint n)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    g_auto(GStrv) fields = NULL;
    char *end;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(end = strrchr(text, ')')))
        return 0;
    fields = g_strsplit(end + 2, " ", 0);
    return g_strv_length(fields) > n - 3 ? g_ascii_strtoull(fields[n - 3], NULL, 10) : 0;
}

static gboolean
grace_over(gpointer data)
{
    Guest *guest = data;

    guest->grace = 0;
    if (guest->watch && !(stat_field(guest->pid, STAT_FLAGS) & PF_EXITING))
        lose(guest, guest->heard);
    return G_SOURCE_REMOVE;
}

/* The process is ending, or it hung up on us, or we on it: the first comes to light soon, after the others guest_link()
 * connects again. */
static void
link_closed(gpointer data, gboolean wrong)
{
    Guest *guest = data;

    guest->heard = vmm_link_has_heard(guest->link);
    vmm_link_free(g_steal_pointer(&guest->link));
    if (guest->watch && wrong)
        lose(guest, FALSE);
    else if (guest->watch && !guest->grace)
        guest->grace = g_timeout_add(GRACE_MS, grace_over, guest);
}

static gboolean
link_open(Guest *guest, GError **error)
{
    VmmLinkEvents events = { link_event, link_closed, guest, link_late };
    g_autofree char *path = guest_file(guest->run_dir, guest->uuid, "control");
    int fd = unix_socket_connect(path, SOCK_SEQPACKET, error);

    if (fd >= 0)
        guest->link = vmm_link_new(fd, &events);
    return fd >= 0;
}

static gboolean
process_exited(int pidfd, GIOCondition condition, gpointer data)
{
    Guest *guest = data;
    siginfo_t info = { 0 };

    /* ECHILD: not our child after a restart. */
    if (waitid(P_PIDFD, pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0)
        guest->end = guest_end_words(&info);
    guest->watch = 0;
    g_clear_handle_id(&guest->grace, g_source_remove);
    guest->events.exited(guest->events.data);
    return G_SOURCE_REMOVE;
}

static void
watch_process(Guest *guest, pid_t pid, int pidfd)
{
    guest->pid = pid;
    guest->pidfd = pidfd;
    /* Below the link's priority, so that the last event is heard first. */
    guest->watch =
        g_unix_fd_add_full(G_PRIORITY_DEFAULT + 1, pidfd, G_IO_IN, process_exited, guest, NULL);
}

static void
sim_exited(gpointer data)
{
    Guest *guest = data;

    guest->events.exited(guest->events.data);
}

/* Both ends are the daemon's own. */
static gboolean
simulate(Guest *guest, GError **error)
{
    VmmLinkEvents events = { link_event, link_closed, guest };
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return driver_error_errno(error, errno, "cannot make a socket");
    guest->link = vmm_link_new(ends[0], &events);
    guest->sim = vmm_sim_new(ends[1], sim_exited, guest);
    return TRUE;
}

static Guest *
guest_alloc(const char *run_dir, const char *uuid, const GuestEvents *events)
{
    Guest *guest = g_new0(Guest, 1);

    guest->run_dir = g_strdup(run_dir);
    if (run_dir) {
        guest->dir = guest_files_dir(run_dir, uuid);
        guest->vsock_dir = vsock_host_dir(run_dir, uuid);
    }
    guest->uuid = g_strdup(uuid);
    guest->events = *events;
    guest->listener = -1;
    guest->pidfd = -1;
    return guest;
}

Guest *
guest_new(const char *run_dir, const char *uuid, const GuestEvents *events, GError **error)
{
    Guest *guest = guest_alloc(run_dir, uuid, events);
    g_autofree char *control = NULL;

    if (!run_dir) {
        if (simulate(guest, error))
            return guest;
        goto fail;
    }
    control = guest_file(run_dir, uuid, "control");
    guest_discard(run_dir, uuid);
    if (g_mkdir_with_parents(guest->dir, 0700) < 0) {
        driver_error_errno(error, errno, "cannot make the directory '%s'", guest->dir);
        goto fail;
    }
    guest->listener = unix_socket_listen(control, SOCK_SEQPACKET, CONTROL_BACKLOG, error);
    if (guest->listener >= 0 && link_open(guest, error))
        return guest;
fail:
    guest_free(guest);
    return NULL;
}

/* Empty but for what a build with sanitizers listens to: what is in the daemon's is none of a guest's
 * business. */
static char **
environment(void)
{
    static const char *const names[] = { "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS",
                                         "UBSAN_OPTIONS" };
    char **env = g_new0(char *, G_N_ELEMENTS(names) + 1);
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *value = g_getenv(names[i]);

        if (value)
            env[n++] = g_strconcat(names[i], "=", value, NULL);
    }
    return env;
}

gboolean
guest_spawn(Guest *guest, const char *vmm, int log_fd, GError **error)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    char *argv[] = { (char *)vmm, NULL };
    g_auto(GStrv) env = environment();
    sigset_t none, all;
    pid_t pid;
    int result, pidfd;

    if (guest->sim)
        return TRUE;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, log_fd, 2);
    posix_spawn_file_actions_adddup2(&actions, guest->listener, VMM_LISTEN_FD);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setsigmask(&attr, &none);
    result = posix_spawn(&pid, vmm, &actions, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&actions);
    if (result != 0)
        return driver_error_errno(error, result, "cannot start '%s'", vmm);
    close(guest->listener);
    guest->listener = -1;
    pidfd = pidfd_open_pid(pid);
    if (pidfd < 0) {
        result = errno;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        return driver_error_errno(error, result, "cannot watch the process of '%s'", vmm);
    }
    watch_process(guest, pid, pidfd);
    return TRUE;
}

gboolean
guest_take(Guest *guest, UnitCall *call, const char *vmm, int log_fd, GError **error)
{
    pid_t pid = unit_call_pid(call); /* it waits for us, so this is no later namesake */
    int pidfd = pidfd_open_pid(pid);
    gboolean taken;

    if (pidfd < 0) {
        driver_error_errno(error, errno, "cannot watch the process of '%s'", vmm);
        unit_call_answer(call, error ? *error : NULL);
        return FALSE;
    }
    taken = unit_call_hand_over(call, vmm, guest->listener, log_fd, error);
    close(guest->listener);
    guest->listener = -1;
    if (taken)
        watch_process(guest, pid, pidfd);
    else
        close(pidfd);
    return taken;
}

/* A driver without rights can raise it as far as its own hard limit goes. */
gboolean
guest_allow_locked(Guest *guest, guint64 bytes, GError **error)
{
    struct rlimit now, wanted;

    if (!bytes)
        return TRUE;
    if (prlimit(guest->pid, RLIMIT_MEMLOCK, NULL, &now) < 0)
        return driver_error_errno(error, errno, "cannot read the limit for locked memory");
    if (now.rlim_cur == RLIM_INFINITY || now.rlim_cur >= bytes)
        return TRUE;
    wanted.rlim_cur = bytes;
    wanted.rlim_max = MAX(now.rlim_max, bytes);
    if (prlimit(guest->pid, RLIMIT_MEMLOCK, &wanted, NULL) == 0)
        return TRUE;
    if (errno != EPERM)
        return driver_error_errno(error, errno, "cannot raise the limit for locked memory");
    return driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "cannot lock %" G_GUINT64_FORMAT " KiB of memory: the limit for locked "
                        "memory (RLIMIT_MEMLOCK) is %" G_GUINT64_FORMAT " KiB",
                        bytes / 1024, (guint64)now.rlim_max / 1024);
}

gboolean
guest_set_room(Guest *guest, Cgroup *room, GError **error)
{
    g_autofree char *path = guest_file(guest->run_dir, guest->uuid, "cgroup");
    g_autofree char *text = NULL;

    cgroup_free(guest->room);
    guest->room = room;
    if (!room) {
        g_unlink(path);
        return TRUE;
    }
    text = g_strdup_printf("%s\n%s\n", cgroup_root(room), cgroup_path(room));
    return store_write_file(path, text, STORE_VOLATILE, error);
}

const Cgroup *
guest_room(const Guest *guest)
{
    return guest->room;
}

/* All its threads have ended. */
static gboolean
has_exited(int pidfd)
{
    struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };

    return poll(&poll_fd, 1, 0) > 0;
}

Guest *
guest_adopt(const char *run_dir, const char *uuid, const GuestStatus *status,
            const GuestEvents *events)
{
    int pidfd = pidfd_open_pid(status->pid);
    Guest *guest;

    /* In this order: what has the right start time after pidfd_open() is what the descriptor means. */
    if (pidfd < 0 || guest_start_time(status->pid) != status->start_time || has_exited(pidfd)) {
        if (pidfd >= 0)
            close(pidfd);
        return NULL;
    }
    guest = guest_alloc(run_dir, uuid, events);
    watch_process(guest, status->pid, pidfd);
    guest->room = guest_files_room(run_dir, uuid);
    if (!link_open(guest, NULL))
        guest->grace = g_timeout_add(GRACE_MS, grace_over, guest);
    return guest;
}

const char *
guest_dir(const Guest *guest)
{
    return guest->dir;
}

const char *
guest_vsock_dir(const Guest *guest)
{
    return guest->vsock_dir;
}

pid_t
guest_pid(const Guest *guest)
{
    return guest->pid;
}

const char *
guest_end(const Guest *guest)
{
    return guest->end;
}

VmmLink *
guest_link(Guest *guest)
{
    g_autoptr(GError) error = NULL;

    if (!guest->link && guest->watch && !link_open(guest, &error))
        g_warning("%s", error->message);
    return guest->link;
}

gboolean
guest_is_lost(const Guest *guest)
{
    return guest->lost && !(guest->link && vmm_link_has_heard(guest->link));
}

int
guest_open_record(Guest *guest, GError **error)
{
    g_autofree char *path = g_build_filename(guest->dir, "record", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        driver_error_errno(error, errno, "cannot make '%s'", path);
    return fd;
}

void
guest_kill(Guest *guest)
{
    if (guest->sim)
        vmm_sim_kill(guest->sim);
    else if (guest->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, guest->pidfd, SIGKILL, NULL, 0);
}

void
guest_free(Guest *guest)
{
    if (!guest)
        return;
    vmm_link_free(g_steal_pointer(&guest->link));
    vmm_sim_free(guest->sim);
    g_clear_handle_id(&guest->watch, g_source_remove);
    g_clear_handle_id(&guest->grace, g_source_remove);
    if (guest->pidfd >= 0)
        close(guest->pidfd);
    if (guest->listener >= 0)
        close(guest->listener);
    cgroup_free(guest->room);
    g_free(guest->end);
    g_free(guest->run_dir);
    g_free(guest->uuid);
    g_free(guest->dir);
    g_free(guest->vsock_dir);
    g_free(guest);
}

gboolean
guest_cpu_times(const Guest *guest, guint64 *ret_user_ns, guint64 *ret_system_ns)
{
    if (!guest->sim)
        return guest_process_times(guest->pid, ret_user_ns, ret_system_ns);
    *ret_user_ns = vmm_sim_run_ns(guest->sim);
    *ret_system_ns = 0;
    return TRUE;
}

guint64
guest_start_time(pid_t pid)
{
    return stat_field(pid, STAT_START_TIME);
}
