/* cpu-compare: whether the host's processor is, or has all of, a CPU that a document describes. */
#pragma once

#include "driver/host-cpu.h"

/* The virCPUCompareResult of the <cpu> in @xml and @host's own processor; VIR_CPU_COMPARE_ERROR with @error for
 * what is no such document. With @must, what is incompatible is an error, too, which says why
 * (VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE). */
int cpu_compare(const HostCpu *host, const char *xml, gboolean must, GError **error);
