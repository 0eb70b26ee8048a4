/* slow-file: a file whose writes take as long as a test wants: one of a FUSE file system of the test's own, which
 * answers a write when it is told to, as storage that hangs does.
 *
 * It is served by a process, that ends with the test's; the mount is in a namespace that the test's process enters.
 */
#pragma once

#include <glib.h>

typedef struct SlowFile SlowFile;

/* With @data in it; NULL where nothing can be mounted (no right to, or no FUSE). */
SlowFile *slow_file_new(const void *data, gsize size);
void slow_file_free(SlowFile *slow);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SlowFile, slow_file_free)

const char *slow_file_path(const SlowFile *slow);
/* From here on no write is answered; all are, and have reached the file. */
void slow_file_hold(SlowFile *slow);
void slow_file_let_go(SlowFile *slow);
/* How many are waiting for an answer. */
guint slow_file_held(SlowFile *slow);
