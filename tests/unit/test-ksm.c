/* The host's memory parameters, in a directory as the kernel's. */
#include "driver/error.h"
#include "driver/ksm.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <unistd.h>

typedef struct Dir {
    char *path;
} Dir;

static void
put(const Dir *dir, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(dir->path, name, NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
assert_file(const Dir *dir, const char *name, const char *wanted)
{
    g_autofree char *path = g_build_filename(dir->path, name, NULL);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static void
set_up(Dir *dir, gconstpointer data)
{
    dir->path = g_dir_make_tmp("ksm-XXXXXX", NULL);
    g_assert_nonnull(dir->path);
}

static void
tear_down(Dir *dir, gconstpointer data)
{
    g_autoptr(GDir) entries = g_dir_open(dir->path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(entries))) {
        g_autofree char *path = g_build_filename(dir->path, name, NULL);

        g_unlink(path);
    }
    g_rmdir(dir->path);
    g_free(dir->path);
}

static void
test_read(Dir *dir, gconstpointer data)
{
    g_autoptr(GVariant) params = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    g_assert_null(ksm_read(dir->path, &error));
    g_assert_cmpint(error->code, ==, VIR_ERR_OPERATION_UNSUPPORTED);
    put(dir, "pages_to_scan", "100\n");
    put(dir, "pages_sharing", "5000000000\n");
    put(dir, "full_scans", "nonsense\n");
    put(dir, "run", "1\n");
    params = g_variant_ref_sink(ksm_read(dir->path, NULL));
    text = g_variant_print(params, FALSE);
    g_assert_cmpstr(text, ==,
                    "{'shm_pages_to_scan': <uint32 100>, 'shm_pages_sharing': <uint64 5000000000>}");
}

static void
assert_refused(const Dir *dir, const char *text, int code)
{
    g_autoptr(GVariant) params = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
    g_autoptr(GError) error = NULL;

    g_assert_nonnull(params);
    g_assert_false(ksm_write(dir->path, params, &error));
    g_assert_cmpint(error->code, ==, code);
}

static void
test_write(Dir *dir, gconstpointer data)
{
    g_autoptr(GVariant) params = g_variant_ref_sink(g_variant_new_parsed(
        "{'shm_pages_to_scan': <uint32 7>, 'shm_sleep_millisecs': <uint32 4000000000>}"));
    g_autoptr(GError) error = NULL;

    put(dir, "pages_to_scan", "1");
    put(dir, "sleep_millisecs", "20");
    assert_refused(dir, "{'shm_pages_to_scan': <uint64 7>}", VIR_ERR_INVALID_ARG);
    assert_refused(dir, "{'shm_pages_to_scan': <uint32 7>, 'shm_full_scans': <uint64 7>}",
                   VIR_ERR_ARGUMENT_UNSUPPORTED);
    assert_refused(dir, "{'shm_merge_across_nodes': <uint32 0>}", VIR_ERR_SYSTEM_ERROR);
    assert_file(dir, "pages_to_scan", "1");
    g_assert_true(ksm_write(dir->path, params, &error));
    g_assert_no_error(error);
    assert_file(dir, "pages_to_scan", "7");
    assert_file(dir, "sleep_millisecs", "4000000000");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ksm/read", Dir, NULL, set_up, test_read, tear_down);
    g_test_add("/ksm/write", Dir, NULL, set_up, test_write, tear_down);
    return g_test_run();
}
