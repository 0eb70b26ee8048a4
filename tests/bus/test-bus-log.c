/* The log of a guest: when it began and ended, and why, in libvirt's words. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define TIME     "*-*-* *:*:*.*+0000: "

static char *
log_path(Fixture *fixture, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".log", NULL);

    return g_build_filename(fixture->dir, "cache", "vmctl", "log", file, NULL);
}

/* What the daemon has written to the log of @name since it was emptied, "starting up, shutdown", and empties it. */
static void
expect_log(Fixture *fixture, const char *name, const char *expected)
{
    g_autofree char *path = log_path(fixture, name), *text = NULL;
    g_autoptr(GString) heard = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        if (g_pattern_match_simple(TIME "starting up vmctl " PACKAGE_VERSION, *line))
            g_string_append(heard, "started ");
        else if (g_pattern_match_simple(TIME "shutting down, reason=*", *line))
            g_string_append_printf(heard, "%s ", strchr(*line, '=') + 1);
    }
    g_assert_cmpstr(heard->str, ==, expected);
    g_assert_cmpint(truncate(path, 0), ==, 0);
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* Starts a guest, has @member end it, and compares. */
static void
check_run(Fixture *fixture, const char *path, const char *member, const char *expected)
{
    fixture_do(fixture, path, "Create", FLAGS(0));
    if (member)
        fixture_do(fixture, path, member, FLAGS(0));
    fixture_wait(fixture, is_off, path);
    expect_log(fixture, "web", expected);
}

static void
test_reasons(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    check_run(fixture, path, "Shutdown", "started shutdown ");
    check_run(fixture, path, "Destroy", "started destroyed ");
    check_run(fixture, path, "ManagedSave", "started saved ");
}

static void
test_crashed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "fake=crash");

    check_run(fixture, path, NULL, "started crashed ");
}

static void
test_failed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "fake=fail-create");

    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "*the fake machine cannot be made*");
    expect_log(fixture, "web", "started failed ");
}

/* The next daemon writes down what the last one did not live to see. */
static void
test_meanwhile(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_end_daemon(fixture, SIGKILL);
    fixture_kill_guests(fixture);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, is_off, path);
    expect_log(fixture, "web", "started crashed ");
}

/* A log that was moved away is not made anew by an end. */
static void
test_moved(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *log = log_path(fixture, "web");

    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_cmpint(g_unlink(log), ==, 0);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/log/reasons", test_reasons);
    g_test_add_func("/bus/log/crashed", test_crashed);
    g_test_add_func("/bus/log/failed", test_failed);
    g_test_add_func("/bus/log/meanwhile", test_meanwhile);
    g_test_add_func("/bus/log/moved", test_moved);
    return g_test_run();
}
