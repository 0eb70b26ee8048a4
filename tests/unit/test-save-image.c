/* The file of a saved guest: what was published is whole, whatever else is in a file is refused by name. */
#include "driver/error.h"
#include "driver/image-file.h"
#include "driver/save-image.h"
#include "tests/unit/image-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XML    "<domain>the one that ran</domain>"
#define STREAM "what the VMM wrote"

static guint
count_files(Fixture *f)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static void
make(Fixture *f, const char *xml, gboolean running)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *temporary = NULL;
    int fd = save_image_begin(f->path, xml, &temporary, &error);

    g_assert_no_error(error);
    g_assert_nonnull(temporary);
    g_assert_cmpint(write(fd, STREAM, strlen(STREAM)), ==, strlen(STREAM));
    g_assert_true(save_image_seal(fd, running, &error));
    g_assert_true(image_file_publish(temporary, f->path, &error));
    g_assert_no_error(error);
    close(fd);
}

static void
assert_image(Fixture *f, const char *xml, gboolean running)
{
    g_autoptr(GError) error = NULL;
    g_auto(SaveImage) image = { 0 };
    char stream[64] = "";
    gboolean torn = TRUE;
    int fd = save_image_open(f->path, &image, &torn, &error);

    g_assert_no_error(error);
    g_assert_false(torn);
    g_assert_cmpstr(image.xml, ==, xml);
    g_assert_cmpint(image.running, ==, running);
    g_assert_cmpuint(image.size, ==, strlen(STREAM));
    g_assert_cmpint(read(fd, stream, sizeof(stream)), ==, strlen(STREAM));
    g_assert_cmpstr(stream, ==, STREAM);
    close(fd);
}

static void
assert_refused(Fixture *f, gboolean torn, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_auto(SaveImage) image = { 0 };
    gboolean got_torn = !torn;

    g_assert_cmpint(save_image_open(f->path, &image, &got_torn, &error), ==, -1);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(error->message, ==, text);
    g_assert_cmpint(got_torn, ==, torn);
    g_assert_null(image.xml);
}

static void
test_there_and_back(Fixture *f, gconstpointer unused)
{
    struct stat st;

    make(f, XML, TRUE);
    assert_image(f, XML, TRUE);
    g_assert_cmpuint(count_files(f), ==, 1);
    g_assert_no_errno(stat(f->path, &st));
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    make(f, "<domain>another</domain>", FALSE);
    assert_image(f, "<domain>another</domain>", FALSE);
}

/* Until it is sealed and published the old one is there, and the new one is known for what it is. */
static void
test_unfinished(Fixture *f, gconstpointer unused)
{
    g_autofree char *temporary = NULL;
    int fd;

    make(f, XML, TRUE);
    fd = save_image_begin(f->path, XML, &temporary, NULL);
    assert_image(f, XML, TRUE);
    g_assert_no_errno(rename(temporary, f->path));
    assert_refused(f, TRUE, "operation failed: save image is incomplete");
    close(fd);
}

static void
test_rewrite(Fixture *f, gconstpointer unused)
{
    g_autofree char *most = g_strnfill(2 * SAVE_IMAGE_PAGE, ' ');
    g_autofree char *too_much = g_strnfill(40 * SAVE_IMAGE_PAGE, ' ');
    g_autoptr(GError) error = NULL;

    make(f, XML, TRUE);
    g_assert_true(save_image_rewrite(f->path, most, FALSE, &error));
    assert_image(f, most, FALSE);
    g_assert_true(save_image_rewrite(f->path, "<domain/>", TRUE, &error));
    assert_image(f, "<domain/>", TRUE);
    g_assert_false(save_image_rewrite(f->path, too_much, TRUE, &error));
    g_assert_cmpstr(error->message, ==, "operation failed: new xml too large to fit in file");
    assert_image(f, "<domain/>", TRUE);
}

static void
poke(Fixture *f, off_t at, const char *bytes, gsize size)
{
    int fd = open(f->path, O_WRONLY | O_CLOEXEC);

    g_assert_cmpint(pwrite(fd, bytes, size, at), ==, size);
    close(fd);
}

static void
cut(Fixture *f, off_t size)
{
    g_assert_no_errno(truncate(f->path, size));
}

static void
test_damaged(Fixture *f, gconstpointer unused)
{
    struct stat st;

    make(f, XML, TRUE);
    g_assert_no_errno(stat(f->path, &st));
    cut(f, st.st_size - 1);
    assert_refused(f, FALSE, "operation failed: save image is incomplete");
    cut(f, 5000);
    assert_refused(f, FALSE, "operation failed: save image is incomplete");
    cut(f, SAVE_IMAGE_PAGE + 5);
    assert_refused(f, FALSE, "operation failed: failed to read domain XML");
    cut(f, 100);
    assert_refused(f, TRUE, "operation failed: failed to read qemu header");
    cut(f, 0);
    assert_refused(f, TRUE, "operation failed: failed to read qemu header");
    make(f, XML, TRUE);
    poke(f, SAVE_IMAGE_PAGE, "!", 1);
    assert_refused(f, FALSE, "operation failed: failed to read domain XML");
    make(f, XML, TRUE);
    poke(f, 20, "\0", 1);
    assert_refused(f, FALSE, "operation failed: invalid save image header: its checksum is wrong");
    make(f, XML, TRUE);
    poke(f, 16, "\2", 1);
    assert_refused(f, FALSE, "operation failed: image version is not supported (2 > 1)");
    poke(f, 0, "LibvirtQemudSave", 16);
    assert_refused(f, FALSE, "operation failed: image magic is incorrect");
}

static void
test_no_file(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        g_strdup_printf("Failed to open file '%s': No such file or directory", f->path);
    g_autofree char *deep = g_build_filename(f->dir, "nowhere", "image", NULL);
    g_autofree char *temporary = NULL;
    g_auto(SaveImage) image = { 0 };

    g_assert_cmpint(save_image_open(f->path, &image, NULL, &error), ==, -1);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error->message, ==, text);
    g_clear_error(&error);
    g_assert_cmpint(save_image_begin(deep, XML, &temporary, &error), ==, -1);
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_true(g_str_has_prefix(error->message, "Failed to create file '"));
    g_assert_null(temporary);
    g_clear_error(&error);
    /* Opening one of these would wait for somebody at the other end. */
    g_assert_no_errno(mkfifo(f->path, 0600));
    g_assert_cmpint(save_image_open(f->path, &image, NULL, &error), ==, -1);
    g_assert_nonnull(strstr(error->message, "is neither a file nor a block device"));
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *f, gconstpointer unused);
    } tests[] = {
        { "/save-image/there-and-back", test_there_and_back },
        { "/save-image/unfinished", test_unfinished },
        { "/save-image/rewrite", test_rewrite },
        { "/save-image/damaged", test_damaged },
        { "/save-image/no-file", test_no_file },
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, Fixture, NULL, image_set_up, tests[i].run, image_tear_down);
    return g_test_run();
}
