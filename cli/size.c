#include "cli/size.h"

#include <string.h>

/* Bytes in one @unit; 0: unknown. A letter alone or with "iB" is a power of 1024, with "B" one of 1000, as virsh
 * reads them. */
static guint64
unit_size(const char *unit, guint64 otherwise)
{
    static const char prefixes[] = "kmgtpe";
    const char *prefix = *unit ? strchr(prefixes, g_ascii_tolower(*unit)) : NULL;
    guint64 size = 1;

    if (!*unit)
        return otherwise;
    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "bytes") == 0)
        return 1;
    if (!prefix || (unit[1] && g_ascii_strcasecmp(unit + 1, "B") != 0 &&
                    g_ascii_strcasecmp(unit + 1, "iB") != 0))
        return 0;
    for (const char *at = prefixes; at <= prefix; at++)
        size *= g_ascii_strcasecmp(unit + 1, "B") == 0 ? 1000 : 1024;
    return size;
}

gboolean
size_parse_bytes(const char *text, guint64 unit, guint64 *ret_bytes)
{
    char *rest;
    guint64 value = g_ascii_strtoull(text, &rest, 10);
    guint64 size = unit_size(rest, unit);

    if (!g_ascii_isdigit(*text) || !size || !g_uint64_checked_mul(&value, value, size))
        return FALSE;
    *ret_bytes = value;
    return TRUE;
}

gboolean
size_parse_kib(const char *text, guint64 *ret_kib)
{
    guint64 bytes;

    if (!size_parse_bytes(text, 1024, &bytes))
        return FALSE;
    *ret_kib = bytes / 1024 + (bytes % 1024 != 0);
    return TRUE;
}

static char *
scaled_text(guint64 bytes, int decimals)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = bytes;
    gsize i = 0;

    for (; i + 1 < G_N_ELEMENTS(units) && value >= 1024; i++)
        value /= 1024;
    return g_strdup_printf("%.*f %s", decimals, value, units[i]);
}

char *
size_text(guint64 bytes)
{
    return scaled_text(bytes, 3);
}

char *
size_short_text(guint64 bytes)
{
    return scaled_text(bytes, 2);
}
