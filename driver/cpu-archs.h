/* cpu-archs: the architectures that libvirt has a name for, and what it knows of their CPUs. */
#pragma once

#include <glib.h>

/* Of those whose machines run here: x86_64 and i686. */
gboolean cpu_arch_is_ours(const char *arch);
gboolean cpu_arch_is_known(const char *arch);
/* virConnectGetCPUModelNames: none where all are accepted. g_strfreev() it; NULL with libvirt's error. */
char **cpu_arch_models(const char *arch, GError **error);
