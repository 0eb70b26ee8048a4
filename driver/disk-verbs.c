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

/* The threshold */

typedef struct ThresholdWish {
    char *disk;
    guint64 threshold; /* bytes */
} ThresholdWish;

static void
wish_free(gpointer data)
{
    ThresholdWish *wish = data;

    g_free(wish->disk);
    g_free(wish);
}

static void
tell_threshold(Verb *verb, VmmLink *link, const Disk *disk)
{
    const ThresholdWish *wish = verb->detail;
    VmmMsg *request = vmm_link_request(link, VMM_TELL_DEVICE);

    vmm_msg_put_string(request, "id", disk->dev.alias);
    vmm_msg_put_u64(request, "threshold", wish->threshold);
    vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, verb_answered, verb);
}

static void
threshold_begin(Verb *verb)
{
    const ThresholdWish *wish = verb->detail;
    VmmLink *link = verb_link(verb);
    g_autoptr(GError) error = NULL;
    const Disk *disk;

    if (!link)
        return;
    disk = (const Disk *)device_disk_find(verb->domain->live->devices, wish->disk);
    if (disk) {
        tell_threshold(verb, link, disk);
        return;
    }
    driver_error(&error, VIR_ERR_INVALID_ARG, "No device found for specified path: %s", wish->disk);
    verb_finish(verb, error);
}

void
domain_set_block_threshold(Domain *domain, const char *disk, guint64 threshold, guint flags,
                           DomainDone done, gpointer data)
{
    ThresholdWish *wish = g_new0(ThresholdWish, 1);
    const Verb verb = {
        .domain = domain,
        .flags = flags,
        .detail = wish,
        .detail_free = wish_free,
        .begin = threshold_begin,
        .done = done,
        .data = data,
    };

    wish->disk = g_strdup(disk);
    wish->threshold = threshold;
    verb_start_checked("set-block-threshold", &verb, "virDomainSetBlockThreshold", 0);
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
