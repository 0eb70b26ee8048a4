#include "cli/markup.h"

void
markup_attribute(GString *xml, const char *name, const char *value)
{
    g_autofree char *escaped = value ? g_markup_escape_text(value, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, " %s='%s'", name, escaped);
}

void
markup_element(GString *xml, const char *element, const char *name, const char *value)
{
    if (!value)
        return;
    g_string_append_printf(xml, "  <%s", element);
    markup_attribute(xml, name, value);
    g_string_append(xml, "/>\n");
}

void
markup_text(GString *xml, const char *element, const char *text)
{
    g_autofree char *escaped = text ? g_markup_escape_text(text, -1) : NULL;

    if (escaped)
        g_string_append_printf(xml, "  <%s>%s</%s>\n", element, escaped, element);
}
