/* qcow2-zero: how a job makes zeros, and discards: of whole clusters the table can say it, if it has a word for that. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-job.h"

void zero_step(Qcow2Job *job);
void discard_step(Qcow2Job *job);
