/* flags: the flags of a libvirt function. */
#pragma once

#include <glib.h>

/* Refuses flags that @function does not know, in libvirt's words. */
gboolean driver_check_flags(guint flags, guint known, const char *function, GError **error);
/* Flags that exclude each other: those of saving and restoring, those of a peek, and VIR_DOMAIN_AFFECT_LIVE and
 * _CONFIG where one definition is meant; VIR_DOMAIN_VCPU_GUEST with _CONFIG where a guest's vCPUs are set. */
gboolean driver_check_save_flags(guint flags, GError **error);
gboolean driver_check_peek_flags(guint flags, GError **error);
gboolean driver_check_affect_flags(guint flags, GError **error);
gboolean driver_check_vcpu_flags(guint flags, GError **error);
