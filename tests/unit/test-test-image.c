/* The file of a saved simulated guest: what libvirt's test driver writes, byte for byte; all else is refused in its words. */
#include "driver/error.h"
#include "driver/test-image.h"
#include "tests/unit/image-fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XML "<domain type='test'/>"

static void
assert_read(Fixture *f, const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;
    int fd = test_image_open(f->path, &found, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, xml);
    close(fd);
}

static void
assert_refused(Fixture *f, const char *bytes, gsize size, const char *words)
{
    g_autoptr(GError) error = NULL;
    char *found = NULL;

    g_assert_true(g_file_set_contents(f->path, bytes, size, NULL));
    g_assert_cmpint(test_image_open(f->path, &found, &error), ==, -1);
    g_assert_null(found);
    g_assert_nonnull(strstr(error->message, words));
}

static void
test_bytes(Fixture *f, gconstpointer unused)
{
    const int length = strlen(XML);
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    gsize size;

    g_assert_true(test_image_write(f->path, "web", XML, &error));
    g_assert_true(g_file_get_contents(f->path, &bytes, &size, NULL));
    g_assert_cmpuint(size, ==, 15 + sizeof(int) + length);
    g_assert_cmpmem(bytes, 15, "TestGuestMagic", 15);
    g_assert_cmpmem(bytes + 15, sizeof(length), &length, sizeof(length));
    g_assert_cmpmem(bytes + 15 + sizeof(int), length, XML, length);
    assert_read(f, XML);
    g_assert_true(test_image_write(f->path, "web", "<another/>", &error));
    assert_read(f, "<another/>");
}

static void
test_refused(Fixture *f, gconstpointer unused)
{
    assert_refused(f, "TestGuest", 9, "incomplete save header in '");
    assert_refused(f, "TestGuestMagiX\0\1\0\0\0a", 20, "internal error: mismatched header magic");
    assert_refused(f, "TestGuestMagic\0\1", 16, "failed to read metadata length in '");
    assert_refused(f, "TestGuestMagic\0\0\0\0\0", 19, "internal error: length of metadata out of range");
    assert_refused(f, "TestGuestMagic\0\xff\xff\xff\xff", 19,
                   "internal error: length of metadata out of range");
    assert_refused(f, "TestGuestMagic\0\xff\xff\xff\x7f", 19,
                   "internal error: length of metadata out of range");
    assert_refused(f, "TestGuestMagic\0\2\0\0\0a", 20, "incomplete metadata in '");
}

/* A pipe is no place to keep a guest in, and stays what it is. */
static void
test_no_file(Fixture *f, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    struct stat st;

    g_assert_no_errno(mkfifo(f->path, 0600));
    g_assert_false(test_image_write(f->path, "web", XML, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(error->message, "saving domain 'web' to '"));
    g_assert_no_errno(lstat(f->path, &st));
    g_assert_true(S_ISFIFO(st.st_mode));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/test-image/bytes", Fixture, NULL, image_set_up, test_bytes, image_tear_down);
    g_test_add("/test-image/refused", Fixture, NULL, image_set_up, test_refused, image_tear_down);
    g_test_add("/test-image/no-file", Fixture, NULL, image_set_up, test_no_file, image_tear_down);
    return g_test_run();
}
