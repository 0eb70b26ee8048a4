/* qcow2-write: how a job writes.
 *
 * A part of a write goes one of these ways:
 *
 *     in place    where the file's clusters are this table's alone
 *     fresh       into clusters that were free: the data, around it zeros where the old contents are that,
 *                 and then, when all this is in the file, the table's entries (in memory; see qcow2-image.h)
 *     by copy     the same for a single cluster whose other bytes have to come along, or that gets zeros
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-job.h"

void write_step(Qcow2Job *job);
/* The next part of a write, or of zeros that have to be written, of at most @size bytes. */
void write_part(Qcow2Job *job, uint64_t size);
