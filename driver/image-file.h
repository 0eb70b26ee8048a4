/* image-file: the file that a guest is saved in, as a file: whoever named it may have named anything.
 *
 * A new one lies beside its path until it is whole, so that a path has a whole one, the one before, or none. A block
 * device is written itself.
 */
#pragma once

#include <glib.h>

/* A new file for @path, open for reading and writing; -1 with errno. @ret_temporary is its name until it is published,
 * NULL where @path is a block device; for g_free(). */
int image_file_create(const char *path, char **ret_temporary);
/* Gives a file that is on the disk its name, for good; errors are libvirt's. Where it fails the temporary one may still be
 * there. */
gboolean image_file_publish(const char *temporary, const char *path, GError **error);
/* Whether the file that image_file_create() had called @temporary has got its name: it is there by that, and not by the other
 * one. */
gboolean image_file_was_published(const char *temporary);
/* Opens a file or a block device with open()'s @flags: -1 with @error, which begins with @what. */
int image_file_open(const char *path, int flags, const char *what, GError **error);

/* All of it, or FALSE. Writing leaves errno: what a full disk cuts short is ENOSPC. Reading sets errno to 0 where the file
 * ends before. */
gboolean image_file_write(int fd, const void *bytes, gsize size, guint64 at);
gboolean image_file_read(int fd, void *bytes, gsize size, guint64 at);
