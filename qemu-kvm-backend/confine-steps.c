#include "qemu-kvm-backend/confine-steps.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define OOM_SCORE "500"
#define MAX_FILES 4096 /* vCPUs, and a few for each queue of each device */
#define MAX_THREADS                                                                                \
    1024 /* 255 vCPUs, I/O threads and their workers, and what KVM adds of its own */
/* Where the empty root is put together; in a mount namespace of our own nobody else sees it. */
#define SCAFFOLD "/proc"

static bool
write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = -1;

    if (fd < 0)
        return false;
    n = write(fd, text, strlen(text));
    close(fd);
    return n == (ssize_t)strlen(text);
}

bool
confine_oom(void)
{
    return write_file("/proc/self/oom_score_adj", OOM_SCORE);
}

static bool
has_capability(int cap)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };

    return syscall(SYS_capget, &header, data) == 0 &&
           (data[CAP_TO_INDEX(cap)].effective & CAP_TO_MASK(cap));
}

/* Ids stay what they are, so that the driver is known by its id; a user that is not mapped could not be told from
 * others. */
static bool
enter_user_ns(void)
{
    unsigned uid = geteuid(), gid = getegid();
    char map[40];

    if (unshare(CLONE_NEWUSER) < 0)
        return false;
    snprintf(map, sizeof(map), "%u %u 1", uid, uid);
    if (!write_file("/proc/self/uid_map", map))
        return false;
    snprintf(map, sizeof(map), "%u %u 1", gid, gid);
    return write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/gid_map", map);
}

/* There is no way back from a namespace that could not be mapped: a child goes ahead. Ubuntu 24.04 lets everybody make
 * one, and do nothing in it (apparmor_restrict_unprivileged_userns). */
static bool
try_user_ns(void)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(enter_user_ns() ? 0 : errno);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return false;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
    return errno == 0;
}

/* Who may make namespaces needs no user namespace, and can have a user of its own. */
bool
confine_user_ns(void)
{
    if (has_capability(CAP_SYS_ADMIN)) {
        errno = 0;
        return false;
    }
    return try_user_ns() && enter_user_ns();
}

/* One by one, because a kernel may lack one or the other. */
bool
confine_net(void)
{
    return unshare(CLONE_NEWNET) == 0;
}

bool
confine_ipc(void)
{
    return unshare(CLONE_NEWIPC) == 0;
}

bool
confine_uts(void)
{
    return unshare(CLONE_NEWUTS) == 0;
}

bool
confine_cgroup(void)
{
    return unshare(CLONE_NEWCGROUP) == 0;
}

/* pivot_root(2), NOTES: with one directory for both, the old root ends up on top of the new one, from
 * where it is taken away. */
bool
confine_root(void)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", SCAFFOLD, "tmpfs", flags, "size=4096,nr_inodes=1,mode=0") < 0)
        return false;
    return chdir(SCAFFOLD) == 0 && syscall(SYS_pivot_root, ".", ".") == 0 &&
           umount2(".", MNT_DETACH) == 0 && chdir("/") == 0 &&
           mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags, NULL) == 0;
}

/* Downwards only: who has lowered it further had a reason. */
static bool
limit(int resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) < 0)
        return false;
    if (now.rlim_max > most)
        now.rlim_max = most;
    now.rlim_cur = now.rlim_max;
    return setrlimit(resource, &now) == 0;
}

bool
confine_rlimits(void)
{
    return limit(RLIMIT_CORE, 0) && limit(RLIMIT_NOFILE, MAX_FILES) && limit(RLIMIT_MSGQUEUE, 0);
}

/* While we have the right to: a change of user takes it away. Root is then a user like others, for good. */
bool
confine_bounding(void)
{
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        if (prctl(PR_CAPBSET_DROP, cap) < 0)
            return false;
    }
    return prctl(PR_SET_SECUREBITS,
                 SECBIT_NOROOT | SECBIT_NO_CAP_AMBIENT_RAISE | SECURE_ALL_LOCKS) == 0;
}

bool
confine_groups(void)
{
    return getgroups(0, NULL) == 0 || setgroups(0, NULL) == 0;
}

/* Threads are counted by user, so a bound on them makes sense only for an own one. */
bool
confine_uid(void)
{
    uid_t id = VMCTL_GUEST_UID_BASE + (uid_t)getpid();

    if (setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0)
        return limit(RLIMIT_NPROC, MAX_THREADS);
    errno = errno == EINVAL ? EPERM : errno; /* a user namespace that does not have this id */
    return false;
}

bool
confine_capabilities(void)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct none[2] = { 0 };

    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           syscall(SYS_capset, &header, none) == 0;
}

bool
confine_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 0) == 0;
}

bool
confine_no_new_privs(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

bool
confine_mdwe(void)
{
    return prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0;
}

/* linux/landlock.h as of Linux 6.12; older headers lack the last two. */
typedef struct LandlockRuleset {
    uint64_t fs, net, scoped;
} LandlockRuleset;

#define LANDLOCK_VERSION 1u /* LANDLOCK_CREATE_RULESET_VERSION */

/* What a kernel of landlock's version @abi can restrict, which is all of it; no rule allows any. */
static size_t
describe_ruleset(long abi, LandlockRuleset *ret)
{
    static const unsigned fs_bits[] = { 0, 13, 14, 15, 15, 16 }; /* by version */
    unsigned bits = fs_bits[abi < 5 ? abi : 5];

    *ret = (LandlockRuleset){ .fs = (1ull << bits) - 1, .net = 3, .scoped = 3 };
    return abi < 4 ? sizeof(ret->fs) : abi < 6 ? 2 * sizeof(ret->fs) : sizeof(*ret);
}

bool
confine_landlock(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
    LandlockRuleset ruleset;
    size_t size;
    int fd, result;

    if (abi <= 0)
        return false;
    size = describe_ruleset(abi, &ruleset);
    fd = syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
    if (fd < 0)
        return false;
    result = syscall(SYS_landlock_restrict_self, fd, 0);
    close(fd);
    return result == 0;
}
