/* raw-image: an image of format raw, which is as long as the file or block device that it is in. */
#pragma once

#include <glib.h>

/* Makes that of disk @target at @path at least @size bytes long, and exactly so where it is a file. A device stays as it
 * is, so that one that is too small is an error; errors are QEMU's. */
gboolean raw_image_resize(const char *path, const char *target, guint64 size, GError **error);
