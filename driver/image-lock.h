/* image-lock: keeps two guests from writing to one image.
 *
 * The locks are those of QEMU and its tools, byte for byte, so that each of them respects the others. They are
 * OFD locks (fcntl(2)): they belong to the open file description, so what the driver locks stays locked in the
 * VMM that gets the descriptor, until the last copy of it is closed. The kernel closes the copies of a process
 * before anybody hears of its end, but not those that an io_uring has as registered files: it lets go of these
 * some milliseconds later. An image that a ring may get is therefore locked apart, with a descriptor that is
 * good for nothing else.
 *
 * So it is free as soon as its user is gone, though what that one wrote may still be on its way: a direct write that a
 * ring has begun does not keep a process from ending, and reaches slow storage when it does. Whoever opens an image to
 * write claims that on the description that the data goes through, by a byte that neither QEMU nor libvirt locks. The kernel
 * keeps the description for as long as a write of it is under way: a request keeps its ring, and a ring its registered
 * files (io_ring_ctx_free() in io_uring.c); so it keeps that lock too. See image-wait.h.
 */
#pragma once

#include <glib.h>

/* Locks the image open as @fd (for reading at least): against every writer, or, where it is @shareable, those
 * that do not share it themselves. VIR_ERR_RESOURCE_BUSY where another process has it; then, and on any other
 * error, @fd holds no lock. @path is for the message. */
gboolean image_lock(int fd, gboolean readonly, gboolean shareable, const char *path,
                    GError **error);
/* The same for a new open file description of the image, whose descriptor it returns; -1 on error. */
int image_lock_apart(int fd, gboolean readonly, gboolean shareable, const char *path,
                     GError **error);

/* Claims writes through @fd, which is open for them, for as long as any of them is under way. */
gboolean image_claim_writes(int fd, gboolean shareable, const char *path, GError **error);
/* Whether somebody else's may be, who may not be there beside whoever has @fd's image locked like this: that is somebody who
 * is gone. It may be said of one that is idle, for the milliseconds that the kernel takes to clear up behind it. */
gboolean image_has_late_writes(int fd, gboolean readonly, gboolean shareable);
