/* size: an amount of memory as virsh reads it. */
#pragma once

#include <glib.h>

/* A number, in KiB or with a unit: a letter alone or with "iB" is a power of 1024, with "B" one of 1000.
 * Rounded up. FALSE where @text is none. */
gboolean size_parse_kib(const char *text, guint64 *ret_kib);
