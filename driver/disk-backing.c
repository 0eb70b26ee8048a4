#include "driver/disk-backing.h"

#include "driver/disk-chain.h"
#include "driver/error.h"

static const char *const type_words[] = { "file", "block", NULL };
static const char *const source_names[] = { "file", "dev" };

static gboolean
parse_format(const XmlNode *node, ImageFormat *ret, GError **error)
{
    const XmlNode *format = xml_child(node, "format");
    g_autofree char *word = format ? xml_attr(format, "type") : NULL;

    if (!word)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing disk backing store format");
    *ret = image_format_from_word(word);
    return *ret != IMAGE_OTHER || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                               "unknown disk backing store format '%s'", word);
}

static gboolean
parse_one(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *source = xml_child(node, "source");
    g_autofree char *path = NULL;
    ImageFormat format = IMAGE_RAW;
    int type = DISK_FILE;

    if (!xml_attr_word(node, "type", XML_REQUIRED, type_words, &type, error) ||
        !parse_format(node, &format, error))
        return FALSE;
    if (!source)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing disk backing store source");
    path = xml_attr(source, source_names[type]);
    if (!path || !*path)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing '%s' of disk backing store source",
                            source_names[type]);
    g_ptr_array_add(disk->backing, disk_backing_new(type, format, path, FALSE));
    return TRUE;
}

/* An element without a type, or with nothing in it, ends the chain. */
gboolean
disk_backing_parse(Disk *disk, const XmlNode *node, GError **error)
{
    disk->backing = g_ptr_array_new_with_free_func((GDestroyNotify)disk_backing_free);
    for (node = xml_child(node, "backingStore"); node; node = xml_child(node, "backingStore")) {
        if (!xml_first(node)) {
            disk->backing_ends = TRUE;
            return TRUE;
        }
        if (!parse_one(disk, node, error))
            return FALSE;
    }
    return TRUE;
}

static void
format_one(const DiskBacking *backing, XmlWriter *out)
{
    xml_put_attr(out, "type", type_words[backing->type]);
    xml_open(out, "format");
    xml_put_attr(out, "type", image_format_word(backing->format));
    xml_close(out);
    xml_open(out, "source");
    xml_put_attr(out, source_names[backing->type], backing->path);
    xml_close(out);
}

void
disk_backing_format(const Disk *disk, XmlWriter *out, guint flags)
{
    gboolean live = (flags & DOMAIN_FORMAT_LIVE) != 0;
    guint n = 0;

    for (; n < disk->backing->len; n++) {
        const DiskBacking *backing = g_ptr_array_index(disk->backing, n);

        if (backing->detected && !live)
            break;
        xml_open(out, "backingStore");
        format_one(backing, out);
    }
    if (disk->backing_ends || (live && disk->backing_end_detected)) {
        xml_open(out, "backingStore");
        xml_close(out);
    }
    while (n-- > 0)
        xml_close(out);
}

gboolean
disk_backing_check(const Disk *disk, GError **error)
{
    if (disk->backing->len > DISK_CHAIN_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "disk '%s' has more than %d images behind it, which this machine does "
                            "not support",
                            disk->target, DISK_CHAIN_MAX);
    for (guint i = 0; i < disk->backing->len; i++) {
        const DiskBacking *before = i > 0 ? g_ptr_array_index(disk->backing, i - 1) : NULL;

        if ((before ? before->format : disk->format) == IMAGE_RAW)
            return driver_error(
                error, VIR_ERR_CONFIG_UNSUPPORTED,
                "a backing store of image '%s', which is raw, is not supported by this "
                "machine",
                before ? before->path : disk->source);
    }
    return TRUE;
}
