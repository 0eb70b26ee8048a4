/* machine-job: a guest is saved, or restored, while its driver is served: the hardware's side of it in the main
 * thread, the stream in another (state-job.h). */
#pragma once

#include "qemu-kvm-backend/hardware.h"
#include "qemu-kvm-backend/loop.h"

typedef struct MachineJob MachineJob;

typedef struct MachineJobOwner {
    /* It is over; takes the event "job-ended" over. machine_job_free() is left to do. */
    void (*ended)(void *data, bool completed, VmmMsg *event);
    void *data;
} MachineJobOwner;

/* Both take @fd, also where they fail; NULL with @err. @hw is halted, and stays so until the end. */
MachineJob *machine_job_save(Loop *loop, Hardware *hw, int fd, const MachineJobOwner *owner,
                             VmmError *err);
MachineJob *machine_job_restore(Loop *loop, Hardware *hw, int fd, const MachineJobOwner *owner,
                                VmmError *err);
void machine_job_free(MachineJob *job);

void machine_job_cancel(MachineJob *job);
/* "save" or "restore", the verb that began it. */
const char *machine_job_name(const MachineJob *job);
/* The keys of "stats". */
void machine_job_stats(const MachineJob *job, VmmMsg *reply);
