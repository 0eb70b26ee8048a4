/* A guest's process that says what makes no sense, or leaves its driver: clients are told, and the guest goes on. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static char *
control(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetControlInfo", FLAGS(0), "((uut))");

    return g_variant_print(reply, FALSE);
}

static void
assert_control(Fixture *fixture, const char *path, const char *expected)
{
    g_autofree char *text = control(fixture, path);

    g_assert_cmpstr(text, ==, expected);
}

static gboolean
is_good(Fixture *fixture, gconstpointer path)
{
    g_autofree char *text = control(fixture, path);

    return strcmp(text, "((0, 0, 0),)") == 0;
}

static void
assert_no_error(const Fixture *fixture)
{
    g_assert_null(strstr(fixture->signals->str, "ControlError"));
}

static void
test_babble(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "rude", "fake=babble");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_wait_signal(fixture, "ControlError ()");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    assert_control(fixture, path, "((3, 2, 0),)"); /* an error, of the monitor */
    fixture_do(fixture, path, "Suspend", NULL);    /* over a new connection, which is a good one */
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "3,0 4,0");
    assert_control(fixture, path, "((0, 0, 0),)");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    assert_no_error(fixture);
}

/* What it had to tell while nobody listened is found out. */
static void
test_hang_up(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "rude", "fake=hang-up");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_wait_signal(fixture, "ControlError ()");
    fixture_expect_events(fixture, "3,0");
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
    fixture_wait(fixture, is_good, path);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    assert_no_error(fixture);
}

/* A process that ends hangs up too, whoever ends it. */
static void
test_end(void)
{
    static const struct {
        const char *behaviour, *events;
    } ends[] = {
        { "", "4,0 2,0 5,5" }, /* it is killed */
        { "fake=die", "4,0 2,0 5,5" },
        { "fake=crash", "4,0 2,0 5,2" },
    };
    g_autoptr(Fixture) fixture = fixture_new();

    for (guint i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_autofree char *name = g_strdup_printf("ends-%u", i);
        g_autofree char *path = fixture_define(fixture, name, ends[i].behaviour);

        fixture_do(fixture, path, "Create", FLAGS(0));
        if (i == 0)
            fixture_kill_guests(fixture);
        fixture_expect_events(fixture, ends[i].events);
        assert_no_error(fixture);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/control/babble", test_babble);
    g_test_add_func("/bus/control/hang-up", test_hang_up);
    g_test_add_func("/bus/control/end", test_end);
    return g_test_run();
}
