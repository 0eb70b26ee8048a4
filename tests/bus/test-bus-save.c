/* Guests that are saved to a file or to their own image, what of it can fail, and that nothing is lost or left. */
#include "tests/bus/fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define SAVED    "3,0 5,4" /* paused, stopped: saved */
#define RESTORED "2,2 4,2" /* started: restored, resumed: from a snapshot */
#define UNDONE   "3,0 4,0" /* paused, resumed */

static char *
image_path(Fixture *fixture)
{
    return g_build_filename(fixture->dir, "saved", "image", NULL);
}

/* A guest that runs, and a directory for its image. */
static char *
start(Fixture *fixture, const char *cmdline)
{
    g_autofree char *dir = g_build_filename(fixture->dir, "saved", NULL);
    char *path = fixture_define(fixture, "kept", cmdline);

    g_mkdir(dir, 0700);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    return path;
}

static guint
count_saved(Fixture *fixture, const char *below)
{
    g_autofree char *path = g_build_filename(fixture->dir, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    return n;
}

#define IMAGES  "saved"
#define MANAGED "data/vmctl/save"

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

static gboolean
has_managed(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "HasManagedSaveImage", FLAGS(0), "(b)");
    gboolean has;

    g_variant_get(reply, "(b)", &has);
    return has;
}

static void
test_there_and_back(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");
    guint descriptors = fixture_count_descriptors(fixture);

    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 1);
    fixture_wait_signal(fixture, "JobCompleted");
    restore(fixture, "", VIR_DOMAIN_SAVE_BYPASS_CACHE);
    fixture_expect_events(fixture, RESTORED);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 1);
    g_assert_cmpuint(fixture_count_descriptors(fixture), <=, descriptors);
    restore_fails(fixture, "", 0,
                  "Requested operation is not valid: domain 'kept' is already active");
    /* Again, over the old image. */
    save(fixture, path, VIR_DOMAIN_SAVE_BYPASS_CACHE);
    fixture_expect_events(fixture, SAVED);
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 1);
}

static void
test_paused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");

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
    fixture_expect_events(fixture, SAVED);
    restore(fixture, "", VIR_DOMAIN_SAVE_RUNNING);
    fixture_expect_events(fixture, RESTORED);
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");
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
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 0);
}

static void
test_transient(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");

    fixture_do(fixture, path, "Undefine", FLAGS(0));
    fixture_expect_events(fixture, "1,0");
    fixture_call_fails(fixture, path, DOMAIN, "ManagedSave", FLAGS(0), NULL,
                       "Requested operation is not valid: cannot do managed save for transient "
                       "domain");
    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Domain not found*");
    restore(fixture, "", 0);
    fixture_expect_events(fixture, RESTORED);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Domain not found*");
}

static void
managed_save(Fixture *fixture, const char *path, guint flags)
{
    fixture_do(fixture, path, "ManagedSave", FLAGS(flags));
    g_assert_true(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 1);
}

static void
test_managed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");

    g_assert_false(has_managed(fixture, path));
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE), ==, 1);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE), ==, 0);
    /* It is there for a daemon to come. */
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    g_assert_true(has_managed(fixture, path));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    g_assert_false(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_PAUSED));
    fixture_expect_events(fixture, "2,2 3,0");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, "5,4");
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_FORCE_BOOT));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
}

static void
test_managed_removed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");

    fixture_call_fails(fixture, path, DOMAIN, "ManagedSaveRemove", FLAGS(0), NULL,
                       "Failed to remove managed save file '*.save': No such file or directory");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_do(fixture, path, "ManagedSaveRemove", FLAGS(0));
    g_assert_false(has_managed(fixture, path));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(0), NULL,
                       "Requested operation is not valid: Refusing to undefine while domain "
                       "managed save image exists");
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 1);
    /* As cockpit has it. */
    fixture_do(fixture, path, "Undefine",
               FLAGS(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                     VIR_DOMAIN_UNDEFINE_NVRAM));
    fixture_expect_events(fixture, "1,0");
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
}

static char *
managed_path(Fixture *fixture)
{
    g_autofree char *dir_path = g_build_filename(fixture->dir, MANAGED, NULL);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);

    return g_build_filename(dir_path, g_dir_read_name(dir), NULL);
}

/* One that cannot be used is kept, unless there is nothing in it. */
static void
test_managed_damaged(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");
    g_autofree char *image = NULL;
    int fd;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    image = managed_path(fixture);
    fd = open(image, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, "not an image", 12, 0), ==, 12);
    close(fd);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "operation failed: image magic is incorrect");
    g_assert_true(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 1);
    g_assert_no_errno(truncate(image, 100));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_false(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
}

static void
test_restore_fails(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=restore-fails");

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "operation failed: cannot restore the guest: the fake state is another "
                       "guest's");
    g_assert_true(has_managed(fixture, path));
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_FORCE_BOOT));
    fixture_expect_events(fixture, "4,0 2,0");
}

/* Nothing of a save that failed is left, and the guest goes on. */
static void
assert_undone(Fixture *fixture, const char *path)
{
    fixture_expect_events(fixture, UNDONE);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_SAVE_CANCELED);
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 0);
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
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
    g_autofree char *path = start(fixture, "fake=save-fails");
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
    g_autofree char *path = start(fixture, "fake=save-dies");

    fixture_call_fails(fixture, path, DOMAIN, "ManagedSave", FLAGS(0), NULL, "*");
    fixture_expect_events(fixture, "3,0 5,5");
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED);
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
    g_assert_false(has_managed(fixture, path));
}

/* A save that goes on and on */

typedef struct Pending {
    gboolean over;
    char *error; /* NULL: it succeeded */
} Pending;

static void
save_over(GObject *bus, GAsyncResult *result, gpointer data)
{
    Pending *pending = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    if (!reply)
        g_dbus_error_strip_remote_error(error);
    pending->error = reply ? NULL : g_strdup(error->message);
    pending->over = TRUE;
}

static gboolean
is_over(Fixture *fixture, gconstpointer data)
{
    return ((const Pending *)data)->over;
}

/* Until its progress shows. */
static void
begin_save(Fixture *fixture, const char *path, Pending *pending)
{
    *pending = (Pending){ FALSE };
    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, "Save",
                           save_args(fixture, "", 0), NULL, G_DBUS_CALL_FLAGS_NONE, 60000, NULL,
                           save_over, pending);
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

static void
assert_over(Fixture *fixture, Pending *pending, const char *text)
{
    fixture_wait(fixture, is_over, pending);
    if (!pending->error || !g_pattern_match_simple(text, pending->error))
        g_error("the save said '%s', not '%s'", pending->error ? pending->error : "done", text);
    g_free(pending->error);
}

static void
test_aborted(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=save-hangs");
    Pending pending;

    fixture_call_fails(fixture, path, DOMAIN, "AbortJob", NULL, NULL,
                       "Requested operation is not valid: no job is active on the domain");
    begin_save(fixture, path, &pending);
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE);
    g_assert_cmpint(completed_type(fixture, path, 0), ==, VIR_DOMAIN_JOB_UNBOUNDED);
    fixture_do(fixture, path, "AbortJob", NULL);
    assert_over(fixture, &pending, "operation aborted: job 'domain save' canceled by client");
    g_assert_cmpint(completed_type(fixture, path, VIR_DOMAIN_JOB_STATS_COMPLETED), ==,
                    VIR_DOMAIN_JOB_CANCELLED);
    assert_undone(fixture, path);
}

static void
test_destroyed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=save-hangs");
    Pending pending;

    begin_save(fixture, path, &pending);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    assert_over(fixture, &pending, "operation failed: domain is not running");
    fixture_expect_events(fixture, "3,0 5,1");
    g_assert_cmpuint(count_saved(fixture, IMAGES), ==, 0);
}

/* However the daemon ends, the next one lets the guest run on. */
static void
test_daemon_ends(gconstpointer signal_number)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=save-hangs");
    Pending pending;

    begin_save(fixture, path, &pending);
    fixture_end_daemon(fixture, GPOINTER_TO_INT(signal_number));
    fixture_wait(fixture, is_over, &pending);
    g_free(pending.error);
    fixture_start_daemon(fixture);
    assert_undone(fixture, path);
}

static void
test_daemon_ends_managed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");
    g_autofree char *image = NULL, *aside = NULL, *litter = NULL;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    fixture_end_daemon(fixture, SIGKILL);
    image = managed_path(fixture);
    aside = g_strconcat(image, ".used", NULL);
    litter = g_strconcat(image, ".A1b2C3", NULL);
    g_assert_true(g_file_set_contents(aside, "x", 1, NULL));
    g_assert_true(g_file_set_contents(litter, "x", 1, NULL));
    fixture_start_daemon(fixture);
    g_assert_true(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 1);
    /* An image beside a guest that runs is the past. */
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED);
    fixture_end_daemon(fixture, SIGKILL);
    g_assert_true(g_file_set_contents(image, "x", 1, NULL));
    fixture_start_daemon(fixture);
    g_assert_false(has_managed(fixture, path));
    g_assert_cmpuint(count_saved(fixture, MANAGED), ==, 0);
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

static char *
edited(const char *xml, const char *old, const char *new)
{
    g_autoptr(GString) text = g_string_new(xml);

    g_assert_cmpuint(g_string_replace(text, old, new, 1), ==, 1);
    return g_strdup(text->str);
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
    g_autofree char *path = start(fixture, "");
    g_autofree char *inactive = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_autofree char *xml = NULL, *titled = NULL, *other = NULL, *live = NULL, *got = NULL;

    save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    xml = image_xml(fixture, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE);
    g_assert_cmpstr(xml, ==, inactive);
    titled = edited(xml, "</uuid>", "</uuid><title>Edited</title>");
    define_image(fixture, titled, VIR_DOMAIN_SAVE_PAUSED);
    got = image_xml(fixture, 0);
    g_assert_nonnull(strstr(got, "<title>Edited</title>"));
    other = edited(xml, "65536", "32768");
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
    fixture_expect_events(fixture, RESTORED);
    g_free(live);
    live = fixture_xml_of(fixture, path, 0);
    g_assert_null(strstr(live, "<title>"));
}

static void
test_managed_documents(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "");
    g_autofree char *titled = NULL, *live = NULL;
    const char *none = "Requested operation is not valid: domain does not have managed save image";
    const char *xml;
    g_autoptr(GVariant) reply = NULL, done = NULL;

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "ManagedSaveGetXMLDesc", FLAGS(0), NULL, none);
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED);
    reply = fixture_call(fixture, path, VMCTL_DOMAIN, "ManagedSaveGetXMLDesc", FLAGS(0), "(s)");
    g_variant_get(reply, "(&s)", &xml);
    titled = edited(xml, "</uuid>", "</uuid><title>Edited</title>");
    done = fixture_call(fixture, path, VMCTL_DOMAIN, "ManagedSaveDefineXML",
                        g_variant_new("(su)", titled, 0), "()");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED);
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "<title>Edited</title>"));
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "ManagedSaveDefineXML",
                       g_variant_new("(su)", titled, 0), NULL, none);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/save/there-and-back", test_there_and_back);
    g_test_add_func("/bus/save/paused", test_paused);
    g_test_add_func("/bus/save/refused", test_refused);
    g_test_add_func("/bus/save/transient", test_transient);
    g_test_add_func("/bus/save/managed", test_managed);
    g_test_add_func("/bus/save/managed-removed", test_managed_removed);
    g_test_add_func("/bus/save/managed-damaged", test_managed_damaged);
    g_test_add_func("/bus/save/restore-fails", test_restore_fails);
    g_test_add_func("/bus/save/fails", test_fails);
    g_test_add_func("/bus/save/dies", test_dies);
    g_test_add_func("/bus/save/aborted", test_aborted);
    g_test_add_func("/bus/save/destroyed", test_destroyed);
    g_test_add_data_func("/bus/save/daemon-killed", GINT_TO_POINTER(SIGKILL), test_daemon_ends);
    g_test_add_data_func("/bus/save/daemon-stopped", GINT_TO_POINTER(SIGTERM), test_daemon_ends);
    g_test_add_func("/bus/save/daemon-killed-managed", test_daemon_ends_managed);
    g_test_add_func("/bus/save/documents", test_documents);
    g_test_add_func("/bus/save/managed-documents", test_managed_documents);
    return g_test_run();
}
