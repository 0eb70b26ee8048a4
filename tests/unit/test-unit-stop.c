/* Units that are stopped, whatever their guest does: a driver with a service manager that starts the units' own
 * program, and guests that are fake (tests/bus/fake-guest.h). */
#include "driver/driver.h"

#include <gio/gio.h>
#include <signal.h>

#define PATIENCE_S 20
#define RISE_S     5 /* unit-requests.c */

typedef struct Fixture {
    char *dir;
    Driver *driver;
    UnitManager manager;
    Domain *domain;
    GString *events;  /* "4,0 2,0 " */
    GString *entries; /* what the unit's journal was told, a line each */
    guint answers;
    gboolean late;
    gboolean agent; /* the guest's is there */
    pid_t vmm;
} Fixture;

static Fixture *current; /* the log has no data */

static GLogWriterOutput
write_entry(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer unused)
{
    const char *text = "", *unit = "";

    for (gsize i = 0; i < n_fields; i++) {
        if (g_str_equal(fields[i].key, "MESSAGE"))
            text = fields[i].value;
        else if (g_str_equal(fields[i].key, "OBJECT_SYSTEMD_UNIT"))
            unit = fields[i].value;
    }
    if (g_str_equal(unit, "vmctl-guest@web.service"))
        g_string_append_printf(current->entries, "%s\n", text);
    else
        g_printerr("%s\n", text);
    return G_LOG_WRITER_HANDLED;
}

static void
lifecycle(gpointer data, Domain *domain, int event, int detail)
{
    g_string_append_printf(((Fixture *)data)->events, "%d,%d ", event, detail);
}

static void
agent(gpointer data, Domain *domain, int state, int reason)
{
    ((Fixture *)data)->agent = state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
}

/* The program of the unit, as systemd runs it. */
static GSubprocess *
run(Fixture *f, const char *verb)
{
    g_autofree char *program = g_build_filename(g_getenv("VMCTL_TOP_BUILDDIR"), "vmctl-guest", NULL);
    g_autofree char *path = g_build_filename(f->dir, "units", NULL);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE);
    g_autoptr(GError) error = NULL;
    GSubprocess *command;

    g_subprocess_launcher_setenv(launcher, "VMCTL_UNITS", path, TRUE);
    g_subprocess_launcher_setenv(launcher, "MAINPID", "1", TRUE);
    command = g_subprocess_launcher_spawn(launcher, &error, program, verb, "web", NULL);
    g_assert_no_error(error);
    return command;
}

static void
start_unit(gpointer data, const char *unit)
{
    g_autoptr(GSubprocess) command = run(data, "start");

    g_assert_cmpstr(unit, ==, "vmctl-guest@web.service");
}

static void
running(gpointer data, const char *name, const char *uuid, int id, pid_t pid)
{
    ((Fixture *)data)->vmm = pid;
}

static gboolean
too_late(gpointer data)
{
    ((Fixture *)data)->late = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Until there are @n answers. */
static void
await(Fixture *f, guint n)
{
    guint timer = g_timeout_add_seconds(PATIENCE_S, too_late, f);

    while (f->answers < n && !f->late)
        g_main_context_iteration(NULL, TRUE);
    g_assert_false(f->late);
    g_source_remove(timer);
    f->answers = 0;
}

static void
answered(gpointer data, const GError *error)
{
    Fixture *f = data;

    g_assert_no_error(error);
    f->answers++;
}

static void
ignore(gpointer data, const GError *error)
{
}

static void
command_ended(GObject *command, GAsyncResult *result, gpointer data)
{
    Fixture *f = data;

    g_assert_true(g_subprocess_wait_finish(G_SUBPROCESS(command), result, NULL));
    g_assert_true(g_subprocess_get_successful(G_SUBPROCESS(command)));
    f->answers++;
}

static void
expect_events(Fixture *f, const char *events)
{
    g_assert_cmpstr(f->events->str, ==, events);
    g_string_truncate(f->events, 0);
}

static void
set_up(Fixture *f, gconstpointer on_stop)
{
    const char *build = g_getenv("VMCTL_TOP_BUILDDIR");
    const DriverEvents events = { .lifecycle = lifecycle, .agent = agent, .data = f };
    DriverEnv *env = g_new0(DriverEnv, 1);
    g_autoptr(GError) error = NULL;

    f->dir = g_dir_make_tmp("vmctl-stop-XXXXXX", NULL);
    f->events = g_string_new(NULL);
    f->entries = g_string_new(NULL);
    f->manager = (UnitManager){ start_unit, running, f };
    current = f;
    env->name = "QEMU";
    env->config_dir = g_build_filename(f->dir, "config", NULL);
    env->run_dir = g_build_filename(f->dir, "run", NULL);
    env->state_dir = g_build_filename(f->dir, "state", NULL);
    env->log_dir = g_build_filename(f->dir, "log", NULL);
    env->vmm = g_build_filename(build, "tests", "bus", "fake-vmm", NULL);
    env->kvm = g_strdup("/dev/null");
    env->on_stop = GPOINTER_TO_UINT(on_stop);
    env->unit_manager = &f->manager;
    env->units_fd = units_listen(f->dir, &error);
    g_assert_no_error(error);
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
    g_string_free(f->events, TRUE);
    g_string_free(f->entries, TRUE);
    g_free(f->dir);
}

/* A guest that does what fake-guest.h says of @cmdline; @more is of its document. */
static void
start(Fixture *f, const char *cmdline, const char *more)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64'>hvm</type><kernel>/dev/null</kernel><cmdline>%s</cmdline></os>"
        "<features><acpi/></features>%s</domain>",
        cmdline, more);
    g_autoptr(GError) error = NULL;

    f->domain = driver_define(f->driver, xml, 0, &error);
    g_assert_no_error(error);
    domain_start(f->domain, 0, answered, f);
    await(f, 1);
}

static void
await_state(Fixture *f, int state)
{
    int now, reason;

    for (domain_state(f->domain, &now, &reason); now != state;
         domain_state(f->domain, &now, &reason))
        g_main_context_iteration(NULL, TRUE);
    g_string_truncate(f->events, 0);
}

/* The unit's command ends well, and so has the guest, for @reason; the journal was told what is like @entry. */
static void
end(Fixture *f, const char *verb, int reason, const char *entry)
{
    g_autoptr(GSubprocess) command = run(f, verb);
    int state, its_reason;

    g_subprocess_wait_async(command, NULL, command_ended, f);
    await(f, 1);
    domain_state(f->domain, &state, &its_reason);
    g_assert_cmpint(state, ==, VIR_DOMAIN_SHUTOFF);
    g_assert_cmpint(its_reason, ==, reason);
    if (!g_pattern_match_simple(entry, f->entries->str))
        g_error("'%s' is not like '%s'", f->entries->str, entry);
}

static void
stop(Fixture *f, int reason, const char *entry)
{
    end(f, "stop", reason, entry);
}

static void
test_running(Fixture *f, gconstpointer unused)
{
    start(f, "", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    stop(f, VIR_DOMAIN_SHUTOFF_SHUTDOWN, "");
    expect_events(f, "6,1 5,0 ");
    stop(f, VIR_DOMAIN_SHUTOFF_SHUTDOWN, ""); /* it is off */
}

static void
test_paused(Fixture *f, gconstpointer unused)
{
    start(f, "", "");
    domain_suspend(f->domain, answered, f);
    await_state(f, VIR_DOMAIN_PAUSED);
    await(f, 1);
    stop(f, VIR_DOMAIN_SHUTOFF_SHUTDOWN,
         "Domain 'web' is paused: its unit is stopped, and it is resumed to hear its power "
         "button\n");
    expect_events(f, "4,0 6,1 5,0 ");
}

/* What others have begun is over before anybody looks. */
static void
test_turn(Fixture *f, gconstpointer unused)
{
    g_autoptr(GSubprocess) command = NULL;

    start(f, "", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    command = run(f, "stop");
    g_subprocess_wait_async(command, NULL, command_ended, f);
    g_usleep(300 * 1000); /* its request is there when the main context runs again */
    domain_suspend(f->domain, answered, f);
    await(f, 2);
    expect_events(f, "3,0 4,0 6,1 5,0 ");
}

/* Somebody has resumed it before the stop could. */
static void
test_resumed(Fixture *f, gconstpointer unused)
{
    g_autoptr(GSubprocess) command = NULL;

    start(f, "", "");
    domain_suspend(f->domain, answered, f);
    await_state(f, VIR_DOMAIN_PAUSED);
    await(f, 1);
    g_assert_no_errno(kill(f->vmm, SIGSTOP));
    domain_inject_nmi(f->domain, 0, answered, f); /* what the stop and the resume wait for */
    command = run(f, "stop");
    g_subprocess_wait_async(command, NULL, command_ended, f);
    for (guint i = 0; i < 30; i++) { /* its request comes */
        g_usleep(10 * 1000);
        g_main_context_iteration(NULL, FALSE);
    }
    domain_resume(f->domain, ignore, NULL);
    g_assert_no_errno(kill(f->vmm, SIGCONT));
    await(f, 2);
    expect_events(f, "4,0 6,1 5,0 ");
}

/* The button of one that is woken is pressed when it has had the time to rise. */
static void
test_asleep(Fixture *f, gconstpointer unused)
{
    gint64 began;

    start(f, "fake=sleep", "");
    await_state(f, VIR_DOMAIN_PMSUSPENDED);
    began = g_get_monotonic_time();
    stop(f, VIR_DOMAIN_SHUTOFF_SHUTDOWN,
         "Domain 'web' is asleep: its unit is stopped, and it is woken to hear its power "
         "button\n");
    g_assert_cmpint(g_get_monotonic_time() - began, >=, (RISE_S - 1) * G_USEC_PER_SEC);
    expect_events(f, "2,4 6,1 5,0 ");
}

/* Somebody else ends it meanwhile. */
static void
test_rises_no_more(Fixture *f, gconstpointer unused)
{
    g_autoptr(GSubprocess) command = NULL;

    start(f, "fake=sleep", "");
    await_state(f, VIR_DOMAIN_PMSUSPENDED);
    command = run(f, "stop");
    g_subprocess_wait_async(command, NULL, command_ended, f);
    await_state(f, VIR_DOMAIN_RUNNING);
    domain_destroy(f->domain, 0, answered, f);
    await(f, 2);
    expect_events(f, "5,1 ");
}

static void
test_kept(Fixture *f, gconstpointer unused)
{
    static const char entry[] =
        "Domain 'web' had ended and was kept: its unit is stopped, and it goes\n";

    start(f, "fake=panic", "<on_crash>preserve</on_crash>");
    await_state(f, VIR_DOMAIN_CRASHED);
    stop(f, VIR_DOMAIN_SHUTOFF_DESTROYED, entry);
    expect_events(f, "5,1 ");
}

static void
test_saved(Fixture *f, gconstpointer unused)
{
    start(f, "", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    end(f, "save", VIR_DOMAIN_SHUTOFF_SAVED, "");
    g_assert_true(domain_has_managed_save(f->domain));
}

/* One for which there is no room is not cut off. */
static void
test_not_saved(Fixture *f, gconstpointer unused)
{
    start(f, "fake=save-fails", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    end(f, "save", VIR_DOMAIN_SHUTOFF_SHUTDOWN,
        "Domain 'web' cannot be saved, and its unit's stop goes on by its power button: *\n");
    g_assert_true(g_str_has_suffix(f->events->str, "6,1 5,0 "));
    g_assert_false(domain_has_managed_save(f->domain));
}

static void
test_suspended(Fixture *f, gconstpointer unused)
{
    start(f, "fake=agent",
          "<pm><suspend-to-disk enabled='yes'/></pm><devices><channel type='unix'>"
          "<target type='virtio' name='org.qemu.guest_agent.0'/></channel></devices>");
    while (!f->agent)
        g_main_context_iteration(NULL, TRUE);
    g_string_truncate(f->events, 0);
    end(f, "suspend", VIR_DOMAIN_SHUTOFF_SHUTDOWN, "");
    expect_events(f, "7,1 6,1 5,0 ");
}

static void
test_not_suspended(Fixture *f, gconstpointer unused)
{
    start(f, "", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    end(f, "suspend", VIR_DOMAIN_SHUTOFF_SHUTDOWN,
        "Domain 'web' does not suspend itself, and its unit's stop goes on by its power button: *"
        "QEMU guest agent is not configured\n");
    expect_events(f, "6,1 5,0 ");
}

/* What a unit does not say the configuration says. */
static void
test_default(Fixture *f, gconstpointer on_stop)
{
    start(f, "", "");
    await_state(f, VIR_DOMAIN_RUNNING);
    end(f, "default",
        GPOINTER_TO_UINT(on_stop) == DRIVER_ON_STOP_SAVE ? VIR_DOMAIN_SHUTOFF_SAVED
                                                         : VIR_DOMAIN_SHUTOFF_SHUTDOWN,
        "");
}

/* Whoever waits when the daemon stops asks the next one. */
static void
test_dropped(Fixture *f, gconstpointer unused)
{
    g_autoptr(GSubprocess) command = NULL;

    start(f, "fake=sleep", "");
    await_state(f, VIR_DOMAIN_PMSUSPENDED);
    command = run(f, "stop");
    await_state(f, VIR_DOMAIN_RUNNING);
    domain_destroy(f->domain, 0, ignore, NULL); /* the process itself is not to stay */
    g_clear_pointer(&f->driver, driver_free);
    g_subprocess_force_exit(command);
    g_subprocess_wait(command, NULL, NULL);
    g_assert_false(g_subprocess_get_successful(command));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_writer_func(write_entry, NULL, NULL);
    g_test_add("/unit-stop/running", Fixture, NULL, set_up, test_running, tear_down);
    g_test_add("/unit-stop/paused", Fixture, NULL, set_up, test_paused, tear_down);
    g_test_add("/unit-stop/turn", Fixture, NULL, set_up, test_turn, tear_down);
    g_test_add("/unit-stop/resumed", Fixture, NULL, set_up, test_resumed, tear_down);
    g_test_add("/unit-stop/asleep", Fixture, NULL, set_up, test_asleep, tear_down);
    g_test_add("/unit-stop/rises-no-more", Fixture, NULL, set_up, test_rises_no_more, tear_down);
    g_test_add("/unit-stop/kept", Fixture, NULL, set_up, test_kept, tear_down);
    g_test_add("/unit-stop/saved", Fixture, NULL, set_up, test_saved, tear_down);
    g_test_add("/unit-stop/not-saved", Fixture, NULL, set_up, test_not_saved, tear_down);
    g_test_add("/unit-stop/suspended", Fixture, NULL, set_up, test_suspended, tear_down);
    g_test_add("/unit-stop/not-suspended", Fixture, NULL, set_up, test_not_suspended, tear_down);
    g_test_add("/unit-stop/default", Fixture, NULL, set_up, test_default, tear_down);
    g_test_add("/unit-stop/default-save", Fixture, GUINT_TO_POINTER(DRIVER_ON_STOP_SAVE), set_up,
               test_default, tear_down);
    g_test_add("/unit-stop/dropped", Fixture, NULL, set_up, test_dropped, tear_down);
    return g_test_run();
}
