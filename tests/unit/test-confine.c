/* What a confined process can do: confine-probe tries it, one process for each attempt. */
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>

#define SKIP 77

static const char *const roles[] = { "start", "main", "vcpu", "io" };

#define START (1u << 0)
#define MAIN  (1u << 1)
#define VCPU  (1u << 2)
#define IO    (1u << 3)
#define ALL   (START | MAIN | VCPU | IO)

typedef struct Row {
    const char *attempt;
    unsigned roles; /* that do not survive it */
} Row;

/* Of those that are not named, daily-work is everybody's. */
static const Row forbidden[] = {
    { "openat", ALL },
    { "root", ALL },
    { "socket", ALL },
    { "connect", ALL },
    { "execve", ALL },
    { "fork", ALL },
    { "ptrace", ALL },
    { "kill", ALL },
    { "tgkill", ALL },
    { "tgkill-self", ALL },
    { "tiocsti", ALL },
    { "mmap-exec", ALL },
    { "mprotect-exec", ALL },
    { "unshare", ALL },
    { "setuid", ALL },
    { "dumpable", ALL },
    { "int80", ALL },
    { "x32", ALL },
    { "daily-work", 0 },
    { "thread", VCPU | IO },
    { "create-vm", MAIN | VCPU | IO },
    { "create-vcpu", MAIN | VCPU | IO },
    { "io-uring", VCPU | IO },
    { "set-msrs", VCPU | IO },
    { "accept", VCPU },
    { "sendmsg", VCPU },
};

/* The wait status; what the probe logs is of interest only when it fails. */
static int
probe(const char *role, const char *attempt, char **ret_log)
{
    g_autofree char *program = g_test_build_filename(G_TEST_BUILT, "unit", "confine-probe", NULL);
    const char *argv[] = { program, role, attempt, NULL };
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL, NULL, ret_log,
                 &status, &error);
    g_assert_no_error(error);
    return status;
}

static gboolean
is_skipped(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == SKIP;
}

static gboolean
is_ended_by(int status, int signal)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

/* By the filter, or before it is asked: a kernel without 32-bit calls has no such interrupt for anybody. */
static gboolean
is_killed(int status, const char *attempt)
{
    g_autofree char *log = NULL;

    return is_ended_by(status, SIGSYS) ||
           (is_ended_by(status, SIGSEGV) && is_ended_by(probe("bare", attempt, &log), SIGSEGV));
}

static void
test_forbidden(gconstpointer data)
{
    const Row *row = data;

    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        g_autofree char *log = NULL;
        int status = probe(roles[i], row->attempt, &log);
        gboolean killed = is_killed(status, row->attempt);

        if (is_skipped(status)) {
            g_test_skip("no seccomp here, or built with sanitizers");
            return;
        }
        if (killed != !!(row->roles & (1u << i)) || (!killed && WIFSIGNALED(status)))
            g_error("%s in the role '%s': wait status 0x%x, %s: expected %s by SIGSYS",
                    row->attempt, roles[i], status, log,
                    row->roles & (1u << i) ? "killed" : "not killed");
    }
}

/* Where the VMM ends itself, the cause stays to be seen. */
static void
test_abort(void)
{
    for (guint i = 0; i < G_N_ELEMENTS(roles); i++) {
        g_autofree char *log = NULL;
        int status = probe(roles[i], "abort", &log);

        if (is_skipped(status)) {
            g_test_skip("no seccomp here, or built with sanitizers");
            return;
        }
        g_assert_true(is_ended_by(status, SIGABRT));
    }
}

/* The other steps hold by themselves, should a filter ever have a hole. */
static void
test_bare(gconstpointer attempt)
{
    g_autofree char *log = NULL;
    int status = probe("bare", attempt, &log);

    if (is_skipped(status)) {
        g_test_skip("needs root and a kernel with all namespaces");
        return;
    }
    if (status != 0)
        g_error("%s without seccomp: wait status 0x%x, %s", (const char *)attempt, status, log);
}

int
main(int argc, char **argv)
{
    static const char *const bare[] = { "openat", "mkdir",     "connect",       "execve", "ptrace",
                                        "kill",   "mmap-exec", "mprotect-exec", "setuid", "core" };

    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(forbidden); i++) {
        g_autofree char *path = g_strconcat("/confine/seccomp/", forbidden[i].attempt, NULL);

        g_test_add_data_func(path, &forbidden[i], test_forbidden);
    }
    g_test_add_func("/confine/seccomp/abort", test_abort);
    for (guint i = 0; i < G_N_ELEMENTS(bare); i++) {
        g_autofree char *path = g_strconcat("/confine/bare/", bare[i], NULL);

        g_test_add_data_func(path, bare[i], test_bare);
    }
    return g_test_run();
}
