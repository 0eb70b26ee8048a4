/* Guests that are saved to an image of their domain's own, and started from it: what of it can fail, and that nothing is
 * lost or left.
 */
#include "tests/bus/saved.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static void
managed_save(Fixture *fixture, const char *path, guint flags)
{
    fixture_do(fixture, path, "ManagedSave", FLAGS(flags));
    g_assert_true(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 1);
}

static void
test_there_and_back(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");

    g_assert_false(saved_has_managed(fixture, path));
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE), ==, 1);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE), ==, 0);
    /* It is there for a daemon to come. */
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    g_assert_true(saved_has_managed(fixture, path));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED_EVENTS);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    g_assert_false(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_PAUSED));
    fixture_expect_events(fixture, "2,2 3,0");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, "5,4");
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_FORCE_BOOT));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
}

static void
test_removed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");

    fixture_call_fails(fixture, path, DOMAIN, "ManagedSaveRemove", FLAGS(0), NULL,
                       "Failed to remove managed save file '*.save': No such file or directory");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_do(fixture, path, "ManagedSaveRemove", FLAGS(0));
    g_assert_false(saved_has_managed(fixture, path));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(0), NULL,
                       "Requested operation is not valid: Refusing to undefine while domain "
                       "managed save image exists");
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 1);
    /* As cockpit has it. */
    fixture_do(fixture, path, "Undefine",
               FLAGS(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                     VIR_DOMAIN_UNDEFINE_NVRAM));
    fixture_expect_events(fixture, "1,0");
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
}

static char *
only_file(Fixture *fixture, const char *below)
{
    g_autofree char *dir_path = g_build_filename(fixture->dir, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(dir_path, 0, NULL);

    return g_build_filename(dir_path, g_dir_read_name(dir), NULL);
}

static char *
managed_path(Fixture *fixture)
{
    return only_file(fixture, SAVED_MANAGED);
}

/* One that cannot be used is kept, unless there is nothing in it. */
static void
test_damaged(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *image = NULL;
    int fd;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    image = managed_path(fixture);
    fd = open(image, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, "not an image", 12, 0), ==, 12);
    close(fd);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "operation failed: image magic is incorrect");
    g_assert_true(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 1);
    g_assert_no_errno(truncate(image, 100));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_false(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
}

/* Where the disk does not let it go, it is not used; and whoever is told so finds a domain that is off. */
static void
test_stuck(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *image = NULL, *used = NULL, *inside = NULL;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    image = managed_path(fixture);
    used = g_strconcat(image, ".used", NULL);
    inside = g_build_filename(used, "in the way", NULL);
    g_assert_no_errno(g_mkdir_with_parents(inside, 0700));
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "cannot set aside managed save file '*.save': Is a directory");
    while (g_main_context_iteration(NULL, FALSE)) /* what was told before that */
        continue;
    g_assert_cmpstr(fixture->events->str, ==, "2,2 5,5 ");
    fixture_expect_events(fixture, "2,2 5,5");
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED);
    g_assert_true(saved_has_managed(fixture, path));
    g_assert_no_errno(g_rmdir(inside));
    g_assert_no_errno(g_rmdir(used));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED_EVENTS);
}

/* Its end would be waited for for ever; or nobody knows how far it came, and what it may have written to its disks does not
 * fit the image any more. */
static const struct LostRestore {
    const char *name, *behaviour, *error;
    gboolean kept;
} lost_restores[] = {
    { "/bus/managed-save/restore-hangs-up", "fake=restore-hangs-up", "*hung up during its start", TRUE },
    { "/bus/managed-save/run-on-dies", "fake=run-on-dies", "*went away during 'run'*", FALSE },
};

static void
test_lost_restore(gconstpointer data)
{
    const struct LostRestore *lost = data;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, lost->behaviour);

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL, lost->error);
    g_assert_cmpint(saved_has_managed(fixture, path), ==, lost->kept);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
}

static gboolean
is_used(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *image = managed_path(fixture);

    return g_str_has_suffix(image, ".used");
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* A daemon that is stopped while it waits to hear how far the last one came leaves that to the next. */
static void
test_stopped_meanwhile(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=run-on-hangs");
    FixtureCall create;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_begin(fixture, &create, path, "Create", FLAGS(0));
    fixture_wait(fixture, is_used, NULL);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_end(fixture, &create, "*");
    fixture_signal_guests(fixture, SIGSTOP);
    fixture_start_daemon(fixture);
    fixture_end_daemon(fixture, SIGTERM);
    fixture_signal_guests(fixture, SIGCONT);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, is_off, path);
    g_assert_true(saved_has_managed(fixture, path));
}

static void
test_restore_fails(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "fake=restore-fails");

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "operation failed: cannot restore the guest: the fake state is another "
                       "guest's");
    g_assert_true(saved_has_managed(fixture, path));
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_FORCE_BOOT));
    fixture_expect_events(fixture, "4,0 2,0");
}

static void
test_daemon_ends(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *image = NULL, *aside = NULL, *litter = NULL;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    fixture_end_daemon(fixture, SIGKILL);
    image = managed_path(fixture);
    aside = g_strconcat(image, ".used", NULL);
    litter = g_strconcat(image, ".A1b2C3", NULL);
    g_assert_true(g_file_set_contents(aside, "x", 1, NULL));
    g_assert_true(g_file_set_contents(litter, "x", 1, NULL));
    fixture_start_daemon(fixture);
    g_assert_true(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 1);
    /* An image beside a guest that runs is the past. */
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED_EVENTS);
    fixture_end_daemon(fixture, SIGKILL);
    g_assert_true(g_file_set_contents(image, "x", 1, NULL));
    fixture_start_daemon(fixture);
    g_assert_false(saved_has_managed(fixture, path));
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
}

/* An undefine that was cut short did not take its image, and one that was not cut short leaves none. */
static void
test_undefine_cut_short(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *image = NULL, *leaving = NULL, *definition = NULL;

    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    image = managed_path(fixture);
    leaving = g_strconcat(image, ".leaving", NULL);
    fixture_end_daemon(fixture, SIGKILL);
    g_assert_no_errno(g_rename(image, leaving));
    fixture_start_daemon(fixture);
    g_assert_true(saved_has_managed(fixture, path));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED_EVENTS);
    managed_save(fixture, path, 0);
    fixture_end_daemon(fixture, SIGKILL);
    definition = only_file(fixture, "config/vmctl/domains");
    g_assert_no_errno(g_unlink(definition));
    g_assert_no_errno(g_rename(image, leaving));
    fixture_start_daemon(fixture);
    g_assert_cmpuint(saved_count(fixture, SAVED_MANAGED), ==, 0);
}

static void
test_documents(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = saved_start(fixture, "");
    g_autofree char *titled = NULL, *live = NULL;
    const char *none = "Requested operation is not valid: domain does not have managed save image";
    const char *xml;
    g_autoptr(GVariant) reply = NULL, done = NULL;

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "ManagedSaveGetXMLDesc", FLAGS(0), NULL, none);
    managed_save(fixture, path, 0);
    fixture_expect_events(fixture, SAVED_EVENTS);
    reply = fixture_call(fixture, path, VMCTL_DOMAIN, "ManagedSaveGetXMLDesc", FLAGS(0), "(s)");
    g_variant_get(reply, "(&s)", &xml);
    titled = saved_edited(xml, "</uuid>", "</uuid><title>Edited</title>");
    done = fixture_call(fixture, path, VMCTL_DOMAIN, "ManagedSaveDefineXML",
                        g_variant_new("(su)", titled, 0), "()");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, RESTORED_EVENTS);
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "<title>Edited</title>"));
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "ManagedSaveDefineXML",
                       g_variant_new("(su)", titled, 0), NULL, none);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/managed-save/there-and-back", test_there_and_back);
    g_test_add_func("/bus/managed-save/removed", test_removed);
    g_test_add_func("/bus/managed-save/damaged", test_damaged);
    g_test_add_func("/bus/managed-save/stuck", test_stuck);
    for (gsize i = 0; i < G_N_ELEMENTS(lost_restores); i++)
        g_test_add_data_func(lost_restores[i].name, &lost_restores[i], test_lost_restore);
    g_test_add_func("/bus/managed-save/stopped-meanwhile", test_stopped_meanwhile);
    g_test_add_func("/bus/managed-save/restore-fails", test_restore_fails);
    g_test_add_func("/bus/managed-save/daemon-killed", test_daemon_ends);
    g_test_add_func("/bus/managed-save/undefine-cut-short", test_undefine_cut_short);
    g_test_add_func("/bus/managed-save/documents", test_documents);
    return g_test_run();
}
