/* An administrator's programs when guests come and go: in which order, what they are told, what their refusal does. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
/* Writes down how it was called, and the name in the document that it got. */
#define RECORD                                                                                     \
    "#!/bin/sh\n"                                                                                  \
    "name=$(sed -n 's:.*<name>\\(.*\\)</name>.*:\\1:p')\n"                                         \
    "echo \"$* $name\" >>\"$HOME/calls\"\n"
#define COMES  "web prepare begin - web\nweb start begin - web\nweb started begin - web\n"
#define GOES   "web stopped end - web\nweb release end - web\n"
#define GOES_CLEANED "web stopped end - web\ncleaned\nweb release end - web\n"
#define HURRY_US 2200000 /* after which what hangs is not waited for */
#define FAILED "Hook script execution failed: *hooks/qemu* web "

static void
install(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, "config/vmctl/hooks", name, NULL);
    g_autofree char *dir = g_path_get_dirname(path);
    g_autoptr(GError) error = NULL;

    g_assert_no_errno(g_mkdir_with_parents(dir, 0700));
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    g_assert_no_errno(g_chmod(path, 0700));
}

static char *
calls(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "calls", NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

static gboolean
has_called(Fixture *fixture, gconstpointer expected)
{
    g_autofree char *text = calls(fixture);

    return g_str_equal(text, expected);
}

static gboolean
has_called_last(Fixture *fixture, gconstpointer expected)
{
    g_autofree char *text = calls(fixture);

    return g_str_has_suffix(text, expected);
}

/* Since the last look. */
static void
expect_calls(Fixture *fixture, const char *expected)
{
    g_autofree char *path = g_build_filename(fixture->dir, "calls", NULL);

    fixture_wait(fixture, has_called, expected);
    g_unlink(path);
}

static void
test_order(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    install(fixture, "qemu", RECORD);
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_calls(fixture, COMES);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "Shutdown", FLAGS(VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN));
    expect_calls(fixture, GOES COMES GOES);
}

/* More of them, and some that are none. */
static void
test_directory(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *plain =
        g_build_filename(fixture->dir, "config/vmctl/hooks/qemu.d/15-no", NULL);
    static const char second[] = "#!/bin/sh\necho \"second $2\" >>\"$HOME/calls\"\n";
    static const char third[] = "#!/bin/sh\necho \"third $2\" >>\"$HOME/calls\"\n";

    install(fixture, "qemu.d/20-third", third);
    install(fixture, "qemu.d/10-second", second);
    install(fixture, "qemu.d/15-no", RECORD);
    g_assert_no_errno(g_chmod(plain, 0600));
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_calls(fixture, "second prepare\nthird prepare\nsecond start\nthird start\n"
                          "second started\nthird started\n");
}

/* The start is refused with the words of who refuses, and nothing is left of it. */
static void
refuse(Fixture *fixture, const char *path, const char *operation, const char *called)
{
    g_autofree char *text =
        g_strdup_printf(RECORD "[ $2 != %s ] || { echo 'not today' >&2; exit 3; }\n", operation);
    g_autofree char *error = g_strdup_printf(FAILED "%s (*code 3): not today", operation);
    g_autofree char *expected = g_strconcat(called, GOES, NULL);

    install(fixture, "qemu", text);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL, error);
    expect_calls(fixture, expected);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_UNKNOWN);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
}

static void
test_refusal(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    refuse(fixture, path, "prepare", "web prepare begin - web\n");
    refuse(fixture, path, "start", "web prepare begin - web\nweb start begin - web\n");
    refuse(fixture, path, "started", COMES);
    install(fixture, "qemu", "#!/does/not/exist\n");
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "Hook script execution failed: *hooks/qemu: *");
    install(fixture, "qemu", "#!/bin/sh\nexit 0\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
}

/* What is refused before anything of the host is taken leaves what another guest has of it. */
static void
test_refusal_of_shared(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *socket = g_build_filename(fixture->dir, "socket", NULL);
    g_autofree char *channel = g_strdup_printf(
        "<channel type='unix'><source mode='bind' path='%s'/><target type='virtio' name='x'/></channel>",
        socket);
    g_autofree char *path = fixture_define_with(fixture, "web", "", channel);
    g_autofree char *other = fixture_define_with(fixture, "db", "", channel);

    install(fixture, "qemu", "#!/bin/sh\n[ $1$2 != dbprepare ]\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, other, DOMAIN, "Create", FLAGS(0), NULL, "Hook script execution failed: *");
    g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    fixture_call_fails(fixture, other, DOMAIN, "Create", FLAGS(0), NULL, "Hook script execution failed: *");
    g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
}

static gboolean
has_begun(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = calls(fixture);

    return *text != '\0';
}

static gboolean
runs(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_RUNNING;
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* One that never ends holds up its own domain, until that is destroyed. */
static void
test_hangs(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *other = fixture_define(fixture, "db", "");
    FixtureCall call;

    install(fixture, "qemu", RECORD "[ $1$2 != webprepare ] || exec sleep 1000\n");
    fixture_begin(fixture, &call, path, "Create", FLAGS(0));
    fixture_wait(fixture, has_begun, NULL);
    fixture_do(fixture, other, "Create", FLAGS(0));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_end(fixture, &call, "operation aborted: the domain was destroyed during its start");
    fixture_do(fixture, other, "Destroy", FLAGS(0));
    /* Of that the next one to run knows nothing. */
    install(fixture, "qemu", RECORD);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_wait(fixture, is_off, path);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

/* A start that waits for the program which hears that the guest before it has stopped, and which does @what then. */
static void
start_behind(Fixture *fixture, const char *path, const char *what, FixtureCall *call)
{
    g_autofree char *text = g_strdup_printf(RECORD "[ $2 != stopped ] || %s\n", what);

    install(fixture, "qemu", text);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_wait(fixture, has_called_last, "web stopped end - web\n");
    fixture_begin(fixture, call, path, "Create", FLAGS(0));
}

/* So does one that only hears of a guest, whether it is asked for of the one that ended or of one that runs. */
static void
test_hangs_behind(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    FixtureCall call;

    start_behind(fixture, path, "exec sleep 1000", &call);
    install(fixture, "qemu", RECORD);
    g_usleep(HURRY_US);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_end(fixture, &call, "operation aborted: the domain was destroyed during its start");
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_calls(fixture, COMES GOES GOES COMES);

    install(fixture, "qemu", RECORD "[ $2 != reconnect ] || exec sleep 1000\n");
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    expect_calls(fixture, "web reconnect begin - web\n");
    g_usleep(HURRY_US);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_calls(fixture, GOES COMES);
}

/* One that takes its time and ends by itself is let. */
static void
test_cleans_up(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    FixtureCall call;

    start_behind(fixture, path, "{ sleep 1; echo cleaned >>\"$HOME/calls\"; }", &call);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_end(fixture, &call, "operation aborted: the domain was destroyed during its start");
    fixture_wait(fixture, has_called_last, GOES_CLEANED GOES_CLEANED);
}

/* A domain that is undefined while it starts is gone where that fails. */
static void
test_undefined(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *again = NULL;
    FixtureCall call;

    install(fixture, "qemu", RECORD "[ $1$2 != webprepare ] || exec sleep 1000\n");
    fixture_begin(fixture, &call, path, "Create", FLAGS(0));
    fixture_wait(fixture, has_begun, NULL);
    fixture_do(fixture, path, "Undefine", FLAGS(0));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_end(fixture, &call, "*destroyed during its start");
    fixture_expect_events(fixture, "1,0");
    g_assert_cmpuint(fixture_count_listed(fixture, 0), ==, 0);
    install(fixture, "qemu", RECORD);
    again = fixture_define(fixture, "web", "");
    fixture_do(fixture, again, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
}

static const struct Quick {
    const char *does, *events;
    int state, reason;
    const char *calls;
} quick_sleeper = { "fake=sleep", "4,0 2,0 7,0", VIR_DOMAIN_PMSUSPENDED,
                    VIR_DOMAIN_PMSUSPENDED_UNKNOWN, COMES },
  quick_end = { "fake=hibernate", "4,0 2,0 7,1 6,1 5,0", VIR_DOMAIN_SHUTOFF,
                VIR_DOMAIN_SHUTOFF_SHUTDOWN, COMES GOES };

/* A guest may be quicker than the program that hears of its start: what it does meanwhile is told behind that. */
static void
test_quick(gconstpointer data)
{
    const struct Quick *quick = data;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", quick->does);

    install(fixture, "qemu", RECORD "[ $2 != started ] || sleep 0.5\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, quick->events);
    fixture_assert_state(fixture, path, quick->state, quick->reason);
    expect_calls(fixture, quick->calls);
}

/* The next daemon says so. */
static void
test_reconnect(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    install(fixture, "qemu", RECORD);
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    expect_calls(fixture, "web reconnect begin - web\n");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_kill_guests(fixture);
    fixture_start_daemon(fixture);
    /* The kernel may not have told of its end yet when it is looked for. */
    fixture_wait(fixture, has_called_last, GOES);
}

/* The guest runs while its start waits for a program: it outlives the daemon, too. */
static void
test_left_running(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    FixtureCall create;

    install(fixture, "qemu", RECORD "[ $2 != started ] || exec sleep 1000\n");
    fixture_begin(fixture, &create, path, "Create", FLAGS(0));
    fixture_wait(fixture, has_called_last, COMES);
    fixture_end_daemon(fixture, SIGTERM);
    fixture_end(fixture, &create, "*");
    install(fixture, "qemu", RECORD);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, runs, path);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 1);
}

static void
test_restore(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    install(fixture, "qemu", RECORD);
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_calls(fixture, "web restore begin - web\n" COMES);
}

static gboolean
is_restored(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = calls(fixture);

    return strstr(text, "started") != NULL;
}

/* Whoever removes the image that a guest is just made of does not take that guest. */
static void
test_restore_removed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *go = g_build_filename(fixture->dir, "go", NULL);
    FixtureCall call;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    install(fixture, "qemu",
            RECORD "[ $2 != started ] || until [ -e \"$HOME/go\" ]; do sleep 0.01; done\n");
    fixture_begin(fixture, &call, path, "Create", FLAGS(0));
    fixture_wait(fixture, is_restored, NULL);
    fixture_do(fixture, path, "ManagedSaveRemove", FLAGS(0));
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    fixture_end(fixture, &call, NULL);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, path, "Undefine", FLAGS(0)); /* there is none */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/hooks/order", test_order);
    g_test_add_func("/bus/hooks/directory", test_directory);
    g_test_add_func("/bus/hooks/refusal", test_refusal);
    g_test_add_func("/bus/hooks/refusal-of-shared", test_refusal_of_shared);
    g_test_add_func("/bus/hooks/hangs", test_hangs);
    g_test_add_func("/bus/hooks/hangs-behind", test_hangs_behind);
    g_test_add_func("/bus/hooks/cleans-up", test_cleans_up);
    g_test_add_func("/bus/hooks/undefined", test_undefined);
    g_test_add_data_func("/bus/hooks/quick-sleeper", &quick_sleeper, test_quick);
    g_test_add_data_func("/bus/hooks/quick-end", &quick_end, test_quick);
    g_test_add_func("/bus/hooks/reconnect", test_reconnect);
    g_test_add_func("/bus/hooks/left-running", test_left_running);
    g_test_add_func("/bus/hooks/restore", test_restore);
    g_test_add_func("/bus/hooks/restore-removed", test_restore_removed);
    return g_test_run();
}
