/* image-wait: who is about to use images waits until no write of those who had them before is still on its way.
 *
 * The wait is the main loop's, and has an end: storage may hang for good.
 */
#pragma once

#include <glib.h>

#define IMAGE_WAIT_MS 10000 /* before whoever asked for a guest gives up */

typedef struct ImageWait ImageWait;

ImageWait *image_wait_new(void);
/* Gives up waiting as well. NULL is allowed. */
void image_wait_free(ImageWait *wait);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImageWait, image_wait_free)

/* The image open as @fd, which is locked (see image-lock.h), is one of those; writes through @fd are claimed, unless it is
 * @readonly. */
gboolean image_wait_add(ImageWait *wait, int fd, gboolean readonly, gboolean shareable,
                        const char *path, GError **error);

typedef void (*ImageWaitDone)(gpointer data, const GError *error);
/* Once. @done may come before the return, where there is nothing to wait for, and may free @wait. Its error is
 * VIR_ERR_RESOURCE_BUSY after @timeout_ms. */
void image_wait_begin(ImageWait *wait, guint timeout_ms, ImageWaitDone done, gpointer data);
