/* Raw images get another size: files, and what fstat() is made to call a block device. */
#include "driver/error.h"
#include "driver/raw-image.h"

#include <glib/gstdio.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((guint64)1 << 20)

/* 0: files are files. */
static guint64 device_size;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg);

int
__wrap_fstat(int fd, struct stat *st)
{
    int result = __real_fstat(fd, st);

    if (device_size)
        st->st_mode = S_IFBLK | 0600;
    return result;
}

int
__wrap_ioctl(int fd, unsigned long request, void *arg)
{
    if (request != BLKGETSIZE64)
        return __real_ioctl(fd, request, arg);
    *(guint64 *)arg = device_size;
    return 0;
}

static char *
image_new(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("raw-XXXXXX", &path, NULL);

    g_assert_no_errno(ftruncate(fd, MIB));
    close(fd);
    return path;
}

static guint64
size_of(const char *path)
{
    struct stat st;

    g_assert_no_errno(stat(path, &st));
    return st.st_size;
}

static void
test_file(void)
{
    g_autofree char *path = image_new();
    g_autoptr(GError) error = NULL;

    raw_image_resize(path, "vda", 2 * MIB, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(size_of(path), ==, 2 * MIB);
    raw_image_resize(path, "vda", MIB / 2, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(size_of(path), ==, MIB / 2);
    g_unlink(path);
}

/* Somebody has made it longer, or it was before: the guest is to see how long it is. */
static void
test_device(void)
{
    g_autofree char *path = image_new();
    g_autoptr(GError) error = NULL;

    device_size = 4 * MIB;
    raw_image_resize(path, "vda", 4 * MIB, &error);
    g_assert_no_error(error);
    raw_image_resize(path, "vda", 3 * MIB, &error);
    g_assert_no_error(error);
    g_assert_false(raw_image_resize(path, "vda", 4 * MIB + 512, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(error->message, ==, "operation failed: Cannot grow device files");
    g_assert_cmpuint(size_of(path), ==, MIB);
    device_size = 0;
    g_unlink(path);
}

static void
test_neither(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(raw_image_resize("/dev/null", "vda", MIB, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpstr(error->message, ==, "operation failed: Resizing this file is not supported");
}

static void
test_failures(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = image_new();

    g_assert_false(raw_image_resize("/nonexistent", "vda", MIB, &error));
    g_assert_cmpstr(error->message, ==, "Failed to open file '/nonexistent': No such file or directory");
    g_clear_error(&error);
    g_assert_false(raw_image_resize(path, "vda", G_MAXINT64, &error));
    g_assert_true(g_str_has_suffix(error->message, "', the source of disk 'vda': File too large"));
    g_unlink(path);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/raw-image/file", test_file);
    g_test_add_func("/raw-image/device", test_device);
    g_test_add_func("/raw-image/neither", test_neither);
    g_test_add_func("/raw-image/failures", test_failures);
    return g_test_run();
}
