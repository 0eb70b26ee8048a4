/* size: an amount of memory or of a disk, as virsh reads and writes it. */
#pragma once

#include <glib.h>

/* A number, in KiB or with a unit: a letter alone or with "iB" is a power of 1024, with "B" one of 1000.
 * Rounded up. FALSE where @text is none. */
gboolean size_parse_kib(const char *text, guint64 *ret_kib);
/* The same in bytes, where a number alone is one of @unit bytes. */
gboolean size_parse_bytes(const char *text, guint64 unit, guint64 *ret_bytes);
/* "1.500 GiB", and "1.50 GiB" as virsh has it of pools and volumes; for g_free(). */
char *size_text(guint64 bytes);
char *size_short_text(guint64 bytes);
