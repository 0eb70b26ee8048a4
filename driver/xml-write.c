#include "driver/xml-write.h"

#include <string.h>

/* Most documents' size. Where many domains are defined, many are written: so nothing is left to printf, and little is
 * allocated but the text. */
#define USUAL_SIZE 8192

struct XmlWriter {
    char *text;
    gsize length, size; /* written, and allocated */
    GPtrArray *open;    /* names of the elements around this place, outermost first */
    gboolean tag_open;  /* the innermost one's tag still takes attributes */
    gboolean has_text;  /* the innermost one holds text: its end follows on the same line */
};

XmlWriter *
xml_writer_new(void)
{
    XmlWriter *out = g_new0(XmlWriter, 1);

    out->text = g_malloc(USUAL_SIZE);
    out->size = USUAL_SIZE;
    out->open = g_ptr_array_new();
    return out;
}

/* Room for @n bytes more, which are the caller's to fill. */
static inline char *
add(XmlWriter *out, gsize n)
{
    char *at;

    if (G_UNLIKELY(out->size - out->length < n)) {
        out->size = MAX(out->size * 2, out->length + n);
        out->text = g_realloc(out->text, out->size);
    }
    at = out->text + out->length;
    out->length += n;
    return at;
}

static inline void
put_bytes(XmlWriter *out, const char *bytes, gsize n)
{
    memcpy(add(out, n), bytes, n);
}

static inline void
put(XmlWriter *out, const char *text)
{
    put_bytes(out, text, strlen(text));
}

char *
xml_writer_finish(XmlWriter *out)
{
    char *text;

    g_assert(out->open->len == 0);
    put_bytes(out, "", 1);
    text = g_realloc(out->text, out->length);
    g_ptr_array_unref(out->open);
    g_free(out);
    return text;
}

#define NONCHARACTER      '\xef' /* with which U+FFFE and U+FFFF begin, and others do */
#define NONCHARACTER_SIZE 3

static gboolean
is_noncharacter(const char *at)
{
    return at[0] == NONCHARACTER && at[1] == '\xbf' && (at[2] == '\xbe' || at[2] == '\xbf');
}

/* What stands for the character @at, of a text or of an attribute's value; NULL: itself. libvirt's escapes, and none for
 * what XML 1.0 cannot carry (2.2, "Characters"). Line ends and tabs in an attribute would come back as spaces (3.3.3), a
 * carriage return anywhere as a line end (2.11), so these are references. */
static const char *
reference_for(const char *at, gboolean in_attr)
{
    switch (*at) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\n':
        return in_attr ? "&#10;" : NULL;
    case '\t':
        return in_attr ? "&#9;" : NULL;
    case '\r':
        return "&#13;";
    case NONCHARACTER:
        return is_noncharacter(at) ? "" : NULL;
    default:
        return (guchar)*at < ' ' ? "" : NULL;
    }
}

/* Whether @character may need a reference: one look at a table, for most do not. */
static inline gboolean
is_special(guchar character)
{
    static const guint8 special[256] = {
        [0 ... ' ' - 1] = 1, ['<'] = 1, ['>'] = 1, ['&'] = 1, ['"'] = 1, ['\''] = 1,
        [(guchar)NONCHARACTER] = 1,
    };

    return special[character];
}

static void
put_escaped(XmlWriter *out, const char *text, gboolean in_attr)
{
    const char *plain = text, *at = text; /* from @plain on nothing is written yet, and nothing is to be escaped */

    for (; *at; at++) {
        const char *reference = is_special(*at) ? reference_for(at, in_attr) : NULL;

        if (!reference)
            continue;
        put_bytes(out, plain, at - plain);
        put(out, reference);
        at += *at == NONCHARACTER ? NONCHARACTER_SIZE - 1 : 0;
        plain = at + 1;
    }
    put_bytes(out, plain, at - plain);
}

static void
end_tag(XmlWriter *out, const char *end)
{
    if (out->tag_open)
        put(out, end);
    out->tag_open = FALSE;
}

static void
put_indent(XmlWriter *out)
{
    gsize width = out->open->len * strlen("  ");

    memset(add(out, width), ' ', width);
}

void
xml_open(XmlWriter *out, const char *name)
{
    end_tag(out, ">\n");
    put_indent(out);
    put(out, "<");
    put(out, name);
    g_ptr_array_add(out->open, (char *)name);
    out->tag_open = TRUE;
}

static void
begin_attr(XmlWriter *out, const char *name)
{
    g_assert(out->tag_open);
    put(out, " ");
    put(out, name);
    put(out, "='");
}

void
xml_put_attr(XmlWriter *out, const char *name, const char *value)
{
    begin_attr(out, name);
    put_escaped(out, value, TRUE);
    put(out, "'");
}

/* The digits of @value, at least so many, end before @end; where they begin is the answer. */
static char *
digits_before(char *end, guint base, int at_least, guint64 value)
{
    for (; at_least > 0 || value; at_least--, value /= base)
        *--end = "0123456789abcdef"[value % base];
    return end;
}

void
xml_put_attr_hex(XmlWriter *out, const char *name, int digits, guint value)
{
    char text[16], *end = text + sizeof(text), *at = digits_before(end, 16, digits, value);

    *--at = 'x';
    *--at = '0';
    begin_attr(out, name);
    put_bytes(out, at, end - at);
    put(out, "'");
}

static void
put_uint(XmlWriter *out, guint64 value)
{
    char text[24], *end = text + sizeof(text), *at = digits_before(end, 10, 1, value);

    put_bytes(out, at, end - at);
}

void
xml_put_attr_uint(XmlWriter *out, const char *name, guint64 value)
{
    begin_attr(out, name);
    put_uint(out, value);
    put(out, "'");
}

void
xml_put_text(XmlWriter *out, const char *text)
{
    end_tag(out, ">");
    put_escaped(out, text, FALSE);
    out->has_text = TRUE;
}

void
xml_put_text_uint(XmlWriter *out, guint64 value)
{
    end_tag(out, ">");
    put_uint(out, value);
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
    put(out, "</");
    put(out, name);
    put(out, ">\n");
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
    put(out, xml);
    put(out, "\n");
}
