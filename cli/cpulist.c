#include "cli/cpulist.h"

#include "cli/output.h"

#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#define CPU_MAX 16384 /* more than any kernel has */

/* One element of the list; the end of it, or NULL. */
static const char *
read_range(const char *at, gulong *ret_first, gulong *ret_last)
{
    char *end;

    if (!g_ascii_isdigit(*at))
        return NULL;
    *ret_first = *ret_last = strtoul(at, &end, 10);
    if (*end == '-') {
        if (!g_ascii_isdigit(end[1]))
            return NULL;
        *ret_last = strtoul(end + 1, &end, 10);
    }
    return *ret_last >= *ret_first && *ret_last < CPU_MAX && (!*end || *end == ',') ? end : NULL;
}

/* FALSE where it is no list, or names no CPU. */
static gboolean
read_list(const char *text, GArray *cpus)
{
    gboolean any = FALSE;

    for (const char *at = text; at; at = *at ? at + 1 : NULL) {
        gboolean in = *at != '^';
        gulong first, last;

        at = read_range(in ? at : at + 1, &first, &last);
        if (!at)
            return FALSE;
        if (last >= cpus->len)
            g_array_set_size(cpus, last + 1);
        for (gulong i = first; i <= last; i++)
            g_array_index(cpus, guchar, i) = in;
    }
    for (guint i = 0; i < cpus->len; i++)
        any |= g_array_index(cpus, guchar, i);
    return any;
}

static gboolean
fits(const GArray *cpus, gsize n, const char *text, GError **error)
{
    for (guint i = n; i < cpus->len; i++) {
        if (g_array_index(cpus, guchar, i))
            return cli_fail(error, _("CPU %d in cpulist '%s' exceed the maxcpu %d"), (int)i, text,
                            (int)n);
    }
    return TRUE;
}

GVariant *
cpulist_parse(const char *text, gsize n, GError **error)
{
    g_autoptr(GArray) cpus = g_array_new(FALSE, TRUE, 1);

    if (strcmp(text, "r") == 0) {
        g_array_set_size(cpus, n);
        memset(cpus->data, 1, n);
    } else if (!read_list(text, cpus)) {
        output_error(_("Invalid cpulist '%s'"), text);
        cli_fail(error, _("invalid argument: Failed to parse bitmap '%s'"), text);
        return NULL;
    }
    if (!fits(cpus, n, text, error))
        return NULL;
    g_array_set_size(cpus, n);
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BOOLEAN, cpus->data, n, 1);
}

char *
cpulist_format(GVariant *map)
{
    gsize n;
    const guchar *cpus = g_variant_get_fixed_array(map, &n, 1);
    GString *text = g_string_new(NULL);

    for (gsize i = 0; i < n; i++) {
        gsize first = i;

        if (!cpus[i])
            continue;
        while (i + 1 < n && cpus[i + 1])
            i++;
        g_string_append_printf(text, "%s%zu", text->len ? "," : "", first);
        if (i > first)
            g_string_append_printf(text, "-%zu", i);
    }
    return g_string_free(text, FALSE);
}

char *
cpulist_format_letters(GVariant *map)
{
    gsize n;
    const guchar *cpus = g_variant_get_fixed_array(map, &n, 1);
    char *text = g_malloc0(n + 1);

    for (gsize i = 0; i < n; i++)
        text[i] = cpus[i] ? 'y' : '-';
    return text;
}
