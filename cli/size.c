#include "cli/size.h"

#include <string.h>

/* Bytes in one @unit: KiB where there is none; 0: unknown. A letter alone or with "iB" is a power of 1024,
 * with "B" one of 1000, as virsh reads them. */
static guint64
unit_size(const char *unit)
{
    static const char prefixes[] = "kmgtpe";
    const char *prefix = *unit ? strchr(prefixes, g_ascii_tolower(*unit)) : prefixes;
    guint64 size = 1;

    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "bytes") == 0)
        return 1;
    if (!prefix || (*unit && unit[1] && g_ascii_strcasecmp(unit + 1, "B") != 0 &&
                    g_ascii_strcasecmp(unit + 1, "iB") != 0))
        return 0;
    for (const char *at = prefixes; at <= prefix; at++)
        size *= *unit && g_ascii_strcasecmp(unit + 1, "B") == 0 ? 1000 : 1024;
    return size;
}

gboolean
size_parse_kib(const char *text, guint64 *ret_kib)
{
    char *unit;
    guint64 value = g_ascii_strtoull(text, &unit, 10);
    guint64 size = unit_size(unit);

    if (!g_ascii_isdigit(*text) || !size || !g_uint64_checked_mul(&value, value, size))
        return FALSE;
    *ret_kib = value / 1024 + (value % 1024 != 0);
    return TRUE;
}
