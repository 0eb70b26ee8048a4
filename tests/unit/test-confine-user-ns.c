/* A guest's process in session mode gets a user namespace in which it knows the driver, or none. */
#include "qemu-kvm-backend/confine-steps.h"

#include <glib.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER 12345 /* not 65534, as who every user shows that is not mapped */
#define SKIP 77

static gboolean
become_user(void)
{
    return setresgid(USER, USER, USER) == 0 && setresuid(USER, USER, USER) == 0 &&
           prctl(PR_SET_DUMPABLE, 1) == 0; /* its /proc/PID is its own */
}

/* What Linux Security Modules do to maps (Ubuntu 24.04, kernel.apparmor_restrict_unprivileged_userns=1). */
static gboolean
forbid_maps(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("/proc", "/proc", NULL, MS_BIND | MS_REC, NULL) == 0 &&
           mount(NULL, "/proc", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

static int
wait_for(pid_t child)
{
    int status;

    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* A kernel, or a container, may give them to root alone. */
static gboolean
has_user_namespaces(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : SKIP);
    return wait_for(child) == 0;
}

/* Takes the step as a user would; 0 where it came to @expected, and the user is who it was. */
static void
check(gboolean maps, gboolean expected)
{
    pid_t child = fork();
    int result;

    if (child == 0) {
        if (!(maps || forbid_maps()) || !become_user() || !has_user_namespaces())
            _exit(SKIP);
        _exit(confine_user_ns() == expected && geteuid() == USER ? 0 : 1);
    }
    result = wait_for(child);
    if (result == SKIP)
        g_test_skip("needs root, and user namespaces for others");
    else
        g_assert_cmpint(result, ==, 0);
}

static void
test_mapped(void)
{
    check(TRUE, TRUE);
}

static void
test_maps_forbidden(void)
{
    check(FALSE, FALSE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/confine-user-ns/mapped", test_mapped);
    g_test_add_func("/confine-user-ns/maps-forbidden", test_maps_forbidden);
    return g_test_run();
}
