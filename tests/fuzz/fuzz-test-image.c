/* An image of a simulated guest, of anybody's making: it is refused, or gives a document that was in it. */
#include "driver/test-image.h"

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
    g_autofree char *xml = NULL;

    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    xml = test_image_read(fd, "image", &error);
    if (xml)
        g_assert_cmpuint(strlen(xml), <, size);
    else
        g_assert_nonnull(error);
    close(fd);
    return 0;
}
