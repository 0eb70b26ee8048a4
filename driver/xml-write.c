#include "driver/xml-write.h"

struct XmlWriter {
    GString *text;
    GPtrArray *open;   /* names of the elements around this place, outermost first */
    gboolean tag_open; /* the innermost one's tag still takes attributes */
    gboolean has_text; /* the innermost one holds text: its end follows on the same line */
};

XmlWriter *
xml_writer_new(void)
{
    XmlWriter *out = g_new0(XmlWriter, 1);

    out->text = g_string_new(NULL);
    out->open = g_ptr_array_new();
    return out;
}

char *
xml_writer_finish(XmlWriter *out)
{
    char *text;

    g_assert(out->open->len == 0);
    text = g_string_free(out->text, FALSE);
    g_ptr_array_unref(out->open);
    g_free(out);
    return text;
}

/* Escapes what libvirt escapes. What XML 1.0 cannot carry (2.2, "Characters") is left out. Line
 * ends and tabs in an attribute would come back as spaces (3.3.3), a carriage return anywhere as a
 * line end (2.11), so these are written as references. */
static void
put_escaped(GString *to, const char *text, gboolean in_attr)
{
    for (const char *at = text; *at; at++) {
        switch (*at) {
        case '<':
            g_string_append(to, "&lt;");
            break;
        case '>':
            g_string_append(to, "&gt;");
            break;
        case '&':
            g_string_append(to, "&amp;");
            break;
        case '"':
            g_string_append(to, "&quot;");
            break;
        case '\'':
            g_string_append(to, "&apos;");
            break;
        case '\n':
        case '\t':
            if (!in_attr) {
                g_string_append_c(to, *at);
                break;
            }
            G_GNUC_FALLTHROUGH;
        case '\r':
            g_string_append_printf(to, "&#%d;", *at);
            break;
        default:
            if ((guchar)*at >= ' ')
                g_string_append_c(to, *at);
        }
    }
}

static void
end_tag(XmlWriter *out, const char *end)
{
    if (out->tag_open)
        g_string_append(out->text, end);
    out->tag_open = FALSE;
}

static void
put_indent(XmlWriter *out)
{
    for (guint i = 0; i < out->open->len; i++)
        g_string_append(out->text, "  ");
}

void
xml_open(XmlWriter *out, const char *name)
{
    end_tag(out, ">\n");
    put_indent(out);
    g_string_append_printf(out->text, "<%s", name);
    g_ptr_array_add(out->open, (char *)name);
    out->tag_open = TRUE;
}

void
xml_put_attr(XmlWriter *out, const char *name, const char *value)
{
    g_assert(out->tag_open);
    g_string_append_printf(out->text, " %s='", name);
    put_escaped(out->text, value, TRUE);
    g_string_append_c(out->text, '\'');
}

void
xml_put_attr_uint(XmlWriter *out, const char *name, guint64 value)
{
    g_assert(out->tag_open);
    g_string_append_printf(out->text, " %s='%" G_GUINT64_FORMAT "'", name, value);
}

void
xml_put_text(XmlWriter *out, const char *text)
{
    end_tag(out, ">");
    put_escaped(out->text, text, FALSE);
    out->has_text = TRUE;
}

void
xml_begin_content(XmlWriter *out)
{
    end_tag(out, ">\n");
}

void
xml_close(XmlWriter *out)
{
    const char *name = g_ptr_array_steal_index(out->open, out->open->len - 1);

    if (out->tag_open) {
        end_tag(out, "/>\n");
        return;
    }
    if (!out->has_text)
        put_indent(out);
    g_string_append_printf(out->text, "</%s>\n", name);
    out->has_text = FALSE;
}

void
xml_put_element(XmlWriter *out, const char *name, const char *text)
{
    if (!text)
        return;
    xml_open(out, name);
    xml_put_text(out, text);
    xml_close(out);
}

void
xml_put_raw(XmlWriter *out, const char *xml)
{
    end_tag(out, ">\n");
    put_indent(out);
    g_string_append(out->text, xml);
    g_string_append_c(out->text, '\n');
}
