#include "driver/test-image.h"

#include "driver/error.h"
#include "driver/image-file.h"
#include "driver/xml-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static const char magic[15] = "TestGuestMagic";

#define LENGTH_AT sizeof(magic)
#define XML_AT    (LENGTH_AT + sizeof(int))

gboolean
test_image_write_magic(int fd)
{
    return image_file_write(fd, magic, sizeof(magic), 0);
}

static gboolean
write_image(int fd, const char *xml)
{
    int length = strlen(xml);

    return test_image_write_magic(fd) && image_file_write(fd, &length, sizeof(length), LENGTH_AT) &&
           image_file_write(fd, xml, length, XML_AT) && fsync(fd) == 0;
}

static gboolean
write_and_publish(int fd, const char *temporary, const char *path, const char *name,
                  const char *xml, GError **error)
{
    return write_image(fd, xml) ? image_file_publish(temporary, path, error)
                                : driver_error_errno(error, errno,
                                                     "saving domain '%s' to '%s': write failed",
                                                     name, path);
}

gboolean
test_image_write(const char *path, const char *name, const char *xml, GError **error)
{
    g_autofree char *temporary = NULL;
    int fd = image_file_create(path, &temporary);
    gboolean done;

    if (fd < 0)
        return driver_error_errno(error, errno, "saving domain '%s' to '%s': open failed", name,
                                  path);
    done = write_and_publish(fd, temporary, path, name, xml, error);
    if (!done && temporary)
        g_unlink(temporary);
    close(fd);
    return done;
}

/* The length of the document; 0 with @error. */
static int
read_head(int fd, const char *path, GError **error)
{
    char found[sizeof(magic)];
    int length = 0;

    if (!image_file_read(fd, found, sizeof(found), 0))
        driver_error_errno(error, errno, "incomplete save header in '%s'", path);
    else if (memcmp(found, magic, sizeof(magic)) != 0)
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "mismatched header magic");
    else if (!image_file_read(fd, &length, sizeof(length), LENGTH_AT))
        driver_error_errno(error, errno, "failed to read metadata length in '%s'", path);
    else if (length >= 1 && length <= (int)XML_SIZE_MAX)
        return length;
    else
        driver_error(error, VIR_ERR_INTERNAL_ERROR, "length of metadata out of range");
    return 0;
}

char *
test_image_read(int fd, const char *path, GError **error)
{
    int length = read_head(fd, path, error);
    g_autofree char *xml = NULL;

    if (length == 0)
        return NULL;
    xml = g_malloc0(length + 1);
    if (image_file_read(fd, xml, length, XML_AT))
        return g_steal_pointer(&xml);
    driver_error_errno(error, errno, "incomplete metadata in '%s'", path);
    return NULL;
}

int
test_image_open(const char *path, char **ret_xml, GError **error)
{
    int fd = image_file_open(path, O_RDONLY, "cannot read domain image", error);
    char *xml = fd >= 0 ? test_image_read(fd, path, error) : NULL;

    if (xml) {
        *ret_xml = xml;
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}
