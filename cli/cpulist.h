/* cpulist: sets of the host's CPUs as people write them, "0-3,^2,5", and as the bus has them, a boolean each. */
#pragma once

#include <glib.h>

/* ab, for @n CPUs, floating; "r" is all of them. NULL with virsh's words where @text is no such list, names
 * none, or one beyond them. */
GVariant *cpulist_parse(const char *text, gsize n, GError **error);
/* "0-3,5". For g_free(). */
char *cpulist_format(GVariant *map);
/* "yy-y" */
char *cpulist_format_letters(GVariant *map);
