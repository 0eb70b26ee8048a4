/* qcow2-change: what a job needs where it changes the tables, and how its parts end.
 *
 * Where these say that it goes on later, the job makes its step again from the beginning.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-job.h"

/* A part has ended well: the next one's first step, or the request's end, of a file with synchronous writes after a
 * commit. */
void change_end_part(Qcow2Job *job);
/* The next @size bytes of the request need nothing done. */
void change_pass_over(Qcow2Job *job, uint64_t size);
/* Ends with the next commit. */
void flush_step(Qcow2Job *job);

/* Whether the tables may be changed now. False: the job goes on later, or has ended. */
bool change_may_begin(Qcow2Job *job);
/* Counts up to @want free clusters in a row. False: the same. */
bool change_allocate(Qcow2Job *job, uint32_t want, ClusterRun *ret);
/* The slice for the request's next byte, of a table that may be changed. NULL: the same. */
Slice *change_own_slice(Qcow2Job *job);
/* What @entry pointed to, unless it is the cluster at @host, is not used by this table any more, after the next commit;
 * @punch: the host gets its space back. */
void change_free_old(Qcow2 *q, uint64_t entry, uint64_t host, bool punch);
