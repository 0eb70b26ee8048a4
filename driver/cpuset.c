#include "driver/cpuset.h"

#include "driver/error.h"

#include <string.h>
#include <unistd.h>

typedef struct Range {
    guint first, last;
    gboolean without; /* "^3": not this one */
} Range;

static const char *
read_number(const char *at, guint *ret)
{
    guint64 number = 0;

    if (!g_ascii_isdigit(*at))
        return NULL;
    for (; g_ascii_isdigit(*at); at++) {
        number = number * 10 + (*at - '0');
        if (number >= CPUSET_MAX)
            return NULL;
    }
    *ret = number;
    return at;
}

static const char *
skip_spaces(const char *at)
{
    return at + strspn(at, " \t\n");
}

/* The end of one element of the list, or NULL. */
static const char *
read_range(const char *at, Range *ret)
{
    Range range = { 0 };

    at = skip_spaces(at);
    range.without = *at == '^';
    at = read_number(at + range.without, &range.first);
    if (!at)
        return NULL;
    range.last = range.first;
    if (*at == '-' && !range.without)
        at = read_number(at + 1, &range.last);
    if (!at || range.last < range.first)
        return NULL;
    *ret = range;
    return skip_spaces(at);
}

static void
apply_range(CpuSet *set, const Range *range)
{
    for (guint i = range->first; i <= range->last; i++) {
        if (range->without)
            CPU_CLR(i, &set->cpus);
        else
            CPU_SET(i, &set->cpus);
    }
}

static gboolean
read_list(const char *text, CpuSet *set)
{
    const char *at = text;
    Range range;

    if (!*skip_spaces(text))
        return TRUE;
    while ((at = read_range(at, &range))) {
        apply_range(set, &range);
        if (!*at)
            return TRUE;
        if (*at++ != ',')
            return FALSE;
    }
    return FALSE;
}

gboolean
cpuset_parse(const char *text, CpuSet *ret, GError **error)
{
    CpuSet set = { 0 };

    if (!read_list(text, &set))
        return driver_error(error, VIR_ERR_INVALID_ARG, "Failed to parse bitmap '%s'", text);
    *ret = set;
    return TRUE;
}

char *
cpuset_format(const CpuSet *set)
{
    GString *out = g_string_new(NULL);

    for (guint i = 0; i < CPUSET_MAX; i++) {
        guint first = i;

        if (!CPU_ISSET(i, &set->cpus))
            continue;
        while (i + 1 < CPUSET_MAX && CPU_ISSET(i + 1, &set->cpus))
            i++;
        if (out->len)
            g_string_append_c(out, ',');
        g_string_append_printf(out, "%u", first);
        if (i > first)
            g_string_append_printf(out, "-%u", i);
    }
    return g_string_free(out, FALSE);
}

gboolean
cpuset_is_empty(const CpuSet *set)
{
    return CPU_COUNT(&set->cpus) == 0;
}

gboolean
cpuset_equal(const CpuSet *one, const CpuSet *other)
{
    return CPU_EQUAL(&one->cpus, &other->cpus);
}

guint
cpuset_host_count(void)
{
    return CLAMP(sysconf(_SC_NPROCESSORS_CONF), 1, CPUSET_MAX);
}

CpuSet
cpuset_first(guint n)
{
    CpuSet set = { 0 };

    for (guint i = 0; i < MIN(n, CPUSET_MAX); i++)
        CPU_SET(i, &set.cpus);
    return set;
}

CpuSet
cpuset_host(void)
{
    return cpuset_first(cpuset_host_count());
}

GVariant *
cpuset_to_variant(const CpuSet *set, guint n)
{
    GVariantBuilder map;

    g_variant_builder_init(&map, G_VARIANT_TYPE("ab"));
    for (guint i = 0; i < n; i++)
        g_variant_builder_add(&map, "b", CPU_ISSET(i, &set->cpus) != 0);
    return g_variant_builder_end(&map);
}

CpuSet
cpuset_from_variant(GVariant *map, guint n)
{
    gsize said;
    const guchar *values = g_variant_get_fixed_array(map, &said, 1);
    CpuSet set = { 0 };

    for (gsize i = 0; i < MIN(said, n); i++) {
        if (values[i])
            CPU_SET(i, &set.cpus);
    }
    return set;
}
