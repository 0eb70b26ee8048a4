/* test-image: the file that a simulated guest is saved in. It is that of libvirt's test driver, byte for byte, so that each
 * restores what the other has saved:
 *
 *     magic    15 bytes "TestGuestMagic" and a zero
 *     length   int      of the machine, the bytes of the document
 *     document          up to the end of the file
 *
 * libvirt reads no document of more than 8192 bytes back; this does. Errors are those of libvirt's test driver.
 */
#pragma once

#include <glib.h>

/* Saves the domain @name, of which @xml tells; durable, and whole or not at all. */
gboolean test_image_write(const char *path, const char *name, const char *xml, GError **error);
/* Writes what such a file begins with to @fd; FALSE with errno. */
gboolean test_image_write_magic(int fd);
/* Opens the image @path: a descriptor, -1 with @error. @ret_xml is its document, for g_free(). */
int test_image_open(const char *path, char **ret_xml, GError **error);
/* The document of what @fd has open, which @path is for messages; NULL with @error. For g_free(). */
char *test_image_read(int fd, const char *path, GError **error);
