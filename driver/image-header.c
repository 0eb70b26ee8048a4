#include "driver/image-header.h"

#include "driver/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* QEMU's docs/interop/qcow2.txt */
#define QCOW2_MAGIC      0x514649fbu
#define HEADER_SIZE_V2   72
#define HEADER_SIZE_V3   104
#define CLUSTER_BITS_MAX 21
#define NAME_MAX_BYTES   1023
#define EXTENSION_END    0u
#define EXTENSION_FORMAT 0xe2792acau
#define READ_SIZE        65536u /* names lie in the first cluster, behind what is a few hundred bytes */

static const char *const format_words[] = { [IMAGE_RAW] = "raw", [IMAGE_QCOW2] = "qcow2" };

ImageFormat
image_format_from_word(const char *word)
{
    for (guint i = 0; i < G_N_ELEMENTS(format_words); i++) {
        if (strcmp(word, format_words[i]) == 0)
            return i;
    }
    return IMAGE_OTHER;
}

const char *
image_format_word(ImageFormat format)
{
    return format_words[format];
}

void
image_header_clear(ImageHeader *header)
{
    g_free(header->backing);
    g_free(header->backing_format);
}

static guint32
get32(const guint8 *data)
{
    guint32 value;

    memcpy(&value, data, sizeof(value));
    return GUINT32_FROM_BE(value);
}

static guint64
get64(const guint8 *data)
{
    guint64 value;

    memcpy(&value, data, sizeof(value));
    return GUINT64_FROM_BE(value);
}

static gboolean
broken(const char *path, GError **error)
{
    return driver_error(error, VIR_ERR_INTERNAL_ERROR, "the qcow2 header of image '%s' is broken",
                        path);
}

/* A name of @size bytes, the caller's; NULL where there is a NUL in it. */
static char *
take_name(const guint8 *data, gsize size)
{
    return memchr(data, 0, size) ? NULL : g_strndup((const char *)data, size);
}

/* The extensions from @at on: u32 type, u32 length, data up to a multiple of 8 bytes. */
static gboolean
read_extensions(const guint8 *data, gsize size, gsize at, ImageHeader *ret)
{
    while (at + 8 <= size) {
        guint32 type = get32(data + at), length = get32(data + at + 4);

        at += 8;
        if (type == EXTENSION_END)
            return TRUE;
        if (length > size - at)
            return FALSE;
        if (type == EXTENSION_FORMAT && !ret->backing_format) {
            ret->backing_format = take_name(data + at, length);
            if (!ret->backing_format)
                return FALSE;
        }
        at += MIN((length + (gsize)7) / 8 * 8, size - at);
    }
    return TRUE;
}

static gboolean
read_qcow2(const guint8 *data, gsize size, ImageHeader *ret)
{
    guint32 version = get32(data + 4), bits = get32(data + 20), name_size = get32(data + 16);
    guint64 name_at = get64(data + 8);
    gsize header_size = HEADER_SIZE_V2, end;

    if (version >= 3) {
        header_size = size >= HEADER_SIZE_V3 ? get32(data + 100) : 0;
        if (header_size < HEADER_SIZE_V3)
            return FALSE;
    }
    if (bits > CLUSTER_BITS_MAX || name_size > NAME_MAX_BYTES)
        return FALSE;
    end = MIN(size, (gsize)1 << bits);
    if (name_at != 0 && (name_at > end || name_size > end - name_at))
        return FALSE;
    if (header_size > end)
        return FALSE;
    if (name_at != 0 && name_size > 0) {
        ret->backing = take_name(data + name_at, name_size);
        if (!ret->backing)
            return FALSE;
    }
    return read_extensions(data, name_at > header_size ? MIN(name_at, end) : end, header_size, ret);
}

static gssize
read_start(int fd, guint8 *data, gsize size)
{
    gsize done = 0;

    while (done < size) {
        gssize n = pread(fd, data + done, size - done, done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += n;
    }
    return done;
}

gboolean
image_header_read(int fd, const char *path, ImageHeader *ret, GError **error)
{
    g_autofree guint8 *data = g_malloc0(READ_SIZE);
    ImageHeader header = { .format = IMAGE_RAW };
    gssize size = read_start(fd, data, READ_SIZE);

    if (size < 0)
        return driver_error_errno(error, errno, "cannot read header '%s'", path);
    if (size >= HEADER_SIZE_V2 && get32(data) == QCOW2_MAGIC && get32(data + 4) >= 2) {
        header.format = IMAGE_QCOW2;
        header.size = get64(data + 24);
        if (!read_qcow2(data, size, &header)) {
            image_header_clear(&header);
            return broken(path, error);
        }
    }
    *ret = header;
    return TRUE;
}
