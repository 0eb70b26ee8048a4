/* save-seal: waits, in a thread of its own, until the image of a saved guest is on the disk (save-image.h).
 */
#pragma once

#include <glib.h>

typedef struct SaveSeal SaveSeal;

/* @error is NULL: it is there. The seal is gone after it. */
typedef void (*SaveSealDone)(gpointer data, const GError *error);

/* Does what save_image_seal() does to @fd, which it takes over, and calls @done in the main context. With @bypass_cache
 * nothing of the image stays in the page cache. */
SaveSeal *save_seal_start(int fd, gboolean running, gboolean bypass_cache, SaveSealDone done,
                          gpointer data);
/* Nobody waits any more; the thread comes to its end all the same. NULL: there is none. */
void save_seal_forget(SaveSeal *seal);
