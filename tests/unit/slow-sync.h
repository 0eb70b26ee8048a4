/* slow-sync: a host whose disk takes its time, for tests that are linked with --wrap=fdatasync: a sync by that call, which
 * engines of threads make, waits. */
#pragma once

#include <glib.h>

/* From now on. */
void slow_sync_hold(void);
/* Until one waits. */
void slow_sync_await(void);
/* Lets it go on; it has to wait still, for nobody in these tests waits for it as long as it does. */
void slow_sync_release(void);

/* A thread's function, that of a save: has the Device flushed, which succeeds. */
gpointer slow_sync_flush(gpointer dev);
