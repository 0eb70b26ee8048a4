#include "cli/document.h"

#include <string.h>

typedef struct Search {
    const char *path, *attribute;
    const char *value; /* that the attribute has to have; NULL: any */
    GString *at;   /* where the parser is: "domain/devices/console" */
    GString *text; /* collects while inside the element */
    char *found;
} Search;

static void
start_element(GMarkupParseContext *context, const char *element, const char **names,
              const char **values, gpointer data, GError **error)
{
    Search *search = data;

    if (search->at->len)
        g_string_append_c(search->at, '/');
    g_string_append(search->at, element);
    if (search->found || strcmp(search->at->str, search->path) != 0)
        return;
    if (!search->attribute)
        search->text = g_string_new(NULL);
    for (gsize i = 0; search->attribute && names[i]; i++)
        if (!search->found && strcmp(names[i], search->attribute) == 0 &&
            (!search->value || strcmp(values[i], search->value) == 0))
            search->found = g_strdup(values[i]);
}

static void
end_element(GMarkupParseContext *context, const char *element, gpointer data, GError **error)
{
    Search *search = data;
    const char *slash = strrchr(search->at->str, '/');

    if (search->text && strcmp(search->at->str, search->path) == 0)
        search->found = g_string_free(g_steal_pointer(&search->text), FALSE);
    g_string_truncate(search->at, slash ? (gsize)(slash - search->at->str) : 0);
}

static void
take_text(GMarkupParseContext *context, const char *text, gsize length, gpointer data,
          GError **error)
{
    Search *search = data;

    if (search->text && strcmp(search->at->str, search->path) == 0)
        g_string_append_len(search->text, text, (gssize)length);
}

static char *
find(const char *xml, const char *path, const char *attribute, const char *value)
{
    static const GMarkupParser parser = { start_element, end_element, take_text, NULL, NULL };
    Search search = {
        .path = path, .attribute = attribute, .value = value, .at = g_string_new(NULL)
    };
    GMarkupParseContext *context =
        g_markup_parse_context_new(&parser, G_MARKUP_TREAT_CDATA_AS_TEXT, &search, NULL);

    /* A document that breaks off says what stood before the break. */
    g_markup_parse_context_parse(context, xml, -1, NULL);
    g_markup_parse_context_free(context);
    g_string_free(search.at, TRUE);
    if (search.text)
        g_string_free(search.text, TRUE);
    return search.found;
}

char *
document_find(const char *xml, const char *path, const char *attribute)
{
    return find(xml, path, attribute, NULL);
}

gboolean
document_has(const char *xml, const char *path, const char *attribute, const char *value)
{
    g_autofree char *found = find(xml, path, attribute, value);

    return found != NULL;
}
