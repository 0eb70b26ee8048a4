/* flags: the flags of a libvirt function. */
#pragma once

#include <glib.h>

/* Refuses flags that @function does not know, in libvirt's words. */
gboolean driver_check_flags(guint flags, guint known, const char *function, GError **error);
/* The two flags of saving and restoring that exclude each other. */
gboolean driver_check_save_flags(guint flags, GError **error);
