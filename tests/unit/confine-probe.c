/* confine-probe: a process that confines itself as vmctl-vmm does and then tries what it must not.
 *
 *     confine-probe ROLE ATTEMPT    under the seccomp filter of ROLE: start, main, vcpu, io
 *     confine-probe bare ATTEMPT    under everything but seccomp
 *
 * Its exit status is 0 where the attempt came to nothing and the process lives, 1 where it succeeded and
 * 77 where there is nothing to try on this host. For test-confine. */
#include "qemu-kvm-backend/confine-steps.h"
#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define SKIP 77

typedef struct Attempt {
    const char *name;
    bool (*try)(void); /* true: it succeeded */
} Attempt;

static pid_t parent;

static bool
try_openat(void)
{
    return openat(AT_FDCWD, "/etc/passwd", O_RDONLY) >= 0;
}

static bool
try_root(void)
{
    return open("/", O_RDONLY | O_DIRECTORY) >= 0;
}

static bool
try_mkdir(void)
{
    return mkdirat(AT_FDCWD, "/x", 0700) == 0;
}

static bool
try_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool
try_connect(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(9),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    return connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static bool
try_execve(void)
{
    char *argv[] = { (char *)"/bin/true", NULL };

    return execve(argv[0], argv, argv + 1) == 0;
}

static bool
try_fork(void)
{
    return syscall(SYS_fork) >= 0;
}

static bool
try_ptrace(void)
{
    return ptrace(PTRACE_ATTACH, parent, NULL, NULL) == 0;
}

static bool
try_kill(void)
{
    return kill(parent, 0) == 0;
}

static bool
try_tgkill(void)
{
    return syscall(SYS_tgkill, parent, parent, SIGABRT) == 0;
}

static bool
try_tgkill_self(void)
{
    return syscall(SYS_tgkill, getpid(), gettid(), SIGCONT) == 0;
}

static bool
try_create_vm(void)
{
    return ioctl(STDIN_FILENO, KVM_CREATE_VM, 0) >= 0;
}

static bool
try_create_vcpu(void)
{
    return ioctl(STDIN_FILENO, KVM_CREATE_VCPU, 0) >= 0;
}

static bool
try_set_msrs(void)
{
    return ioctl(STDIN_FILENO, KVM_SET_MSRS, 0) >= 0;
}

static bool
try_tiocsti(void)
{
    char byte = '\n';

    return ioctl(STDIN_FILENO, TIOCSTI, &byte) == 0;
}

static bool
try_mmap_exec(void)
{
    return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}

static bool
try_mprotect_exec(void)
{
    void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0;
}

static bool
try_unshare(void)
{
    return unshare(CLONE_NEWUSER) == 0;
}

static bool
try_setuid(void)
{
    return syscall(SYS_setresuid, 0, 0, 0) == 0;
}

static bool
try_io_uring(void)
{
    char params[256] = { 0 };

    return syscall(SYS_io_uring_setup, 4, params) >= 0;
}

static bool
try_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}

static bool
try_core(void)
{
    return prctl(PR_GET_DUMPABLE) != 0;
}

static bool
try_accept(void)
{
    return accept4(STDIN_FILENO, NULL, NULL, 0) >= 0;
}

static bool
try_sendmsg(void)
{
    struct msghdr msg = { 0 };

    return sendmsg(STDIN_FILENO, &msg, 0) >= 0;
}

static void *
nothing(void *data)
{
    return data;
}

static bool
try_thread(void)
{
    pthread_t thread;

    return pthread_create(&thread, NULL, nothing, NULL) == 0 && pthread_join(thread, NULL) == 0;
}

/* The 32-bit way into the kernel: getpid(). */
static bool
try_int80(void)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "r8", "r9", "r10", "r11", "memory");
    return result > 0;
}

static bool
try_x32(void)
{
    return syscall(0x40000000 | SYS_getpid) > 0;
}

/* What every role may: memory, the log, waiting. */
static bool
try_daily_work(void)
{
    char *block = malloc(1 << 20);
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    memset(block, 1, 1 << 20);
    block = realloc(block, 8 << 20);
    pthread_mutex_lock(&lock);
    log_line("working");
    pthread_mutex_unlock(&lock);
    free(block);
    return false;
}

static bool
try_abort(void)
{
    abort();
}

static const Attempt attempts[] = {
    { "abort", try_abort },
    { "accept", try_accept },
    { "connect", try_connect },
    { "core", try_core },
    { "create-vcpu", try_create_vcpu },
    { "create-vm", try_create_vm },
    { "daily-work", try_daily_work },
    { "dumpable", try_dumpable },
    { "execve", try_execve },
    { "fork", try_fork },
    { "int80", try_int80 },
    { "io-uring", try_io_uring },
    { "kill", try_kill },
    { "mkdir", try_mkdir },
    { "mmap-exec", try_mmap_exec },
    { "mprotect-exec", try_mprotect_exec },
    { "openat", try_openat },
    { "ptrace", try_ptrace },
    { "root", try_root },
    { "sendmsg", try_sendmsg },
    { "set-msrs", try_set_msrs },
    { "setuid", try_setuid },
    { "socket", try_socket },
    { "tgkill", try_tgkill },
    { "tgkill-self", try_tgkill_self },
    { "thread", try_thread },
    { "tiocsti", try_tiocsti },
    { "unshare", try_unshare },
    { "x32", try_x32 },
};

static const Attempt *
find(const char *name)
{
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        if (strcmp(attempts[i].name, name) == 0)
            return &attempts[i];
    }
    fprintf(stderr, "there is no attempt '%s'\n", name);
    exit(2);
}

/* A step's thread, in a role of its own. */
typedef struct Actor {
    ConfineRole role;
    const Attempt *attempt;
} Actor;

static void *
act(void *data)
{
    const Actor *actor = data;

    if (actor->role != CONFINE_START)
        confine_thread(actor->role);
    return actor->attempt->try() ? data : NULL;
}

static bool
act_in_thread(Actor *actor)
{
    pthread_t thread;
    void *result;

    pthread_create(&thread, NULL, act, actor);
    pthread_join(thread, &result);
    return result != NULL;
}

static int
confined(ConfineRole role, const Attempt *attempt)
{
    Actor actor = { role, attempt };
    bool succeeded;

    confine_start();
    if (!strstr(confine_summary(), "seccomp"))
        return SKIP;
    succeeded =
        role == CONFINE_START || role == CONFINE_MAIN ? act(&actor) != NULL : act_in_thread(&actor);
    return succeeded ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Each attempt here must fail for a reason that a step other than seccomp gives. Which steps there are
 * depends on host and user: without all of them there is nothing to say. */
static int
bare(const Attempt *attempt)
{
    confine_user_ns();
    if (!confine_net() || !confine_root() || !confine_bounding() || !confine_groups() ||
        !confine_uid() || !confine_capabilities() || !confine_dumpable() || !confine_no_new_privs())
        return SKIP;
    if (!confine_mdwe() && strstr(attempt->name, "exec"))
        return SKIP;
    return attempt->try() ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
    static const char *const roles[CONFINE_N_ROLES] = { "start", "main", "vcpu", "io" };

    parent = getppid();
    if (argc == 3 && strcmp(argv[1], "bare") == 0)
        return bare(find(argv[2]));
    for (unsigned role = 0; argc == 3 && role < CONFINE_N_ROLES; role++) {
        if (strcmp(argv[1], roles[role]) == 0)
            return confined(role, find(argv[2]));
    }
    fprintf(stderr, "usage: confine-probe ROLE ATTEMPT\n");
    return 2;
}
