#include "driver/disk-verbs.h"

#include "driver/device-disk.h"
#include "driver/disk.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/verb.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct DiskWish {
    char *disk;
    guint64 value; /* bytes */
} DiskWish;

static void
wish_free(gpointer data)
{
    DiskWish *wish = data;

    g_free(wish->disk);
    g_free(wish);
}

static void
start(const char *job, const Verb *verb, const char *function, guint known, const char *disk,
      guint64 value)
{
    Verb copy = *verb;
    DiskWish *wish = g_new0(DiskWish, 1);

    wish->disk = g_strdup(disk);
    wish->value = value;
    copy.detail = wish;
    copy.detail_free = wish_free;
    verb_start_checked(job, &copy, function, known);
}

static void
tell_threshold(VmmMsg *request, const DiskWish *wish)
{
    vmm_msg_put_u64(request, "threshold", wish->value);
}

static void
tell_resize(VmmMsg *request, const DiskWish *wish)
{
    vmm_msg_put_bool(request, "resize", true);
}

static void
tell_disk(Verb *verb, VmmLink *link, const Disk *disk,
          void (*fill)(VmmMsg *request, const DiskWish *wish))
{
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);

    vmm_msg_put_string(request, "id", disk->dev.alias);
    fill(request, verb->detail);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, verb_answered, verb);
}

/* The disk that the verb means, of the running guest; NULL with the verb finished. */
static const Disk *
live_disk(Verb *verb, const char *text)
{
    const DiskWish *wish = verb->detail;
    const Disk *disk = (const Disk *)device_disk_find(verb->domain->live->devices, wish->disk);
    g_autoptr(GError) error = NULL;

    if (!disk) {
        g_autofree char *detail = g_strdup_printf("%s%s", text, wish->disk);

        driver_error(&error, VIR_ERR_INVALID_ARG, "%s", detail);
        verb_finish(verb, error);
    }
    return disk;
}

/* Resizing */

static gboolean
resize_file(int fd, const Disk *disk, guint64 size, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "cannot stat file '%s'", disk->source);
    if (!S_ISREG(st.st_mode))
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "Cannot grow device files");
    if (size > G_MAXINT64 || ftruncate(fd, size) < 0)
        return driver_error_errno(error, size > G_MAXINT64 ? EFBIG : errno,
                                  "cannot resize '%s', the source of disk '%s'", disk->source,
                                  disk->target);
    return TRUE;
}

static gboolean
resize_image(const Disk *disk, guint64 size, GError **error)
{
    gboolean good;
    int fd;

    if (!disk->source || disk->readonly)
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "disk '%s' cannot be resized",
                            disk->target);
    if (disk->format != IMAGE_RAW)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "images of format '%s' cannot be resized by this machine while a guest "
                            "uses them",
                            image_format_word(disk->format));
    fd = open(disk->source, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return driver_error_errno(error, errno, "Failed to open file '%s'", disk->source);
    good = resize_file(fd, disk, size, error);
    close(fd);
    return good;
}

static void
resize_begin(Verb *verb)
{
    const DiskWish *wish = verb->detail;
    g_autoptr(GError) error = NULL;
    VmmLink *link = verb_link(verb);
    const Disk *disk = link ? live_disk(verb, "invalid path: ") : NULL;

    if (!disk)
        return;
    if (resize_image(disk, wish->value, &error))
        tell_disk(verb, link, disk, tell_resize);
    else
        verb_finish(verb, error);
}

void
domain_block_resize(Domain *domain, const char *disk, guint64 size, guint flags, DomainDone done,
                    gpointer data)
{
    const Verb verb = {
        .domain = domain, .flags = flags, .begin = resize_begin, .done = done, .data = data
    };
    g_autoptr(GError) error = NULL;

    if (!*disk)
        driver_error(&error, VIR_ERR_INVALID_ARG, "empty path");
    else if (!(flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES) && !g_uint64_checked_mul(&size, size, 1024))
        driver_error(&error, VIR_ERR_OVERFLOW, "size must be less than %" G_GUINT64_FORMAT,
                     G_MAXUINT64 / 1024);
    if (error)
        done(data, error);
    else
        start("block-resize", &verb, "virDomainBlockResize", VIR_DOMAIN_BLOCK_RESIZE_BYTES, disk,
              size);
}

/* The threshold */

static void
threshold_begin(Verb *verb)
{
    VmmLink *link = verb_link(verb);
    const Disk *disk = link ? live_disk(verb, "No device found for specified path: ") : NULL;

    if (disk)
        tell_disk(verb, link, disk, tell_threshold);
}

void
domain_set_block_threshold(Domain *domain, const char *disk, guint64 threshold, guint flags,
                           DomainDone done, gpointer data)
{
    const Verb verb = {
        .domain = domain, .flags = flags, .begin = threshold_begin, .done = done, .data = data
    };

    start("set-block-threshold", &verb, "virDomainSetBlockThreshold", 0, disk, threshold);
}

/* Peeking */

static gboolean
read_at(int fd, const char *path, guint8 *data, gsize size, guint64 offset, GError **error)
{
    for (gsize done = 0; done < size;) {
        gssize n = pread(fd, data + done, size - done, offset + done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return driver_error_errno(error, errno, "%s: failed to seek or read", path);
        if (n == 0)
            break;
        done += n;
    }
    return TRUE;
}

GVariant *
domain_block_peek(Domain *domain, const char *name, guint64 offset, guint64 size, guint flags,
                  GError **error)
{
    const Disk *disk = (const Disk *)device_disk_find(domain_def(domain)->devices, name);
    g_autofree guint8 *data = NULL;
    gboolean good;
    int fd;

    if (!driver_check_flags(flags, 0, "virDomainBlockPeek", error))
        return NULL;
    if (!disk || !disk->source) {
        driver_error(error, VIR_ERR_INVALID_ARG, "invalid disk or path '%s'", name);
        return NULL;
    }
    if (size > BLOCK_PEEK_MAX) {
        driver_error(error, VIR_ERR_INVALID_ARG, "size too large for a peek: at most %u bytes",
                     BLOCK_PEEK_MAX);
        return NULL;
    }
    fd = open(disk->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        driver_error_errno(error, errno, "Failed to open file '%s'", disk->source);
        return NULL;
    }
    data = g_malloc0(size);
    good = read_at(fd, disk->source, data, size, MIN(offset, G_MAXINT64 - BLOCK_PEEK_MAX), error);
    close(fd);
    return good ? g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, data, size, 1) : NULL;
}
