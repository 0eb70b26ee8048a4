/* state-job: a guest's state on its way through a descriptor, in a thread of its own, so that the main thread goes on
 * to serve the driver. The guest is paused and nobody else touches its RAM meanwhile.
 *
 * RAM makes most of a stream: sections "ram", each with the guest physical address of a run of pages (u64) and
 * the pages. They are written from RAM and read into it, some megabytes a call; pages of zeroes are left out. */
#pragma once

#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/memory.h"
#include "qemu-kvm-backend/state.h"

#include <sys/types.h>

#define STATE_SECTION_RAM "ram"
#define STATE_SECTION_END "end"

typedef struct StateJob StateJob;

typedef struct StateJobOwner {
    /* Before the first byte is saved, which is worth nothing without what the guest has elsewhere, in @n_outside places:
     * false with @err ends the job. In its thread, for one place after the other, as long as the job is wanted. */
    size_t n_outside;
    bool (*flush)(void *data, size_t i, VmmError *err);
    /* The first section of what is restored, before any RAM: false with @err ends the job. In its thread. */
    bool (*check)(void *data, const StateSection *first, VmmError *err);
    /* It is over, whichever way. In the loop's thread; state_job_free() is what is left to do. */
    void (*ended)(void *data);
    void *data;
} StateJobOwner;

/* Both take @fd, which is made non-blocking: a file, pipe or socket, written or read from where it stands; and
 * @before and @after, what is written around RAM. NULL with @err. */
StateJob *state_job_save(Loop *loop, int fd, Memory *memory, StateOut *before, StateOut *after,
                         const StateJobOwner *owner, VmmError *err);
StateJob *state_job_restore(Loop *loop, int fd, Memory *memory, const StateJobOwner *owner,
                            VmmError *err);
/* Ends the job and waits for its thread, which takes as long as one call of the kernel's, or its owner's. */
void state_job_free(StateJob *job);

/* Asks for the end of the job, which has then failed; @ended comes. */
void state_job_cancel(StateJob *job);

/* How far it is, in bytes: of RAM when saving, of the stream when restoring. @ret_total is 0 where nobody knows. */
typedef struct StateProgress {
    uint64_t done, total;
    uint64_t transferred; /* through the descriptor */
} StateProgress;

StateProgress state_job_progress(const StateJob *job);

/* After @ended. */

/* Whether it has succeeded; else @err, and @ret_cancelled. */
bool state_job_result(const StateJob *job, bool *ret_cancelled, VmmError *err);
/* What was restored, but for RAM, in the order of the stream; NULL past the last. */
const StateSection *state_job_section(const StateJob *job, size_t i);
