/* What a daemon that was killed between two steps left, made by hand: the next one goes on from there, and nothing of a guest
 * is lost, nor there twice.
 */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

typedef struct Left {
    Fixture *fixture;
    char *path, *uuid, *image, *used, *temporary;
} Left;

static char *
below(const Left *left, const char *room, const char *suffix)
{
    g_autofree char *name = g_strconcat(left->uuid, suffix, NULL);

    return g_build_filename(left->fixture->dir, room, name, NULL);
}

static char *
guest_file(const Left *left, const char *name)
{
    return g_build_filename(left->fixture->dir, "run", "vmctl", "guests", left->uuid, name, NULL);
}

/* A guest whose daemon has been killed. */
static void
set_up(Left *left, gconstpointer state)
{
    g_autofree char *saves = NULL;
    g_autoptr(GVariant) uuid = NULL;

    left->fixture = fixture_new();
    left->path = fixture_define(left->fixture, "left", "");
    uuid = fixture_get(left->fixture, left->path, DOMAIN, "UUID");
    left->uuid = g_variant_dup_string(uuid, NULL);
    left->image = below(left, "data/vmctl/save", ".save");
    left->used = below(left, "data/vmctl/save", ".save.used");
    left->temporary = below(left, "data/vmctl/save", ".save.A1B2C3");
    saves = g_path_get_dirname(left->image);
    g_assert_cmpint(g_mkdir_with_parents(saves, 0700), ==, 0);
    fixture_do(left->fixture, left->path, "Create", FLAGS(0));
    if (GPOINTER_TO_INT(state) == VIR_DOMAIN_PAUSED)
        fixture_do(left->fixture, left->path, "Suspend", NULL);
    fixture_end_daemon(left->fixture, SIGKILL);
}

static void
tear_down(Left *left, gconstpointer state)
{
    fixture_free(left->fixture);
    g_free(left->path);
    g_free(left->uuid);
    g_free(left->image);
    g_free(left->used);
    g_free(left->temporary);
}

static void
write_file(const char *path, const char *text)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
write_saving(const Left *left, const char *before)
{
    g_autofree char *saving = guest_file(left, "saving");
    g_autofree char *text = g_strconcat(before, left->temporary, NULL);

    write_file(saving, text);
}

/* What the daemon had not come to write, or had written before the guest went on. */
static void
set_status(const Left *left, int state, gboolean from_image)
{
    g_autofree char *path = guest_file(left, "status");
    g_autoptr(GKeyFile) status = g_key_file_new();

    g_assert_true(g_key_file_load_from_file(status, path, G_KEY_FILE_NONE, NULL));
    g_key_file_set_integer(status, "guest", "state", state);
    g_key_file_set_boolean(status, "guest", "from-image", from_image);
    g_assert_true(g_key_file_save_to_file(status, path, NULL));
}

static gboolean
exists(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* It is known to run, and nothing is left to be undone. */
static gboolean
goes_on(Fixture *fixture, gconstpointer data)
{
    const Left *left = data;
    g_autofree char *saving = guest_file(left, "saving");

    return fixture_state(fixture, left->path) == VIR_DOMAIN_RUNNING && !exists(saving) &&
           !exists(left->used);
}

static gboolean
has_image(const Left *left)
{
    g_autoptr(GVariant) reply =
        fixture_call(left->fixture, left->path, DOMAIN, "HasManagedSaveImage", FLAGS(0), "(b)");
    gboolean has;

    g_variant_get(reply, "(b)", &has);
    return has;
}

static void
assert_saved(const Left *left)
{
    fixture_wait(left->fixture, is_off, left->path);
    g_assert_true(has_image(left));
    g_assert_true(exists(left->image));
    g_assert_false(exists(left->used));
    g_assert_cmpuint(fixture_count_guests(left->fixture), ==, 0);
}

static void
assert_running(const Left *left)
{
    fixture_wait(left->fixture, goes_on, left);
    g_assert_false(has_image(left));
    g_assert_false(exists(left->image));
    g_assert_false(exists(left->temporary));
}

/* The image had got its name, and the guest had not been ended. */
static void
test_saved(Left *left, gconstpointer state)
{
    write_file(left->image, "all of the guest");
    write_saving(left, "");
    fixture_start_daemon(left->fixture);
    assert_saved(left);
    fixture_assert_state(left->fixture, left->path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
}

/* What was written of it is gone, and there is no image either: somebody else took it. */
static void
test_taken(Left *left, gconstpointer state)
{
    write_saving(left, "");
    fixture_start_daemon(left->fixture);
    assert_running(left);
}

/* The save had failed, what was written of it was gone, and the guest had not been let go on. */
static void
test_undone(Left *left, gconstpointer state)
{
    write_saving(left, "undone ");
    set_status(left, VIR_DOMAIN_RUNNING, FALSE);
    fixture_start_daemon(left->fixture);
    assert_running(left);
}

/* The guest had been paused for it, which was not written down yet. */
static void
test_paused(Left *left, gconstpointer state)
{
    write_file(left->temporary, "half of the guest");
    write_saving(left, "");
    set_status(left, VIR_DOMAIN_RUNNING, FALSE);
    fixture_start_daemon(left->fixture);
    assert_running(left);
}

/* It had not even been written down that there is a save. What is nobody's stays. */
static void
test_begun(Left *left, gconstpointer state)
{
    g_autofree char *foreign = below(left, "data/vmctl/save", "-notes");

    write_file(foreign, "an administrator's");
    write_file(left->temporary, "nothing of the guest");
    fixture_start_daemon(left->fixture);
    assert_running(left);
    g_assert_true(exists(foreign));
}

/* A guest that had been made of an image, set aside or not, and had not gone on. */
static void
test_not_gone_on(Left *left, gconstpointer state)
{
    write_file(left->used, "all of the guest");
    set_status(left, VIR_DOMAIN_SHUTOFF, TRUE);
    fixture_start_daemon(left->fixture);
    assert_saved(left);
}

static void
test_not_set_aside(Left *left, gconstpointer state)
{
    write_file(left->image, "all of the guest");
    write_file(left->used, "another one, long ago");
    set_status(left, VIR_DOMAIN_PAUSED, TRUE);
    fixture_start_daemon(left->fixture);
    assert_saved(left);
}

/* One that had gone on: its image is a past that its disks have not. */
static void
test_gone_on(Left *left, gconstpointer state)
{
    write_file(left->used, "a past");
    set_status(left, VIR_DOMAIN_PAUSED, TRUE);
    fixture_start_daemon(left->fixture);
    assert_running(left);
}

/* A process that is there cannot be connected to: it is no more and no less than that, and can be ended. */
static void
test_deaf(Left *left, gconstpointer state)
{
    g_autofree char *control = guest_file(left, "control");

    g_assert_cmpint(g_unlink(control), ==, 0);
    fixture_start_daemon(left->fixture);
    g_assert_cmpint(fixture_state(left->fixture, left->path), ==, VIR_DOMAIN_RUNNING);
    fixture_wait_signal(left->fixture, "ControlError ()");
    fixture_do(left->fixture, left->path, "Destroy", FLAGS(0));
    fixture_assert_state(left->fixture, left->path, VIR_DOMAIN_SHUTOFF,
                         VIR_DOMAIN_SHUTOFF_DESTROYED);
    g_assert_cmpuint(fixture_count_guests(left->fixture), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, state, fn) g_test_add(path, Left, GINT_TO_POINTER(state), set_up, fn, tear_down)
    ADD("/bus/recovery/saved", VIR_DOMAIN_PAUSED, test_saved);
    ADD("/bus/recovery/taken", VIR_DOMAIN_RUNNING, test_taken);
    ADD("/bus/recovery/undone", VIR_DOMAIN_PAUSED, test_undone);
    ADD("/bus/recovery/paused", VIR_DOMAIN_PAUSED, test_paused);
    ADD("/bus/recovery/begun", VIR_DOMAIN_RUNNING, test_begun);
    ADD("/bus/recovery/not-gone-on", VIR_DOMAIN_PAUSED, test_not_gone_on);
    ADD("/bus/recovery/not-set-aside", VIR_DOMAIN_PAUSED, test_not_set_aside);
    ADD("/bus/recovery/gone-on", VIR_DOMAIN_RUNNING, test_gone_on);
    ADD("/bus/recovery/deaf", VIR_DOMAIN_RUNNING, test_deaf);
    return g_test_run();
}
