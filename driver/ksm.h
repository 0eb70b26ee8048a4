/* ksm: what the kernel's merging of equal pages is told and says (admin-guide/mm/ksm.rst), as libvirt's memory
 * parameters of the host.
 */
#pragma once

#include <glib.h>

#define KSM_DIR "/sys/kernel/mm/ksm"

/* a{sv}, floating: those parameters of virNodeGetMemoryParameters that this kernel has a file for in @dir; NULL with
 * @error where there is none. */
GVariant *ksm_read(const char *dir, GError **error);
/* virNodeSetMemoryParameters: none is set where one is wrong. */
gboolean ksm_write(const char *dir, GVariant *params, GError **error);
