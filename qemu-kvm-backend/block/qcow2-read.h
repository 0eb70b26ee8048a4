/* qcow2-read: how a job reads. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-job.h"

void read_step(Qcow2Job *job);
/* Bytes that the backing image has from @offset on, at most @size; behind its end there are zeros. */
uint64_t read_backing_size(const Qcow2 *q, uint64_t offset, uint64_t size);
