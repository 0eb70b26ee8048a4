/* save-recover: what becomes of a save that was under way when the daemon went, by the file that guest-files.h calls
 * "saving": whoever finds the guest again undoes it, and whoever finds it gone tells whether it was saved.
 */
#pragma once

#include "driver/domain-private.h"

/* A save of the guest had been begun, and not come to its end. */
gboolean save_is_under_way(const char *run_dir, const char *uuid);
/* The image of the guest's save has got its name: then the guest has ended, but for its process, and must not go on. */
gboolean save_is_whole(const char *run_dir, const char *uuid);
/* Undoes the save of a guest that still runs; nothing happens where none was under way. Comes again with each "job-ended"
 * that no save of this daemon's waits for. */
void save_recover(Domain *domain);
/* The guest is gone: whether it ended because it had been saved; else what was written of the image goes. */
gboolean save_had_ended(const char *run_dir, const char *uuid);

/* Asks the VMM to end the job that it is at; the event that ends the job tells what came of that. */
void save_ask_cancel(Domain *domain);
