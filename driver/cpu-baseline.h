/* cpu-baseline: the best CPU that several hosts can give a guest. */
#pragma once

#include <glib.h>

/* virConnectBaselineCPU: the <cpu> of a guest which has what all of @documents have, as capabilities describe a host's;
 * NULL ends them. @flags are of virConnectBaselineCPUFlags. NULL with libvirt's error; the result is for g_free(). */
char *cpu_baseline(const char *const *documents, guint flags, GError **error);
