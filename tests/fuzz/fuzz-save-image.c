/* A save image of anybody's making: it is refused, or gives a document that is text and a stream that is in the
 * file. Once as it is, and once with the sums that it would need to be believed. */
#include "driver/save-image.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH_AT  48 /* where the header has these */
#define XML_AT     40
#define XML_SUM_AT 64
#define SUM_AT     96
#define SUM_SIZE   32
#define HEADER     (SUM_AT + SUM_SIZE)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
put_sum(const uint8_t *from, size_t size, uint8_t *to)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = SUM_SIZE;

    g_checksum_update(checksum, from, size);
    g_checksum_get_digest(checksum, to, &length);
}

static void
make_believable(uint8_t *bytes, size_t size)
{
    uint64_t at, length;

    if (size < HEADER)
        return;
    memcpy(&at, bytes + XML_AT, sizeof(at));
    memcpy(&length, bytes + LENGTH_AT, sizeof(length));
    if (GUINT64_FROM_LE(at) <= size && GUINT64_FROM_LE(length) <= size - GUINT64_FROM_LE(at))
        put_sum(bytes + GUINT64_FROM_LE(at), GUINT64_FROM_LE(length), bytes + XML_SUM_AT);
    put_sum(bytes, SUM_AT, bytes + SUM_AT);
}

/* One file for all inputs: making and freeing one for each takes longer than reading it. */
static int
file_with(const uint8_t *data, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = memfd_create("image", MFD_CLOEXEC);
    g_assert_cmpint(pwrite(fd, data, size, 0), ==, (ssize_t)size);
    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    g_assert_cmpint(lseek(fd, 0, SEEK_SET), ==, 0);
    return fd;
}

static void
read_image(const uint8_t *data, size_t size)
{
    int fd = file_with(data, size);
    g_autoptr(GError) error = NULL;
    g_auto(SaveImage) image = { 0 };
    gboolean torn;

    if (save_image_read(fd, &image, &torn, &error)) {
        g_assert_false(torn);
        g_assert_cmpuint(strlen(image.xml), <=, image.room);
        g_assert_cmpuint(image.state + image.size, <=, size);
        g_assert_cmpint(lseek(fd, 0, SEEK_CUR), ==, (off_t)image.state);
    } else {
        g_assert_nonnull(error);
        g_assert_null(image.xml);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree uint8_t *copy = g_memdup2(data, size);

    read_image(data, size);
    make_believable(copy, size);
    read_image(copy, size);
    return 0;
}
