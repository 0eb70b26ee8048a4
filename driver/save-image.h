/* save-image: the file that a saved guest is kept in.
 *
 * A header of SAVE_IMAGE_PAGE bytes, two places for a document, and the stream that the VMM wrote ("save" in
 * vmm-proto.h; it checks its own). The document says what machine the stream is of: the definition that ran, with
 * its aliases. Numbers are little-endian:
 *
 *     magic         16 bytes "vmctl-save-image"
 *     version       u32      1
 *     running       u32      1: the guest runs when it is restored; 0: it is paused
 *     state, size   u64 each where the stream begins, and its bytes: 0 until it is whole
 *     xml, length   u64 each where the document in force begins, and its bytes
 *     room          u64      bytes of each of the two places
 *     xml-sum       32 bytes SHA-256 of the document
 *     sum           32 bytes SHA-256 of all of the header before it
 *
 * A new document goes into the place that is free, and then the header is written: a power cut leaves one or the
 * other. An image is written beside its path and renamed when it is whole, so a path has a whole one or none.
 *
 * Reading takes nothing for granted: whoever can write the file may have made it. Errors are libvirt's.
 */
#pragma once

#include <glib.h>

#define SAVE_IMAGE_PAGE    4096
#define SAVE_IMAGE_VERSION 1

typedef struct SaveImage {
    char *xml;
    gboolean running;
    guint64 state, size; /* of the stream, in bytes of the file */
    guint64 at, room;    /* of the document */
} SaveImage;
void save_image_clear(SaveImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SaveImage, save_image_clear)

/* Begins an image for @path, with @xml in it: a descriptor that stands where the stream begins, -1 with
 * @error. @ret_temporary is as image_file_create()'s. */
int save_image_begin(const char *path, const char *xml, char **ret_temporary, GError **error);
/* The stream ends where @fd stands: everything is on the disk when this returns, which can take long. */
gboolean save_image_seal(int fd, gboolean running, GError **error);
/* A sealed image gets its name by image_file_publish(). */

/* Opens the image @path: a descriptor that stands where the stream begins, -1 with @error. @ret_torn: it is one
 * that was never finished, and there is nothing in it to lose; may be NULL. */
int save_image_open(const char *path, SaveImage *ret, gboolean *ret_torn, GError **error);
/* The same on what @fd has open. */
gboolean save_image_read(int fd, SaveImage *ret, gboolean *ret_torn, GError **error);
/* Replaces the document and what becomes of the guest; durable. The image must be a whole one. */
gboolean save_image_rewrite(const char *path, const char *xml, gboolean running, GError **error);
