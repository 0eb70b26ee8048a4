/* A start takes as long as the host takes to find its guest's memory, or to empty it for one that is restored: a driver with a
 * fake guest (tests/bus/fake-guest.h) that stops there, to which every limit of what is asked comes a hundred times as soon. */
#include "driver/driver.h"
#include "driver/vmm-link.h"

#include <gio/gio.h>
#include <signal.h>
#include <sys/wait.h>

#define HASTE   100
#define HELD_MS 600 /* a minute, to those who have a limit: more than any */

typedef struct Fixture {
    char *dir;
    Driver *driver;
    Domain *domain;
    gboolean answered, held;
} Fixture;

static gboolean hasty;

gboolean __real_vmm_link_send(VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply,
                              gpointer data);
gboolean __wrap_vmm_link_send(VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply,
                              gpointer data);

gboolean
__wrap_vmm_link_send(VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply,
                     gpointer data)
{
    if (hasty && timeout_ms != VMM_LINK_NO_TIMEOUT)
        timeout_ms = MAX(timeout_ms / HASTE, 1);
    return __real_vmm_link_send(link, request, timeout_ms, reply, data);
}

static void
set_up(Fixture *f, gconstpointer unused)
{
    static const DriverEvents events = { 0 };
    DriverEnv *env = g_new0(DriverEnv, 1);
    g_autoptr(GError) error = NULL;

    f->dir = g_dir_make_tmp("vmctl-launch-XXXXXX", NULL);
    env->name = "QEMU";
    env->config_dir = g_build_filename(f->dir, "config", NULL);
    env->run_dir = g_build_filename(f->dir, "run", NULL);
    env->state_dir = g_build_filename(f->dir, "state", NULL);
    env->log_dir = g_build_filename(f->dir, "log", NULL);
    env->vmm = g_build_filename(g_getenv("VMCTL_TOP_BUILDDIR"), "tests", "bus", "fake-vmm", NULL);
    env->kvm = g_strdup("/dev/null");
    f->driver = driver_new(env, &events, &error);
    g_assert_no_error(error);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    const char *const remove[] = { "rm", "-rf", f->dir, NULL };
    g_autoptr(GSubprocess) command = NULL;

    driver_free(f->driver);
    command = g_subprocess_newv(remove, G_SUBPROCESS_FLAGS_NONE, NULL);
    g_subprocess_wait(command, NULL, NULL);
    g_free(f->dir);
}

static void
answered(gpointer data, const GError *error)
{
    g_assert_no_error(error);
    ((Fixture *)data)->answered = TRUE;
}

static void
await_answer(Fixture *f)
{
    while (!f->answered)
        g_main_context_iteration(NULL, TRUE);
    f->answered = FALSE;
}

static void
define(Fixture *f, const char *cmdline)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64'>hvm</type><kernel>/dev/null</kernel><cmdline>%s</cmdline></os>"
        "</domain>",
        cmdline);
    g_autoptr(GError) error = NULL;

    f->domain = driver_define(f->driver, xml, 0, &error);
    g_assert_no_error(error);
}

static void
start(Fixture *f)
{
    domain_start(f->domain, 0, answered, f);
}

/* Its process, our child, once it has stopped. */
static pid_t
await_stop(void)
{
    siginfo_t info = { 0 };

    while (info.si_pid == 0) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
        if (waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG) < 0)
            info.si_pid = 0; /* there is no child yet */
    }
    return info.si_pid;
}

static gboolean
hold_over(gpointer data)
{
    ((Fixture *)data)->held = FALSE;
    return G_SOURCE_REMOVE;
}

/* A start in which the process stands still. */
static void
start_held(Fixture *f)
{
    pid_t vmm;

    hasty = TRUE;
    start(f);
    vmm = await_stop();
    f->held = TRUE;
    g_timeout_add(HELD_MS, hold_over, f);
    while (f->held && !f->answered)
        g_main_context_iteration(NULL, TRUE);
    g_assert_false(f->answered);
    hasty = FALSE;
    g_assert_no_errno(kill(vmm, SIGCONT));
    await_answer(f);
}

static void
end(Fixture *f)
{
    domain_destroy(f->domain, 0, answered, f);
    await_answer(f);
}

static void
assert_runs(Fixture *f, int for_reason)
{
    int state, reason;

    domain_state(f->domain, &state, &reason);
    g_assert_cmpint(state, ==, VIR_DOMAIN_RUNNING);
    g_assert_cmpint(reason, ==, for_reason);
}

static void
test_created(Fixture *f, gconstpointer unused)
{
    define(f, "fake=create-waits");
    start_held(f);
    assert_runs(f, VIR_DOMAIN_RUNNING_BOOTED);
    end(f);
}

static void
test_restored(Fixture *f, gconstpointer unused)
{
    define(f, "fake=restore-waits");
    start(f);
    await_answer(f);
    domain_managed_save(f->domain, 0, answered, f);
    await_answer(f);
    start_held(f);
    assert_runs(f, VIR_DOMAIN_RUNNING_RESTORED);
    end(f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/launch/slow/created", Fixture, NULL, set_up, test_created, tear_down);
    g_test_add("/launch/slow/restored", Fixture, NULL, set_up, test_restored, tear_down);
    return g_test_run();
}
