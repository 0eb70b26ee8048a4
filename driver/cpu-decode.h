/* cpu-decode: which model describes a set of features best. */
#pragma once

#include "driver/cpu-models.h"

/* The model for @bits among those that have none of the flags @unfit; with CPU_NOT_HOST it has no feature that is
 * missing. Models of another vendor than @vendor do not count; NULL: nobody knows which it is. Those of @processor's
 * family and model come first; NULL: there is none. The result is NULL where nothing fits. */
const CpuModel *cpu_decode(const CpuBits *bits, const char *vendor, const CpuSignature *processor,
                           guint unfit);
