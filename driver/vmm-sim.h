/* vmm-sim: a VMM that is no process: it answers the contract's verbs within the daemon, from the main context.
 *
 * It has no machine: a guest of its obeys at once. The power button powers it off, a device that is asked to leave
 * is gone, its balloon is as large as it is asked to be. For the driver it is a VMM like any other.
 */
#pragma once

#include <glib.h>

typedef struct VmmSim VmmSim;

/* Serves the connected socket @fd, which it takes over. @exited is called once, from the main context, when what
 * would be a process is over, and after all that it told before; vmm_sim_free() may be called from it. */
VmmSim *vmm_sim_new(int fd, void (*exited)(gpointer data), gpointer data);
/* What killing a process is. */
void vmm_sim_kill(VmmSim *sim);
/* Lets go of it; the guest is forgotten. NULL is allowed. */
void vmm_sim_free(VmmSim *sim);

/* How long its guest has been running, in ns: all of it is the time of the first vCPU. */
guint64 vmm_sim_run_ns(const VmmSim *sim);
