#include "cli/cpus.h"

#include "cli/file.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

/* One element around all that stands in the file. */
#define ROOT "file"

#define MODE "/" ROOT "/domainCapabilities/cpu/mode"

static const char *const places[] = {
    "/" ROOT "/cpu",
    "/" ROOT "/domain/cpu",
    "/" ROOT "/capabilities/host/cpu",
    NULL,
};

typedef struct Walk {
    const char *xml;
    gsize at, tag; /* bytes seen; where the tag began that was last seen to begin */
    gsize start;   /* of the CPU's element, */
    gsize inside;  /* and the end of its tag */
    GString *path, *cpu; /* of the element that is open, and of the CPU that it is in; "": none */
    GPtrArray *found;
} Walk;

static gboolean
has_value(const char **names, const char **values, const char *name, const char *value)
{
    for (gsize i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0)
            return strcmp(values[i], value) == 0;
    }
    return FALSE;
}

static void
start_element(GMarkupParseContext *context, const char *element, const char **names,
              const char **values, gpointer data, GError **error)
{
    Walk *walk = data;

    g_string_append_printf(walk->path, "/%s", element);
    if (walk->cpu->len > 0)
        return;
    if (!g_strv_contains(places, walk->path->str) &&
        (strcmp(walk->path->str, MODE) != 0 || !has_value(names, values, "name", "host-model") ||
         !has_value(names, values, "supported", "yes")))
        return;
    g_string_assign(walk->cpu, walk->path->str);
    walk->start = walk->tag;
    walk->inside = walk->at - 1;
}

/* What stands from the end of the start tag on, as a <cpu>. */
static char *
of_mode(const Walk *walk)
{
    g_autofree char *rest = g_strndup(walk->xml + walk->inside, walk->at - walk->inside);
    char *end = g_strrstr(rest, "</");

    if (*rest == '/')
        return g_strdup("<cpu/>");
    *end = '\0';
    return g_strdup_printf("<cpu%s</cpu>", rest);
}

static void
end_element(GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
    Walk *walk = data;

    if (walk->cpu->len > 0 && strcmp(walk->cpu->str, walk->path->str) == 0) {
        g_ptr_array_add(walk->found, strcmp(element, "mode") == 0
                                         ? of_mode(walk)
                                         : g_strndup(walk->xml + walk->start, walk->at - walk->start));
        g_string_truncate(walk->cpu, 0);
    }
    g_string_truncate(walk->path, strrchr(walk->path->str, '/') - walk->path->str);
}

/* Byte by byte, because the parser tells no offsets. */
static gboolean
walk_through(Walk *walk, GError **error)
{
    static const GMarkupParser parser = { start_element, end_element, NULL, NULL, NULL };
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, walk, NULL);
    gboolean good = TRUE;

    for (const char *byte = walk->xml; *byte && good; byte++) {
        if (*byte == '<')
            walk->tag = walk->at;
        walk->at++;
        good = g_markup_parse_context_parse(context, byte, 1, error);
    }
    good = good && g_markup_parse_context_end_parse(context, error);
    g_markup_parse_context_free(context);
    return good;
}

static GPtrArray *
find_all(const char *xml, GError **error)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) path = g_string_new(NULL), cpu = g_string_new(NULL);
    Walk walk = { .xml = xml, .path = path, .cpu = cpu, .found = found };

    return walk_through(&walk, error) ? g_steal_pointer(&found) : NULL;
}

/* There can be one declaration, at the beginning, which may not stand within an element. */
static const char *
behind_declaration(const char *text)
{
    const char *end = g_str_has_prefix(text, "<?xml") ? strstr(text, "?>") : NULL;

    return end ? end + 2 : text;
}

char **
cpus_read(const char *path, GError **error)
{
    g_autofree char *text = file_read_text(path, error), *xml = NULL;
    g_autoptr(GPtrArray) found = NULL;
    g_autoptr(GError) malformed = NULL;

    if (!text)
        return NULL;
    xml = g_strdup_printf("<" ROOT ">%s</" ROOT ">", behind_declaration(text));
    found = find_all(xml, &malformed);
    if (!found) {
        cli_fail(error, "%s: %s", path, malformed->message);
        return NULL;
    }
    if (found->len == 0) {
        cli_fail(error,
                 _("File '%s' does not contain any <cpu> element or valid domain XML, host "
                   "capabilities XML, or domain capabilities XML"),
                 path);
        return NULL;
    }
    g_ptr_array_add(found, NULL);
    return (char **)g_ptr_array_steal(found, NULL);
}
