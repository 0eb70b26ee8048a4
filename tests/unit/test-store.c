/* Definitions on disk: what was acknowledged is there, what failed left nothing. */
#include "driver/error.h"
#include "driver/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

typedef struct Fixture {
    char *dir;
    GHashTable *found; /* uuid to text */
} Fixture;

static void
set_up(Fixture *f, gconstpointer unused)
{
    f->dir = g_dir_make_tmp("vmctl-store-XXXXXX", NULL);
    f->found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_remove(path);
}

static void
tear_down(Fixture *f, gconstpointer unused)
{
    remove_tree(f->dir);
    g_free(f->dir);
    g_hash_table_unref(f->found);
}

static void
found(gpointer data, const char *uuid, const StoreStamp *stamp)
{
    Fixture *f = data;
    StoreStamp again;
    char *xml = store_read(f->dir, uuid, NULL);

    g_assert_true(store_stamp(f->dir, uuid, &again));
    g_assert_cmpmem(&again, sizeof(again), stamp, sizeof(*stamp));
    g_hash_table_insert(f->found, g_strdup(uuid), xml);
}

static const char *
load(Fixture *f)
{
    g_autoptr(GError) error = NULL;

    g_hash_table_remove_all(f->found);
    g_assert_true(store_load(f->dir, found, f, &error));
    g_assert_no_error(error);
    return g_hash_table_lookup(f->found, UUID);
}

static char *
path_of(Fixture *f, const char *name)
{
    return g_build_filename(f->dir, "domains", name, NULL);
}

static void
test_save_load_remove(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = path_of(f, UUID ".xml");
    struct stat st;

    g_assert_null(load(f));
    g_assert_true(store_save(f->dir, UUID, "<one/>", &error));
    g_assert_cmpstr(load(f), ==, "<one/>");
    g_assert_true(store_save(f->dir, UUID, "<two/>", &error));
    g_assert_cmpstr(load(f), ==, "<two/>");
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpuint(st.st_mode & 07777, ==, 0600);
    g_assert_true(store_remove(f->dir, UUID, &error));
    g_assert_null(load(f));
    g_assert_true(store_remove(f->dir, UUID, &error)); /* gone is gone */
}

/* What a change that a crash cut short left beside a definition is in no other change's way. */
static void
test_left_behind(Fixture *f, gconstpointer unused)
{
    g_autofree char *left = path_of(f, UUID ".xml" STORE_LEAVING);

    g_assert_true(store_save(f->dir, UUID, "one", NULL));
    g_assert_true(g_file_set_contents(left, "none", -1, NULL));
    g_assert_true(store_save(f->dir, UUID, "two", NULL));
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
    g_assert_cmpstr(load(f), ==, "two");
}

static void
test_autostart(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(store_save(f->dir, UUID, "<one/>", &error));
    g_assert_false(store_autostart(f->dir, UUID));
    g_assert_true(store_set_autostart(f->dir, UUID, TRUE, &error));
    g_assert_true(store_set_autostart(f->dir, UUID, TRUE, &error));
    g_assert_true(store_autostart(f->dir, UUID));
    g_assert_true(store_remove(f->dir, UUID, &error));
    g_assert_false(store_autostart(f->dir, UUID));
}

/* Foreign files are reported and stay; the rest of a cut-short write goes. */
static void
test_foreign(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *foreign = path_of(f, "notes.txt");
    g_autofree char *misnamed = path_of(f, "web.xml");
    g_autofree char *left = path_of(f, UUID ".xml.new");

    g_assert_true(store_save(f->dir, UUID, "<one/>", &error));
    g_assert_true(g_file_set_contents(foreign, "x", -1, NULL));
    g_assert_true(g_file_set_contents(misnamed, "x", -1, NULL));
    g_assert_true(g_file_set_contents(left, "<half", -1, NULL));
    for (int i = 0; i < 2; i++)
        g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*left alone*");
    g_assert_cmpstr(load(f), ==, "<one/>");
    g_test_assert_expected_messages();
    g_assert_cmpuint(g_hash_table_size(f->found), ==, 1);
    g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS));
    g_assert_true(g_file_test(misnamed, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

/* A directory in the way of the temporary file stands for any write that fails. */
static void
test_failed_write(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *obstacle = path_of(f, UUID ".xml.new");

    g_assert_true(store_save(f->dir, UUID, "<one/>", &error));
    g_assert_cmpint(g_mkdir(obstacle, 0700), ==, 0);
    g_assert_false(store_save(f->dir, UUID, "<two/>", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_rmdir(obstacle);
    g_assert_cmpstr(load(f), ==, "<one/>");
}

/* Another name for the definition, which is what a crash leaves that comes before the new one is in its place: removed is
 * removed all the same. */
static void
test_left_and_removed(Fixture *f, gconstpointer unused)
{
    g_autofree char *path = path_of(f, UUID ".xml");
    g_autofree char *left = path_of(f, UUID ".xml" STORE_LEAVING);

    g_assert_true(store_save(f->dir, UUID, "one", NULL));
    g_assert_no_errno(link(path, left));
    g_assert_true(store_remove(f->dir, UUID, NULL));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_assert_null(load(f));
}

/* A directory in the place of the file to come back stands for what a crash left and cannot be unlinked: the error is
 * that of the disk, and not that there is something. */
static void
test_stuck(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *obstacle = path_of(f, UUID ".xml" STORE_LEAVING);

    g_assert_true(store_save(f->dir, UUID, "<one/>", &error));
    g_assert_cmpint(g_mkdir(obstacle, 0700), ==, 0);
    g_assert_false(store_save(f->dir, UUID, "<two/>", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(error->message, g_strerror(EISDIR)));
    g_rmdir(obstacle);
    g_assert_cmpstr(load(f), ==, "<one/>");
    g_clear_error(&error);
    g_assert_true(store_save(f->dir, UUID, "<two/>", &error));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, fn) g_test_add(path, Fixture, NULL, set_up, fn, tear_down)
    ADD("/store/save-load-remove", test_save_load_remove);
    ADD("/store/left-behind", test_left_behind);
    ADD("/store/left-and-removed", test_left_and_removed);
    ADD("/store/autostart", test_autostart);
    ADD("/store/foreign", test_foreign);
    ADD("/store/failed-write", test_failed_write);
    ADD("/store/stuck", test_stuck);
    return g_test_run();
}
