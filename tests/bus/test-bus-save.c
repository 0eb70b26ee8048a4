/* Guests that are saved to a file, what of it can fail, and that nothing is lost or left. Their own images are in
 * test-bus-managed-save.c. */
#include "tests/bus/saved.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define UNDONE   "3,0 4,0" /* paused, resumed */

static char *
image_path(Fixture *fixture)
{
    return g_build_filename(fixture->dir, "saved", "image", NULL);
}

static GVariant *
save_args(Fixture *fixture, const char *xml, guint flags)
{
    g_autofree char *image = image_path(fixture);

    return g_variant_new("(ssu)", image, xml, flags);
}

static void
save(Fixture *fixture, const char *path, guint flags)
{
    fixture_do(fixture, path, "Save", save_args(fixture, "", flags));
}

static void
restore(Fixture *fixture, const char *xml, guint flags)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainRestore",
                                             save_args(fixture, xml, flags), "()");
}

static void
restore_fails(Fixture *fixture, const char *xml, guint flags, const char *text)
{
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainRestore", save_args(fixture, xml, flags),
                       NULL, text);
}

static void
test_there_and_back(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    guint descriptors = fixture_count_descriptors(fixture);

    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 1);
    fixture_wait_signal(fixture, "JobCompleted");
    restore(fixture, "", VIR_DOMAIN_SAVE_BYPASS_CACHE);
    fixture_expect_events(fixture, RESTORED_EVENTS);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 1);
    g_assert_cmpuint(fixture_count_descriptors(fixture), <=, descriptors);
    restore_fails(fixture, "", 0,
                  "Requested operation is not valid: domain 'kept' is already active");
    /* Again, over the old image. */
    save(fixture, path, VIR_DOMAIN_SAVE_BYPASS_CACHE);
    fixture_expect_events(fixture, SAVED_EVENTS);
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 1);
}

static void
test_paused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");

    fixture_do(fixture, path, "Suspend", NULL);
    fixture_expect_events(fixture, "3,0");
    save(fixture, path, 0);
    fixture_expect_events(fixture, "5,4");
    restore(fixture, "", 0);
    fixture_expect_events(fixture, "2,2 3,4");
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION);
    save(fixture, path, VIR_DOMAIN_SAVE_RUNNING);
    fixture_expect_events(fixture, "5,4");
    restore(fixture, "", VIR_DOMAIN_SAVE_PAUSED);
    fixture_expect_events(fixture, "2,2 3,0");
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    save(fixture, path, VIR_DOMAIN_SAVE_PAUSED);
    fixture_expect_events(fixture, SAVED_EVENTS);
    restore(fixture, "", VIR_DOMAIN_SAVE_RUNNING);
    fixture_expect_events(fixture, RESTORED_EVENTS);
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    const guint both = VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED;
    const char *exclusive =
        "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually exclusive";

    fixture_call_fails(fixture, path, DOMAIN, "Save", save_args(fixture, "", both), NULL,
                       exclusive);
    restore_fails(fixture, "", both, exclusive);
    restore_fails(fixture, "", 64, "unsupported flags (0x40) in function virDomainRestoreFlags");
    restore_fails(fixture, "", 0, "Failed to open file '*': No such file or directory");
    fixture_call_fails(fixture, path, DOMAIN, "Save", g_variant_new("(ssu)", "here", "", 0), NULL,
                       "internal error: could not build absolute output file path");
    fixture_call_fails(fixture, path, DOMAIN, "Save",
                       g_variant_new("(ssu)", "/nonexistent/x", "", 0), NULL,
                       "Failed to create file '/nonexistent/x': No such file or directory");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_call_fails(fixture, path, DOMAIN, "Save", save_args(fixture, "", 0), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_call_fails(fixture, path, DOMAIN, "AbortJob", NULL, NULL,
                       "Requested operation is not valid: domain is not running");
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 0);
}

static void
test_transient(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");

    fixture_do(fixture, path, "Undefine", FLAGS(0));
    fixture_expect_events(fixture, "1,0");
    fixture_call_fails(fixture, path, DOMAIN, "ManagedSave", FLAGS(0), NULL,
                       "Requested operation is not valid: cannot do managed save for transient "
                       "domain");
    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Domain not found*");
    restore(fixture, "", 0);
    fixture_expect_events(fixture, RESTORED_EVENTS);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Domain not found*");
}

/* Nothing of a save that failed is left, and the guest goes on. */
static void
assert_undone(Fixture *fixture, const char *path)
{
    fixture_expect_events(fixture, UNDONE);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED);
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 0);
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 1);
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");
}

static int
completed_type(Fixture *fixture, const char *path, guint flags)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetJobStats", FLAGS(flags), "((ia{sv}))");
    int type;

    g_variant_get(reply, "((ia{sv}))", &type, NULL);
    return type;
}

static void
test_fails(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-fails");
    const guint keep = VIR_DOMAIN_JOB_STATS_COMPLETED | VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED;

    fixture_call_fails(fixture, path, DOMAIN, "Save", save_args(fixture, "", 0), NULL,
                       "operation failed: job 'domain save' failed: No space left on device*");
    g_assert_cmpint(completed_type(fixture, path, keep), ==, VIR_DOMAIN_JOB_FAILED);
    g_assert_cmpint(completed_type(fixture, path, VIR_DOMAIN_JOB_STATS_COMPLETED), ==,
                    VIR_DOMAIN_JOB_FAILED);
    g_assert_cmpint(completed_type(fixture, path, keep), ==, VIR_DOMAIN_JOB_NONE);
    assert_undone(fixture, path);
}

static void
test_dies(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-dies");

    fixture_call_fails(fixture, path, DOMAIN, "ManagedSave", FLAGS(0), NULL, "*");
    fixture_expect_events(fixture, "3,0 5,5");
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED);
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
    g_assert_false(saved_has_managed(fixture, path));
}

/* A save that goes on and on */

/* Until its progress shows. */
static void
begin_save(Fixture *fixture, const char *path, FixtureCall *call)
{
    fixture_begin(fixture, call, path, "Save", save_args(fixture, "", 0));
    for (guint64 done = 0; done == 0; g_usleep(10000)) {
        g_autoptr(GVariant) reply =
            fixture_call(fixture, path, DOMAIN, "GetJobInfo", NULL, "((ittttttttttt))");
        guint64 total, left;
        int type;

        g_variant_get(reply, "((ittttttttttt))", &type, NULL, NULL, &total, &done, &left, NULL,
                      NULL, NULL, NULL, NULL, NULL);
        g_assert_true(type == VIR_DOMAIN_JOB_NONE || type == VIR_DOMAIN_JOB_UNBOUNDED);
        if (!done)
            continue;
        g_assert_cmpuint(total, ==, 64 << 20);
        g_assert_cmpuint(left, ==, 48 << 20);
        g_assert_cmpuint(done, ==, 8 << 20);
    }
}

/* A guest that could not answer somebody for a while says so later; the save that is under way goes on. */
static void
test_late(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-hangs");
    FixtureCall call;

    begin_save(fixture, path, &call);
    fixture_signal_guests(fixture, SIGSTOP);
    g_variant_unref(
        fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", 0, 0), "(a{sv})"));
    fixture_signal_guests(fixture, SIGCONT);
    fixture_let_time_pass();
    g_assert_false(call.over);
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 1);
    fixture_do(fixture, path, "AbortJob", NULL);
    fixture_end(fixture, &call, "operation aborted: job 'domain save' canceled by client");
    assert_undone(fixture, path);
}

static void
test_aborted(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-hangs");
    FixtureCall call;

    fixture_call_fails(fixture, path, DOMAIN, "AbortJob", NULL, NULL,
                       "Requested operation is not valid: no job is active on the domain");
    begin_save(fixture, path, &call);
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    g_assert_cmpint(completed_type(fixture, path, 0), ==, VIR_DOMAIN_JOB_UNBOUNDED);
    fixture_do(fixture, path, "AbortJob", NULL);
    fixture_end(fixture, &call, "operation aborted: job 'domain save' canceled by client");
    g_assert_cmpint(completed_type(fixture, path, VIR_DOMAIN_JOB_STATS_COMPLETED), ==,
                    VIR_DOMAIN_JOB_CANCELLED);
    assert_undone(fixture, path);
}

static void
test_destroyed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-hangs");
    FixtureCall call;

    begin_save(fixture, path, &call);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_end(fixture, &call, "operation failed: domain is not running");
    fixture_expect_events(fixture, "3,0 5,1");
    g_assert_cmpuint(saved_count(fixture, SAVED_IMAGES), ==, 0);
}

/* However the daemon ends, the next one lets the guest run on. */
static void
test_daemon_ends(gconstpointer signal_number)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=save-hangs");
    FixtureCall call;

    begin_save(fixture, path, &call);
    fixture_end_daemon(fixture, GPOINTER_TO_INT(signal_number));
    fixture_end(fixture, &call, "*");
    fixture_start_daemon(fixture);
    assert_undone(fixture, path);
}

/* Documents */

static char *
image_xml(Fixture *fixture, guint flags)
{
    g_autofree char *image = image_path(fixture);
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "DomainSaveImageGetXMLDesc",
                     g_variant_new("(su)", image, flags), "(s)");
    char *xml;

    g_variant_get(reply, "(s)", &xml);
    return xml;
}

static void
define_image(Fixture *fixture, const char *xml, guint flags)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "DomainSaveImageDefineXML",
                     save_args(fixture, xml, flags), "()");
}

static void
test_documents(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *inactive = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_autofree char *xml = NULL, *titled = NULL, *other = NULL, *live = NULL, *got = NULL;

    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    xml = image_xml(fixture, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE);
    g_assert_cmpstr(xml, ==, inactive);
    titled = saved_edited(xml, "</uuid>", "</uuid><title>Edited</title>");
    define_image(fixture, titled, VIR_DOMAIN_SAVE_PAUSED);
    got = image_xml(fixture, 0);
    g_assert_nonnull(strstr(got, "<title>Edited</title>"));
    other = saved_edited(xml, "65536", "32768");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainSaveImageDefineXML",
                       save_args(fixture, other, 0), NULL,
                       "unsupported configuration: Target domain max memory 32768 does not match "
                       "source 65536");
    restore_fails(fixture, other, 0, "unsupported configuration: Target domain max memory*");
    restore(fixture, "", 0);
    fixture_expect_events(fixture, "2,2 3,4");
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "<title>Edited</title>"));
    save(fixture, path, VIR_DOMAIN_SAVE_RUNNING);
    fixture_expect_events(fixture, "5,4");
    restore(fixture, inactive, 0);
    fixture_expect_events(fixture, RESTORED_EVENTS);
    g_free(live);
    live = fixture_xml_of(fixture, path, 0);
    g_assert_null(strstr(live, "<title>"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/save/there-and-back", test_there_and_back);
    g_test_add_func("/bus/save/paused", test_paused);
    g_test_add_func("/bus/save/refused", test_refused);
    g_test_add_func("/bus/save/transient", test_transient);
    g_test_add_func("/bus/save/fails", test_fails);
    g_test_add_func("/bus/save/dies", test_dies);
    g_test_add_func("/bus/save/late", test_late);
    g_test_add_func("/bus/save/aborted", test_aborted);
    g_test_add_func("/bus/save/destroyed", test_destroyed);
    g_test_add_data_func("/bus/save/daemon-killed", GINT_TO_POINTER(SIGKILL), test_daemon_ends);
    g_test_add_data_func("/bus/save/daemon-stopped", GINT_TO_POINTER(SIGTERM), test_daemon_ends);
    g_test_add_func("/bus/save/documents", test_documents);
    return g_test_run();
}
