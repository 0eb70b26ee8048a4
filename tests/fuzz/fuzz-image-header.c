/* The start of an image of anybody's making, as the driver reads it to find what is behind: it is refused,
 * or gives names that are text. */
#include "driver/image-header.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    g_autoptr(GError) error = NULL;
    ImageHeader header;

    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    if (image_header_read(fd, "image", &header, &error)) {
        g_assert_true(header.format == IMAGE_QCOW2 || !header.backing);
        if (header.backing)
            g_assert_cmpuint(strlen(header.backing), <=, 1023);
        image_header_clear(&header);
    } else {
        g_assert_nonnull(error);
    }
    close(fd);
    return 0;
}
