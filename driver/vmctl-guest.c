/* vmctl-guest: the command of a guest's unit, see units.h.
 *
 *   vmctl-guest start NAME    becomes the VMM of the domain NAME
 *   vmctl-guest wait NAME     until the domain's start is over
 *   vmctl-guest stop NAME     presses the power button, for which a guest that is paused or asleep is resumed or woken
 *                             first, and waits until it is off
 *   vmctl-guest save NAME     saves the guest, for the next start to go on from there
 *   vmctl-guest suspend NAME  has it suspend itself to its own disk
 *   vmctl-guest default NAME  the one of these three that vmctld.conf(5) says
 *
 * All but the first outlast a restart of vmctld.
 */
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET  "/run/vmctl/units"
#define CGROUPS "/sys/fs/cgroup"

#define PATIENCE_MS 10000 /* so long a daemon may be gone when it restarts */
#define PAUSE_MS    100
#define GLANCE_MS   2 /* between looks at a start, which takes some milliseconds */

static void
fail(const char *what)
{
    fprintf(stderr, "vmctl-guest: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void
pause_for(long ms)
{
    nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static const char *
socket_path(void)
{
    const char *path = getenv("VMCTL_UNITS");

    return path ? path : SOCKET;
}

/* -1 with errno. */
static int
reach_daemon(void)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path());
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* The same, where a daemon that restarts is waited for. */
static int
wait_for_daemon(void)
{
    int fd = reach_daemon();

    for (int waited = 0; fd < 0 && waited < PATIENCE_MS; waited += PAUSE_MS) {
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN)
            break;
        pause_for(PAUSE_MS);
        fd = reach_daemon();
    }
    return fd;
}

/* The service manager's own settings of the unit stay apart from ours: the guest has a group below the
 * unit's. Where that cannot be made it stays where it is, and vmctld says what it lacks. */
static void
enter_group(void)
{
    char line[4096] = "", path[8192];
    FILE *file = fopen("/proc/self/cgroup", "re");
    int fd;

    while (file && fgets(line, sizeof(line), file) && strncmp(line, "0::/", 4) != 0)
        ;
    if (file)
        fclose(file);
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "0::/", 4) != 0 || strcmp(line, "0::/") == 0)
        return;
    snprintf(path, sizeof(path), CGROUPS "%s/guest", line + 3);
    if (mkdir(path, 0755) < 0 && errno != EEXIST)
        return;
    strcat(path, "/cgroup.procs");
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "0", 1) < 0)
        perror("vmctl-guest: the unit's control group");
    if (fd >= 0)
        close(fd);
}

/* NULL with errno: whoever is at the other end of @fd is there no longer. Closes it. */
static VmmMsg *
ask_at(int fd, const char *verb, const char *name)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, verb);
    VmmMsg *reply = NULL;

    vmm_msg_put_string(request, "name", name);
    if (vmm_msg_send(fd, request)) {
        /* Receiving itself never waits. */
        while (poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -1) < 0 && errno == EINTR)
            ;
        reply = vmm_msg_recv(fd);
    }
    close(fd);
    errno = ECONNRESET;
    return reply;
}

/* A failure ends it all. */
static VmmMsg *
check(VmmMsg *reply)
{
    const char *text = "";

    if (!reply)
        fail("vmctld does not answer");
    if (vmm_msg_kind(reply) == VMM_MSG_ERROR) {
        vmm_msg_get_string(reply, "text", &text);
        fprintf(stderr, "%s\n", text);
        exit(EXIT_FAILURE);
    }
    return reply;
}

static VmmMsg *
ask(const char *verb, const char *name)
{
    int fd = reach_daemon();

    if (fd < 0)
        fail("cannot reach vmctld");
    return check(ask_at(fd, verb, name));
}

/* What one daemon has not answered the next one is asked: it has found the guest, or that it is over. A start is not
 * asked for twice, for whoever wanted it has been told that it failed. */
static VmmMsg *
keep_asking(const char *verb, const char *name)
{
    VmmMsg *reply = NULL;

    while (!reply) {
        int fd = wait_for_daemon();

        if (fd < 0)
            fail("cannot reach vmctld");
        reply = ask_at(fd, verb, name);
        if (!reply)
            pause_for(PAUSE_MS);
    }
    return check(reply);
}

/* The VMM gets its listener and its log, and nothing else. */
static void
become_vmm(const char *name)
{
    VmmMsg *reply = ask("start", name);
    char *const nothing[] = { NULL };
    const char *vmm;
    int listener, log, null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (!vmm_msg_get_string(reply, "vmm", &vmm) || !vmm_msg_take_fd(reply, "listener", &listener) ||
        !vmm_msg_take_fd(reply, "log", &log)) {
        errno = EBADMSG;
        fail("vmctld's answer");
    }
    /* Copies beyond the numbers that are about to be overwritten. */
    listener = fcntl(listener, F_DUPFD_CLOEXEC, VMM_LISTEN_FD + 1);
    log = fcntl(log, F_DUPFD_CLOEXEC, VMM_LISTEN_FD + 1);
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0 ||
        dup2(listener, VMM_LISTEN_FD) < 0)
        fail("descriptors");
    execve(vmm, (char *const[]){ (char *)vmm, NULL }, nothing);
    fail(vmm);
}

/* Whether the process @pid runs this program. */
static bool
runs_this(const char *pid)
{
    struct stat its, ours;
    char path[64];

    snprintf(path, sizeof(path), "/proc/%s/exe", pid);
    return stat(path, &its) == 0 && stat("/proc/self/exe", &ours) == 0 &&
           its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;
}

/* The unit's process becomes the VMM when it has asked for the start, and the service manager does not wait for that: until
 * then there is no start whose end could be waited for. */
static void
let_start(void)
{
    const char *pid = getenv("MAINPID");

    while (pid && runs_this(pid))
        pause_for(GLANCE_MS);
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "vmctl-guest is started by the unit of a guest, not by hand.\n");
        return EXIT_FAILURE;
    }
    if (strcmp(argv[1], "start") == 0) {
        enter_group();
        become_vmm(argv[2]);
    }
    if (strcmp(argv[1], "wait") == 0)
        let_start();
    /* A unit is stopped, too, when its process has ended by itself (systemd.service(5), ExecStop=). */
    if (strcmp(argv[1], "wait") == 0 || getenv("MAINPID"))
        vmm_msg_free(keep_asking(argv[1], argv[2]));
    return EXIT_SUCCESS;
}
