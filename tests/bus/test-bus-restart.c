/* The daemon comes and goes; the guests stay. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static guint
id_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) id = fixture_get(fixture, path, DOMAIN, "Id");

    return g_variant_get_uint32(id);
}

/* In the middle of writing anew what there is of that guest: which half comes last is not known. */
static void
begin_to_write(const Fixture *fixture, const char *uuid)
{
    static const char *const names[] = { "live.xml.new", "status.new" };

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path =
            g_build_filename(fixture->dir, "run", "vmctl", "guests", uuid, names[i], NULL);

        g_assert_true(g_file_set_contents(path, "<doma", -1, NULL));
    }
}

static void
check_begun_is_gone(const Fixture *fixture, const char *uuid)
{
    g_autofree char *path = g_build_filename(fixture->dir, "run", "vmctl", "guests", uuid, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir)))
        g_assert_false(g_str_has_suffix(name, ".new"));
}

/* Three guests, one of them paused, one transient: found again as they were. */
static void
check_restart(int signal_number)
{
    const char *uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
    const char *passing = ROOT_PATH "/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809";
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *running = fixture_define(fixture, "running", "");
    g_autofree char *paused = fixture_define(fixture, "paused", "");
    g_autofree char *off = fixture_define(fixture, "off", "");
    g_autofree char *xml = fixture_xml(fixture, "passing", uuid, "");

    fixture_do(fixture, running, "Create", FLAGS(0));
    fixture_do(fixture, paused, "Create", FLAGS(0));
    fixture_do(fixture, paused, "Suspend", NULL);
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainCreateXML",
                                 g_variant_new("(su)", xml, 0), "(o)"));
    fixture_expect_events(fixture, "4,0 2,0 4,0 2,0 3,0 4,0 2,0");

    fixture_end_daemon(fixture, signal_number);
    g_assert_cmpint(fixture_count_guests(fixture), ==, 3);
    begin_to_write(fixture, uuid);
    fixture_start_daemon(fixture);

    check_begun_is_gone(fixture, uuid);
    g_assert_cmpint(id_of(fixture, running), ==, 1);
    g_assert_cmpint(id_of(fixture, paused), ==, 2);
    g_assert_cmpint(id_of(fixture, passing), ==, 3);
    g_assert_cmpint(fixture_state(fixture, running), ==, VIR_DOMAIN_RUNNING);
    g_assert_cmpint(fixture_state(fixture, paused), ==, VIR_DOMAIN_PAUSED);
    g_assert_cmpint(fixture_state(fixture, off), ==, VIR_DOMAIN_SHUTOFF);

    fixture_do(fixture, running, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");
    fixture_do(fixture, paused, "Resume", NULL);
    fixture_do(fixture, paused, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "4,0 6,1 5,0");
    fixture_do(fixture, passing, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_do(fixture, off, "Create", FLAGS(0));
    g_assert_cmpint(id_of(fixture, off), ==, 4); /* numbers are not given twice */
}

static void
test_killed(void)
{
    check_restart(SIGKILL);
}

static void
test_terminated(void)
{
    check_restart(SIGTERM);
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* A guest that ended while nobody looked, or at the very moment. */
static void
test_ended_meanwhile(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "gone", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_end_daemon(fixture, SIGKILL);
    fixture_kill_guests(fixture);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, is_off, path);
    g_assert_cmpint(id_of(fixture, path), ==, 0);
}

/* A start that a killed daemon had only prepared leaves nothing; what is not ours stays. */
static void
test_prepared_only(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *guests = g_build_filename(fixture->dir, "run", "vmctl", "guests", NULL);
    g_autofree char *debris =
        g_build_filename(guests, "c7a5fdbd-edaf-9455-926a-d65c16db1809", NULL);
    g_autofree char *live = g_build_filename(debris, "live.xml", NULL);
    g_autofree char *foreign = g_build_filename(guests, "not-a-guest", NULL);

    fixture_end_daemon(fixture, SIGKILL);
    g_assert_cmpint(g_mkdir_with_parents(debris, 0700), ==, 0);
    g_assert_cmpint(g_mkdir_with_parents(foreign, 0700), ==, 0);
    g_assert_true(g_file_set_contents(live, "<domain/>", -1, NULL));
    fixture_start_daemon(fixture);
    g_assert_false(g_file_test(debris, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS));
}

static void
test_autostart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "early", "");
    g_autofree char *lock = g_build_filename(fixture->dir, "run", "vmctl", "vmctld.lock", NULL);

    g_variant_unref(fixture_call(
        fixture, path, PROPERTIES, "Set",
        g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(TRUE)), "()"));
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF); /* not a second time */

    fixture_end_daemon(fixture, SIGTERM);
    g_assert_no_errno(unlink(lock)); /* as a reboot does */
    fixture_start_daemon(fixture);
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
}

static void
set_config(Fixture *fixture, const char *text)
{
    g_autofree char *path = g_build_filename(fixture->dir, "config", "vmctl", "vmctld.conf", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* As vmctld.conf says, before the first start and after. */
static void
test_autostart_configured(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "early", "");

    g_variant_unref(fixture_call(
        fixture, path, PROPERTIES, "Set",
        g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(TRUE)), "()"));
    fixture_end_daemon(fixture, SIGTERM);
    set_config(fixture, "[vmctld]\nautostart = always\n");
    fixture_start_daemon(fixture);
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_end_daemon(fixture, SIGTERM);
    set_config(fixture, "[vmctld]\nautostart = never\n");
    fixture_start_daemon(fixture);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
}

/* What @process wrote to its standard error before it failed. */
static char *
failure_of(GSubprocess *process)
{
    g_autoptr(GError) error = NULL;
    char *text;

    g_subprocess_communicate_utf8(process, NULL, NULL, NULL, &text, &error);
    g_assert_no_error(error);
    g_assert_true(g_subprocess_get_if_exited(process));
    g_assert_cmpint(g_subprocess_get_exit_status(process), !=, 0);
    return text;
}

static void
test_second_daemon(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "mine", "");
    g_autoptr(GSubprocess) second = fixture_spawn_daemon(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_autofree char *text = failure_of(second);

    g_assert_cmpstr(text, ==, "vmctld: error: the name 'org.libvirt' is taken on this bus\n");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
}

/* On another bus, but with the same directories. */
static void
test_second_bus(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Fixture) other = fixture_new_bare();
    g_autofree char *program = fixture_built("vmctld");
    const char *argv[] = { program, "--session", "--address", other->address, NULL };
    g_autoptr(GSubprocess) second = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE, argv);
    g_autofree char *text = failure_of(second);

    g_assert_true(g_pattern_match_simple("*another daemon already serves*", text));
}

static void
test_no_bus(void)
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autofree char *program = fixture_built("vmctld");
    const char *argv[] = { program, "--session", "--address", "unix:path=/nonexistent", NULL };
    g_autoptr(GSubprocess) process = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE, argv);
    g_autofree char *text = failure_of(process);

    g_assert_true(g_pattern_match_simple("vmctld: error: *No such file or directory\n", text));
}

static void
test_wrong_options(void)
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autofree char *program = fixture_built("vmctld");
    const char *both[] = { program, "--session", "--system", NULL };
    const char *word[] = { program, "--session", "word", NULL };
    g_autoptr(GSubprocess) first = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE, both);
    g_autoptr(GSubprocess) second = fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE, word);
    g_autofree char *first_text = failure_of(first);
    g_autofree char *second_text = failure_of(second);

    g_assert_cmpstr(first_text, ==, "vmctld: error: --system and --session exclude each other\n");
    g_assert_cmpstr(second_text, ==, "vmctld: error: vmctld takes options only\n");
}

/* The bus goes away: the daemon ends with a message, the guests go on. */
static void
test_bus_gone(void)
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;

    fixture->daemon = fixture_spawn_daemon(fixture, G_SUBPROCESS_FLAGS_STDERR_PIPE);
    fixture_wait_ready(fixture);
    path = fixture_define(fixture, "orphan", "");
    fixture_do(fixture, path, "Create", FLAGS(0));
    g_dbus_connection_set_exit_on_close(fixture->client, FALSE);
    g_subprocess_force_exit(fixture->bus);
    text = failure_of(fixture->daemon);
    g_clear_object(&fixture->daemon);
    g_assert_cmpstr(
        text, ==,
        "vmctld: error: The message bus has closed the connection; guests go on running\n");
    g_assert_cmpint(fixture_count_guests(fixture), ==, 1);
}

static void
test_hangup(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "still", "");

    g_subprocess_send_signal(fixture->daemon, SIGHUP);
    g_subprocess_send_signal(fixture->daemon, SIGPIPE);
    g_usleep(50000);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
}

/* The bus starts the daemon for the first call. */
static void
test_activation(void)
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = NULL;

    fixture_make_activatable(fixture);
    reply = g_dbus_connection_call_sync(fixture->client, BUS_NAME, ROOT_PATH, CONNECT,
                                        "ListDomains", FLAGS(0), G_VARIANT_TYPE("(ao)"),
                                        G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/restart/killed", test_killed);
    g_test_add_func("/bus/restart/terminated", test_terminated);
    g_test_add_func("/bus/restart/ended-meanwhile", test_ended_meanwhile);
    g_test_add_func("/bus/restart/prepared-only", test_prepared_only);
    g_test_add_func("/bus/restart/autostart", test_autostart);
    g_test_add_func("/bus/restart/autostart-configured", test_autostart_configured);
    g_test_add_func("/bus/restart/second-daemon", test_second_daemon);
    g_test_add_func("/bus/restart/second-bus", test_second_bus);
    g_test_add_func("/bus/restart/no-bus", test_no_bus);
    g_test_add_func("/bus/restart/wrong-options", test_wrong_options);
    g_test_add_func("/bus/restart/bus-gone", test_bus_gone);
    g_test_add_func("/bus/restart/hangup", test_hangup);
    g_test_add_func("/bus/restart/activation", test_activation);
    return g_test_run();
}
