#include "driver/save-image.h"

#include "driver/error.h"
#include "driver/store.h"
#include "driver/xml-limits.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
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

/* FALSE leaves errno; what a full disk cuts short is ENOSPC. */
static gboolean
write_at(int fd, const void *bytes, gsize size, guint64 at)
{
    const char *from = bytes;

    while (size > 0) {
        ssize_t n = pwrite(fd, from, size, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? ENOSPC : errno;
            return FALSE;
        }
        from += n;
        size -= n;
        at += n;
    }
    return TRUE;
}

/* FALSE: the file ends before, or cannot be read. */
static gboolean
read_at(int fd, void *bytes, gsize size, guint64 at)
{
    char *to = bytes;

    while (size > 0) {
        ssize_t n = pread(fd, to, size, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return FALSE;
        to += n;
        size -= n;
        at += n;
    }
    return TRUE;
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
    return write_at(fd, image->xml, length, image->at) && fdatasync(fd) == 0 &&
           write_at(fd, &header, sizeof(header), 0);
}

/* Making one */

static gboolean
is_block_device(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

static int
open_new(const char *path, char **ret_temporary, GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    gboolean device = is_block_device(path);
    int fd = device ? open(path, O_RDWR | O_CLOEXEC)
                    : g_mkstemp_full(temporary, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        driver_error_errno(error, errno, "Failed to create file '%s'", path);
    else
        *ret_temporary = device ? NULL : g_steal_pointer(&temporary);
    return fd;
}

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
    int fd = open_new(path, &temporary, error);

    if (fd < 0)
        return -1;
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

gboolean
save_image_publish(const char *temporary, const char *path, GError **error)
{
    if (!temporary)
        return TRUE;
    if (rename(temporary, path) < 0)
        return driver_error_errno(error, errno, "Failed to create file '%s'", path);
    if (store_sync_directory_of(path))
        return TRUE;
    /* Nobody is told of an image that a power cut may take back. */
    driver_error_errno(error, errno, "cannot sync the directory of '%s'", path);
    g_unlink(path);
    return FALSE;
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
    if (read_at(fd, xml, length, GUINT64_FROM_LE(header->xml))) {
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

    if (!read_at(fd, &header, sizeof(header), 0))
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

    return !read_at(fd, &header, sizeof(header), 0) ||
           memcmp(header.magic, UNDONE, sizeof(header.magic)) == 0;
}

/* That the file is long enough for its stream: one that was cut off is refused before a guest is made of it. */
static gboolean
check_length(int fd, const SaveImage *image, GError **error)
{
    guint64 end = image->state + image->size;
    char last;

    return (image->size > 0 && read_at(fd, &last, 1, end - 1)) ||
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

/* A pipe or a terminal would keep the daemon waiting. */
static int
open_file(const char *path, int flags, GError **error)
{
    int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;

    if (fd < 0) {
        driver_error_errno(error, errno, "Failed to open file '%s'", path);
        return -1;
    }
    if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
        return fd;
    driver_error(error, VIR_ERR_OPERATION_FAILED, "'%s' is neither a file nor a block device",
                 path);
    close(fd);
    return -1;
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
