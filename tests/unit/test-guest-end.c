/* How a guest's process ended, in words. */
#include "driver/guest-end.h"

#include <glib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *
words_of(pid_t pid)
{
    siginfo_t info = { 0 };

    g_assert_no_errno(waitid(P_PID, pid, &info, WEXITED));
    return guest_end_words(&info);
}

static void
test_exits(void)
{
    g_autofree char *none = NULL, *status = NULL;
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    none = words_of(pid);
    g_assert_null(none);
    pid = fork();
    if (pid == 0)
        _exit(3);
    status = words_of(pid);
    g_assert_cmpstr(status, ==, "exited with status 3");
}

static void
test_killed(void)
{
    g_autofree char *words = NULL;
    pid_t pid = fork();

    if (pid == 0)
        for (;;)
            pause();
    kill(pid, SIGKILL);
    words = words_of(pid);
    g_assert_cmpstr(words, ==, "was killed by signal 9 (Killed)");
}

static void
test_line(void)
{
    static const char line[] =
        "5,1423,5906517346,-;audit: type=1326 audit(1795233283.845:9): auid=4294967295 "
        "uid=1879074696 gid=1879074696 ses=4294967295 pid=26504 comm=\"vmctl-vmm\" "
        "exe=\"/usr/libexec/vmctl/vmctl-vmm\" sig=31 arch=c000003e syscall=257 compat=0 "
        "ip=0x7f4387c5f090 code=0x80000000\n";

    g_assert_cmpint(guest_end_syscall(line, 26504), ==, 257);
    g_assert_cmpint(guest_end_syscall(line, 2650), ==, -1);
    g_assert_cmpint(guest_end_syscall(line, 6504), ==, -1);
    g_assert_cmpint(guest_end_syscall("6,1,2,-;audit: type=1400 pid=26504 syscall=257", 26504), ==,
                    -1);
    g_assert_cmpint(guest_end_syscall("", 1), ==, -1);
}

/* A filter at work; the number is there where the kernel logs it and we may read that. */
static void
test_sandbox(void)
{
    g_autofree char *probe = g_test_build_filename(G_TEST_BUILT, "unit", "confine-probe", NULL);
    g_autofree char *words = NULL;
    siginfo_t info = { 0 };
    pid_t pid = fork();

    if (pid == 0) {
        close(STDERR_FILENO);
        execl(probe, probe, "main", "openat", NULL);
        _exit(127);
    }
    g_assert_no_errno(waitid(P_PID, pid, &info, WEXITED));
    if (info.si_code == CLD_EXITED && info.si_status == 77) {
        g_test_skip("no seccomp here, or built with sanitizers");
        return;
    }
    words = guest_end_words(&info);
    g_test_message("%s", words);
    if (strcmp(words, "was stopped by its sandbox (system call 257)") != 0)
        g_assert_cmpstr(
            words, ==, "was stopped by its sandbox: it made a system call that it has no right to");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-end/exits", test_exits);
    g_test_add_func("/guest-end/killed", test_killed);
    g_test_add_func("/guest-end/line", test_line);
    g_test_add_func("/guest-end/sandbox", test_sandbox);
    return g_test_run();
}
