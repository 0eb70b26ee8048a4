/* disk-chain: the images of a disk, its own and those behind it, opened and locked.
 *
 * The VMM opens no path, so what an image names as its backing is followed here: by the document's
 * <backingStore> as far as that goes, then by the headers of the images, until one names nothing. A format
 * that a header does not name is guessed only as libvirt guesses it: never where that would lead to yet
 * another file (docs: https://libvirt.org/kbase/backing_chains.html).
 */
#pragma once

#include "driver/disk.h"

#define DISK_CHAIN_MAX                                                                             \
    14 /* images behind a disk's own: their descriptors ride in one message, two each */

/* An image that is open. */
typedef struct DiskFile {
    int fd;
    int lock; /* see image_lock_apart() */
} DiskFile;

/* Opens what is behind @disk's image, which is open as @top for its header to be read, each locked against
 * writers. What headers named is appended to disk->backing as detected. @ret_files gets a DiskFile for each
 * in order, the caller's. */
gboolean disk_chain_open(Disk *disk, int top, int direct, GArray **ret_files, GError **error);
/* Closes them. NULL is allowed. */
void disk_chain_close(GArray *files);

DiskBacking *disk_backing_new(DiskType type, ImageFormat format, const char *path,
                              gboolean detected);
void disk_backing_free(DiskBacking *backing);
GPtrArray *disk_backing_copy(const GPtrArray *backing);
