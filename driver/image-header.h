/* image-header: what an image says about the one behind it.
 *
 * Of a qcow2 image's header only the two names are read here, in the process that may open files; what
 * the tables say is the VMM's to read (qemu-kvm-backend/block/qcow2-header.h), which opens none. The file
 * may be anybody's making.
 */
#pragma once

#include <glib.h>

typedef enum ImageFormat {
    IMAGE_RAW,
    IMAGE_QCOW2,
    IMAGE_OTHER, /* that cannot be opened */
} ImageFormat;

typedef struct ImageHeader {
    ImageFormat format;   /* as its first bytes have it */
    guint64 size;         /* of qcow2: bytes that a guest sees */
    char *backing;        /* of qcow2: as it is written there; NULL: none */
    char *backing_format; /* NULL: not said */
} ImageHeader;

/* Of the file open as @fd, which is @path. False where the header cannot be read or is broken. */
gboolean image_header_read(int fd, const char *path, ImageHeader *ret, GError **error);
void image_header_clear(ImageHeader *header);
/* IMAGE_OTHER where libvirt's word for a format, or an image's, is none of ours. */
ImageFormat image_format_from_word(const char *word);
const char *image_format_word(ImageFormat format);
