/* A guest that sets its clock: what clients hear of it, and what becomes of its definitions. The fake guest's clock goes
 * on by 20 seconds whenever it boots or is reset. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define UUID     "c7a5fdbd-edaf-9455-926a-d65c16db1809"
#define INACTIVE VIR_DOMAIN_XML_INACTIVE

static GVariant *
document(Fixture *fixture, const char *cmdline, const char *clock)
{
    g_autofree char *plain = fixture_xml(fixture, "clock", UUID, cmdline);
    g_auto(GStrv) halves = g_strsplit(plain, "<devices>", 2);
    g_autofree char *xml = g_strconcat(halves[0], clock, "<devices>", halves[1], NULL);

    return g_variant_new("(s)", xml);
}

static char *
define(Fixture *fixture, const char *cmdline, const char *clock)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             document(fixture, cmdline, clock), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static void
assert_clock(Fixture *fixture, const char *path, guint flags, const char *clock)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    if (!strstr(xml, clock))
        g_error("no %s in %s", clock, xml);
}

typedef struct Wanted {
    const char *path, *clock;
} Wanted;

static gboolean
says_so(Fixture *fixture, gconstpointer data)
{
    const Wanted *wanted = data;
    g_autofree char *xml = fixture_xml_of(fixture, wanted->path, 0);

    return strstr(xml, wanted->clock) != NULL;
}

/* Its own clock lasts, in both definitions, and is what it starts with again. */
static void
test_variable(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock", "<clock offset='variable' adjustment='100'/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (120,)");
    assert_clock(fixture, path, 0, "<clock offset='variable' adjustment='120' basis='utc'");
    assert_clock(fixture, path, INACTIVE, "<clock offset='variable' adjustment='120' basis='utc'");
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (140,)");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    assert_clock(fixture, path, 0, "<clock offset='variable' adjustment='140' basis='utc'");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (160,)");
}

/* A guest that runs goes by UTC, whatever local time does; its definition goes on by local time. */
static void
test_local(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock", "<clock offset='localtime' adjustment='0'/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (7220,)");
    assert_clock(fixture, path, 0, "<clock offset='variable' adjustment='7220' basis='utc'");
    assert_clock(fixture, path, INACTIVE, "<clock offset='variable' adjustment='20' basis='localtime'");
}

/* A clock that does not vary begins anew each time; what is told is how far it is from there. */
static void
test_fixed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock", "<clock offset='absolute' start='1234567890'/>");

    for (int i = 0; i < 2; i++) {
        fixture_do(fixture, path, "Create", FLAGS(0));
        fixture_wait_signal(fixture, "RTCChange (20,)");
        assert_clock(fixture, path, 0, "<clock offset='absolute' start='1234567890'");
        fixture_do(fixture, path, "Destroy", FLAGS(0));
    }
}

/* Who defines another clock means it; who defines anything else leaves the guest its own. */
static void
test_redefined(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock", "<clock offset='variable' adjustment='100'/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (120,)");
    g_free(define(fixture, "fake=clock other", "<clock offset='variable' adjustment='120'/>"));
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (140,)");
    assert_clock(fixture, path, INACTIVE, "adjustment='140'");
    assert_clock(fixture, path, INACTIVE, "fake=clock other");
    g_free(define(fixture, "fake=clock", "<clock offset='variable' adjustment='5'/>"));
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (160,)");
    assert_clock(fixture, path, INACTIVE, "adjustment='5'");
    assert_clock(fixture, path, 0, "adjustment='160'");
}

/* What it did while no daemon listened. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock-quiet", "<clock offset='variable' adjustment='100'/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_clock(fixture, path, 0, "adjustment='100'");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, says_so, &(Wanted){ path, "adjustment='120'" });
    assert_clock(fixture, path, INACTIVE, "adjustment='120'");
}

/* The image has it as it was, whatever the definition says meanwhile. */
static void
test_saved(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define(fixture, "fake=clock", "<clock offset='variable' adjustment='100'/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (120,)");
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    g_free(define(fixture, "fake=clock", "<clock offset='variable' adjustment='5'/>"));
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_clock(fixture, path, 0, "<clock offset='variable' adjustment='120' basis='utc'");
    assert_clock(fixture, path, INACTIVE, "adjustment='5'");
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_wait_signal(fixture, "RTCChange (140,)");
}

int
main(int argc, char **argv)
{
    g_setenv("TZ", "UTC-2", TRUE); /* two hours ahead of it */
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/clock/variable", test_variable);
    g_test_add_func("/bus/clock/local", test_local);
    g_test_add_func("/bus/clock/fixed", test_fixed);
    g_test_add_func("/bus/clock/redefined", test_redefined);
    g_test_add_func("/bus/clock/restart", test_restart);
    g_test_add_func("/bus/clock/saved", test_saved);
    return g_test_run();
}
