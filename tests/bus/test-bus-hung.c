/* A guest's process that does not answer (it is stopped) holds up its own domain and nothing else, and ends when it is
 * told to. What would wait for it here waits for seconds; so a call that is back before it has not waited.
 */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

/* A call that goes on while others are made. */
typedef struct Pending {
    gboolean done;
    char *error; /* NULL: it succeeded */
} Pending;

static void
answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    Pending *pending = data;
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    pending->done = TRUE;
    pending->error = error ? g_strdup(error->message) : NULL;
    if (reply)
        g_variant_unref(reply);
}

static void
begin(Fixture *fixture, const char *path, const char *member, Pending *pending)
{
    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, member, NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, answered, pending);
}

static gboolean
is_done(Fixture *fixture, gconstpointer pending)
{
    return ((const Pending *)pending)->done;
}

static int
pid_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");
    g_autofree char *file =
        g_build_filename(fixture->dir, "run", "vmctl", "guests",
                         g_variant_get_string(uuid, NULL), "status", NULL);
    g_autoptr(GKeyFile) status = g_key_file_new();

    g_assert_true(g_key_file_load_from_file(status, file, G_KEY_FILE_NONE, NULL));
    return g_key_file_get_integer(status, "guest", "pid", NULL);
}

/* Everything that reads, of all and of the one that hangs. */
static void
check_reads(Fixture *fixture, const char *path, int state)
{
    g_variant_unref(
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", FLAGS(0), "(ao)"));
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "GetAllDomainStats",
                                 g_variant_new("(uu)", 0, 0), "(a(sa{sv}))"));
    g_variant_unref(fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", 0, 0),
                                 "(a{sv})"));
    g_free(fixture_xml_of(fixture, path, 0));
    g_assert_cmpint(fixture_state(fixture, path), ==, state);
}

static void
check_control(Fixture *fixture, const char *path, guint state)
{
    g_autoptr(GVariant) control =
        fixture_call(fixture, path, DOMAIN, "GetControlInfo", FLAGS(0), "((uut))");
    guint got, details;
    guint64 ms;

    g_variant_get(control, "((uut))", &got, &details, &ms);
    g_assert_cmpuint(got, ==, state);
    g_assert_cmpuint(details, ==, 0);
    g_assert_cmpuint(ms, <, 60000);
}

/* Guests are not labelled. */
static void
check_labels(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetSecurityLabelList", NULL, "(a(sb))");
    g_autoptr(GVariant) labels = g_variant_get_child_value(reply, 0);

    g_assert_cmpuint(g_variant_n_children(labels), ==, 0);
}

static void
test_hung(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");
    g_autofree char *other = fixture_define(fixture, "other", "");
    Pending suspend = { 0 };

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    kill(pid_of(fixture, hung), SIGSTOP);
    begin(fixture, hung, "Suspend", &suspend);
    check_reads(fixture, hung, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, other, "Create", FLAGS(0));
    fixture_do(fixture, other, "Suspend", NULL);
    fixture_expect_events(fixture, "4,0 2,0 3,0");
    check_control(fixture, hung, VIR_DOMAIN_CONTROL_OCCUPIED);
    check_control(fixture, other, VIR_DOMAIN_CONTROL_OK);
    check_labels(fixture, other);
    g_assert_false(suspend.done);
    fixture_do(fixture, hung, "Destroy", FLAGS(0));
    fixture_wait(fixture, is_done, &suspend);
    g_assert_nonnull(suspend.error);
    g_assert_nonnull(g_strrstr(suspend.error, "went away"));
    g_free(suspend.error);
    fixture_expect_events(fixture, "5,1");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_SHUTOFF);
    fixture_do(fixture, hung, "Create", FLAGS(0));
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_RUNNING);
}

/* Nobody kills it: what waited is told so after the time limit, and when the process goes on and does it after all, the
 * domain is what its guest is. */
static void
test_goes_on(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");
    Pending suspend = { 0 };
    int pid;

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    pid = pid_of(fixture, hung);
    kill(pid, SIGSTOP);
    begin(fixture, hung, "Suspend", &suspend);
    fixture_wait(fixture, is_done, &suspend);
    g_assert_nonnull(g_strrstr(suspend.error, "does not answer"));
    g_free(suspend.error);
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_RUNNING);
    kill(pid, SIGCONT);
    fixture_expect_events(fixture, "3,0");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_PAUSED);
    fixture_do(fixture, hung, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_RUNNING);
    g_assert_cmpint(pid_of(fixture, hung), ==, pid);
}

/* A daemon that starts beside one. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    kill(pid_of(fixture, hung), SIGSTOP);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    check_reads(fixture, hung, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, hung, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
}

/* The kernel tells of a process that is gone, and so do we, whether it is our child or an earlier daemon's. */
static void
test_killed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "killed", "");

    for (guint i = 0; i < 2; i++) {
        fixture_do(fixture, path, "Create", FLAGS(0));
        fixture_expect_events(fixture, "4,0 2,0");
        if (i == 1) {
            fixture_end_daemon(fixture, SIGKILL);
            fixture_start_daemon(fixture);
        }
        kill(pid_of(fixture, path), SIGKILL);
        fixture_expect_events(fixture, "5,5");
        g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/hung/destroyed", test_hung);
    g_test_add_func("/bus/hung/goes-on", test_goes_on);
    g_test_add_func("/bus/hung/restart", test_restart);
    g_test_add_func("/bus/hung/killed", test_killed);
    return g_test_run();
}
