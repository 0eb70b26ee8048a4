#include "cli/rate.h"

#include "cli/output.h"

#include <glib/gi18n.h>

const char *const rate_fields[RATE_N_FIELDS] = { "average", "peak", "burst", "floor" };

gboolean
rate_parse(const char *text, guint64 ret[RATE_N_FIELDS], GError **error)
{
    g_auto(GStrv) words = g_strsplit(text, ",", -1);

    if (g_strv_length(words) > RATE_N_FIELDS)
        return cli_fail(error, _("Rate string '%s' has too many fields"), text);
    for (int i = 0; words[i]; i++) {
        if (*words[i] && !g_ascii_string_to_unsigned(words[i], 10, 0, G_MAXUINT64, &ret[i], NULL))
            return cli_fail(error, _("field '%s' is malformed"), rate_fields[i]);
    }
    return TRUE;
}

gboolean
rate_check_inbound(const guint64 rate[RATE_N_FIELDS], GError **error)
{
    return rate[RATE_AVERAGE] || rate[RATE_FLOOR] ||
           cli_fail(error, "%s", _("either inbound average or floor is mandatory"));
}

gboolean
rate_check_outbound(const guint64 rate[RATE_N_FIELDS], GError **error)
{
    if (rate[RATE_FLOOR])
        return cli_fail(error, "%s", _("outbound floor is unsupported yet"));
    return rate[RATE_AVERAGE] || cli_fail(error, "%s", _("outbound average is mandatory"));
}
