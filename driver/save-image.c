#include "driver/save-image.h"

#include "driver/error.h"
#include "driver/image-file.h"
#include "driver/xml-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC     "vmctl-save-image"
#define UNDONE    "vmctl-save-begun" /* instead, until the stream is whole */
#define SUM_SIZE  32
#define ROOM_MORE 65536 /* bytes by which a document may grow */
#define ROOM_MAX  (2 * (guint64)XML_SIZE_MAX)

typedef struct Header {
    char magic[16];
    guint32 version, running;
    guint64 state, size;
    guint64 xml, length, room;
    guint8 xml_sum[SUM_SIZE];
    guint8 sum[SUM_SIZE];
} Header;
G_STATIC_ASSERT(sizeof(Header) == 128);

void
save_image_clear(SaveImage *image)
{
    g_clear_pointer(&image->xml, g_free);
}

/* SHA-256 */
static void
sum_of(const void *bytes, gsize size, guint8 ret[SUM_SIZE])
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize length = SUM_SIZE;

    g_checksum_update(checksum, bytes, size);
    g_checksum_get_digest(checksum, ret, &length);
}

/* The header and the document of @image, the document first. */
static gboolean
write_head(int fd, const SaveImage *image, const char *magic)
{
    gsize length = strlen(image->xml);
    Header header = {
        .version = GUINT32_TO_LE(SAVE_IMAGE_VERSION),
        .running = GUINT32_TO_LE(image->running ? 1 : 0),
        .state = GUINT64_TO_LE(image->state),
        .size = GUINT64_TO_LE(image->size),
        .xml = GUINT64_TO_LE(image->at),
        .length = GUINT64_TO_LE(length),
        .room = GUINT64_TO_LE(image->room),
    };

    memcpy(header.magic, magic, sizeof(header.magic));
    sum_of(image->xml, length, header.xml_sum);
    sum_of(&header, G_STRUCT_OFFSET(Header, sum), header.sum);
    return image_file_write(fd, image->xml, length, image->at) && fdatasync(fd) == 0 &&
           image_file_write(fd, &header, sizeof(header), 0);
}

/* Making one */

int
save_image_begin(const char *path, const char *xml, char **ret_temporary, GError **error)
{
    guint64 room =
        (strlen(xml) + ROOM_MORE + SAVE_IMAGE_PAGE - 1) / SAVE_IMAGE_PAGE * SAVE_IMAGE_PAGE;
    const SaveImage image = {
        .xml = (char *)xml,
        .at = SAVE_IMAGE_PAGE,
        .room = room,
        .state = SAVE_IMAGE_PAGE + 2 * room,
    };
    g_autofree char *temporary = NULL;
    int fd = image_file_create(path, &temporary);

    if (fd < 0) {
        driver_error_errno(error, errno, "Failed to create file '%s'", path);
        return -1;
    }
    if (!write_head(fd, &image, UNDONE) || lseek(fd, image.state, SEEK_SET) < 0) {
        driver_error_errno(error, errno, "failed to write header to domain save file '%s'", path);
        if (temporary)
            g_unlink(temporary);
        close(fd);
        return -1;
    }
    *ret_temporary = g_steal_pointer(&temporary);
    return fd;
}

static gboolean read_head(int fd, const char *magic, SaveImage *ret, GError **error);

gboolean
save_image_seal(int fd, gboolean running, GError **error)
{
    g_auto(SaveImage) image = { 0 };
    off_t end = lseek(fd, 0, SEEK_CUR);

    if (!read_head(fd, UNDONE, &image, error))
        return FALSE;
    image.running = running;
    image.size = end - image.state;
    /* The stream must be there before the header that says so. */
    if (fsync(fd) < 0 || !write_head(fd, &image, MAGIC) || fsync(fd) < 0)
        return driver_error_errno(error, errno, "failed to write header to domain save file");
    return TRUE;
}

/* Reading one */

/* Offsets that lie where this version puts them, so that none can overflow or overlap. */
static gboolean
is_sane(const SaveImage *image, guint64 length)
{
    return image->room > 0 && image->room <= ROOM_MAX && image->room % SAVE_IMAGE_PAGE == 0 &&
           (image->at == SAVE_IMAGE_PAGE || image->at == SAVE_IMAGE_PAGE + image->room) &&
           image->state == SAVE_IMAGE_PAGE + 2 * image->room && length <= image->room &&
           length <= XML_SIZE_MAX && image->size <= G_MAXINT64 - image->state;
}

static gboolean
check_header(const Header *header, GError **error)
{
    guint32 version = GUINT32_FROM_LE(header->version);
    guint8 sum[SUM_SIZE];

    /* First, for nobody knows what else another version has. */
    if (version > SAVE_IMAGE_VERSION || version == 0)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "image version is not supported (%u > %d)", version,
                            SAVE_IMAGE_VERSION);
    sum_of(header, G_STRUCT_OFFSET(Header, sum), sum);
    return memcmp(sum, header->sum, SUM_SIZE) == 0 ||
           driver_error(error, VIR_ERR_OPERATION_FAILED,
                        "invalid save image header: its checksum is wrong");
}

static char *
read_xml(int fd, const Header *header, GError **error)
{
    gsize length = GUINT64_FROM_LE(header->length);
    g_autofree char *xml = g_malloc(length + 1);
    guint8 sum[SUM_SIZE];

    xml[length] = '\0';
    if (image_file_read(fd, xml, length, GUINT64_FROM_LE(header->xml))) {
        sum_of(xml, length, sum);
        if (memcmp(sum, header->xml_sum, SUM_SIZE) == 0 && strlen(xml) == length)
            return g_steal_pointer(&xml);
    }
    driver_error(error, VIR_ERR_OPERATION_FAILED, "failed to read domain XML");
    return NULL;
}

static gboolean
read_rest(int fd, const Header *header, SaveImage *ret, GError **error)
{
    SaveImage image = {
        .running = header->running != 0,
        .state = GUINT64_FROM_LE(header->state),
        .size = GUINT64_FROM_LE(header->size),
        .at = GUINT64_FROM_LE(header->xml),
        .room = GUINT64_FROM_LE(header->room),
    };

    if (!check_header(header, error))
        return FALSE;
    if (!is_sane(&image, GUINT64_FROM_LE(header->length)))
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "invalid save image header: it points where nothing can be");
    image.xml = read_xml(fd, header, error);
    if (!image.xml)
        return FALSE;
    *ret = image;
    return TRUE;
}

static gboolean
read_head(int fd, const char *magic, SaveImage *ret, GError **error)
{
    Header header;

    if (!image_file_read(fd, &header, sizeof(header), 0))
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "failed to read qemu header");
    if (memcmp(header.magic, magic, sizeof(header.magic)) != 0)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            memcmp(header.magic, UNDONE, sizeof(header.magic)) == 0
                                ? "save image is incomplete"
                                : "image magic is incorrect");
    return read_rest(fd, &header, ret, error);
}

/* What libvirt takes for the rest of a save that did not get far. */
static gboolean
is_torn(int fd)
{
    Header header;

    return !image_file_read(fd, &header, sizeof(header), 0) ||
           memcmp(header.magic, UNDONE, sizeof(header.magic)) == 0;
}

/* That the file is long enough for its stream: one that was cut off is refused before a guest is made of it. */
static gboolean
check_length(int fd, const SaveImage *image, GError **error)
{
    guint64 end = image->state + image->size;
    char last;

    return (image->size > 0 && image_file_read(fd, &last, 1, end - 1)) ||
           driver_error(error, VIR_ERR_OPERATION_FAILED, "save image is incomplete");
}

gboolean
save_image_read(int fd, SaveImage *ret, gboolean *ret_torn, GError **error)
{
    g_auto(SaveImage) image = { 0 };

    if (ret_torn)
        *ret_torn = is_torn(fd);
    if (!read_head(fd, MAGIC, &image, error) || !check_length(fd, &image, error))
        return FALSE;
    if (lseek(fd, image.state, SEEK_SET) < 0)
        return driver_error_errno(error, errno, "cannot seek in a save image");
    *ret = image;
    image.xml = NULL;
    return TRUE;
}

static int
open_file(const char *path, int flags, GError **error)
{
    return image_file_open(path, flags, "Failed to open file", error);
}

int
save_image_open(const char *path, SaveImage *ret, gboolean *ret_torn, GError **error)
{
    int fd = open_file(path, O_RDONLY, error);

    if (ret_torn)
        *ret_torn = FALSE;
    if (fd < 0 || save_image_read(fd, ret, ret_torn, error))
        return fd;
    close(fd);
    return -1;
}

static gboolean
rewrite(int fd, const char *path, const char *xml, gboolean running, GError **error)
{
    g_auto(SaveImage) image = { 0 };

    if (!save_image_read(fd, &image, NULL, error))
        return FALSE;
    if (strlen(xml) > image.room)
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "new xml too large to fit in file");
    g_free(image.xml);
    image.xml = g_strdup(xml);
    image.running = running;
    image.at = image.at == SAVE_IMAGE_PAGE ? SAVE_IMAGE_PAGE + image.room : SAVE_IMAGE_PAGE;
    return (write_head(fd, &image, MAGIC) && fdatasync(fd) == 0) ||
           driver_error_errno(error, errno, "failed to write header to domain save file '%s'",
                              path);
}

gboolean
save_image_rewrite(const char *path, const char *xml, gboolean running, GError **error)
{
    int fd = open_file(path, O_RDWR, error);
    gboolean done = fd >= 0 && rewrite(fd, path, xml, running, error);

    if (fd >= 0)
        close(fd);
    return done;
}
