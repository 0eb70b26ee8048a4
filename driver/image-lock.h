/* image-lock: keeps two guests from writing to one image.
 *
 * The locks are those of QEMU and its tools, byte for byte, so that each of them respects the others. They are
 * OFD locks (fcntl(2)): they belong to the open file description, so what the driver locks stays locked in the
 * VMM that gets the descriptor, until the last copy of it is closed.
 */
#pragma once

#include <glib.h>

/* Locks the image open as @fd (for reading at least): against every writer, or, where it is @shareable, those
 * that do not share it themselves. VIR_ERR_RESOURCE_BUSY where another process has it; then, and on any other
 * error, @fd holds no lock. @path is for the message. */
gboolean image_lock(int fd, gboolean readonly, gboolean shareable, const char *path, GError **error);
