/* flags: the flags of a libvirt function. */
#pragma once

#include <glib.h>

/* Refuses flags that @function does not know, in libvirt's words. */
gboolean driver_check_flags(guint flags, guint known, const char *function, GError **error);
