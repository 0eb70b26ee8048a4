#include "driver/xml-limits.h"

#include <string.h>

typedef struct Look {
    const char *at;
    guint depth;
    guint namespaces;
    const char *excess; /* set: over this limit */
} Look;

/* Moves behind the next @mark, or to the end of the text. */
static void
skip_past(Look *look, const char *mark)
{
    const char *found = strstr(look->at, mark);

    look->at = found ? found + strlen(mark) : look->at + strlen(look->at);
}

/* Two hyphens end a comment (XML 1.0, 2.5). libxml2 goes on after two that do not, and copies all of
 * the comment so far into one more complaint each time. */
static void
skip_comment(Look *look)
{
    look->at += strlen("<!--");
    skip_past(look, "--");
    if (*look->at == '>')
        look->at++;
    else if (*look->at)
        look->excess = "two hyphens within a comment";
}

static void
skip_quoted(Look *look)
{
    const char quote = *look->at++;
    const char *end = strchr(look->at, quote);

    look->at = end ? end + 1 : look->at + strlen(look->at);
}

static gboolean
starts_namespace(const char *at)
{
    return g_ascii_isspace(at[-1]) && strncmp(at, "xmlns", strlen("xmlns")) == 0;
}

/* Moves to where something that counts in a tag begins. */
static void
skip_to_mark(Look *look)
{
    static const guint8 marks[256] = { ['\0'] = 1, ['>'] = 1, ['"'] = 1, ['\''] = 1, ['='] = 1, ['x'] = 1 };

    while (!marks[(guchar)*look->at])
        look->at++;
}

/* An element's tag, at its '<'. */
static void
look_at_tag(Look *look)
{
    gboolean closes = look->at[1] == '/';
    guint attributes = 0;

    look->at++;
    for (skip_to_mark(look); *look->at && *look->at != '>' && !look->excess; skip_to_mark(look)) {
        if (*look->at == '"' || *look->at == '\'') {
            skip_quoted(look);
            continue;
        }
        if (starts_namespace(look->at) && ++look->namespaces > XML_NAMESPACES_MAX)
            look->excess = "the document declares too many namespaces";
        else if (*look->at == '=' && ++attributes > XML_ATTRIBUTES_MAX)
            look->excess = "the element has too many attributes";
        else
            look->at++;
    }
    if (closes)
        look->depth -= look->depth > 0;
    else if (look->at[-1] != '/' && ++look->depth > XML_DEPTH_MAX)
        look->excess = "elements are nested too deeply";
}

/* At a '<': whatever it begins. */
static void
look_at_markup(Look *look)
{
    if (look->at[1] != '!' && look->at[1] != '?') {
        look_at_tag(look);
    } else if (g_str_has_prefix(look->at, "<!--")) {
        skip_comment(look);
    } else if (g_str_has_prefix(look->at, "<![CDATA[")) {
        skip_past(look, "]]>");
    } else if (g_str_has_prefix(look->at, "<?")) {
        skip_past(look, "?>");
    } else {
        look->excess = "a document type declaration is not allowed";
    }
}

/* Encodings in which every byte below 128 means what it means in ASCII. */
static gboolean
encoding_contains_ascii(const char *name, gsize length)
{
    g_autofree char *lower = g_ascii_strdown(name, length);

    return strcmp(lower, "utf-8") == 0 || strcmp(lower, "utf8") == 0 ||
           strcmp(lower, "us-ascii") == 0 || strcmp(lower, "ascii") == 0 ||
           g_str_has_prefix(lower, "iso-8859-");
}

/* The name in <?xml ... encoding="NAME"?>, if there is one. */
static gboolean
check_encoding(const char *xml, XmlExcess *ret_excess)
{
    const char *end = g_str_has_prefix(xml, "<?xml") ? strstr(xml, "?>") : NULL;
    const char *name = end ? g_strstr_len(xml, end - xml, "encoding") : NULL;
    gsize length;

    if (!name)
        return TRUE;
    name += strcspn(name, "\"'?");
    if (*name == '?')
        return TRUE;
    length = strcspn(name + 1, "\"'?");
    if (encoding_contains_ascii(name + 1, length))
        return TRUE;
    *ret_excess = (XmlExcess){ "Unsupported encoding", name + 1, 1 };
    return FALSE;
}

/* The parser guesses at an encoding from the first four bytes. Every guess but those that come out
 * as ASCII needs a byte from 128 on there (or a NUL, which ends the text), and no domain document
 * has one. */
static gboolean
check_first_bytes(const char *xml, XmlExcess *ret_excess)
{
    for (gsize i = 0; i < 4 && xml[i]; i++) {
        if ((guchar)xml[i] >= 128) {
            *ret_excess = (XmlExcess){ "Start tag expected, '<' not found", xml, 1 };
            return FALSE;
        }
    }
    return TRUE;
}

static guint
line_of(const char *xml, const char *at)
{
    guint line = 1;

    for (; xml < at; xml++)
        line += *xml == '\n';
    return line;
}

gboolean
xml_limits_check(const char *xml, XmlExcess *ret_excess)
{
    static const char bom[] = "\xef\xbb\xbf";
    const char *start = g_str_has_prefix(xml, bom) ? xml + strlen(bom) : xml;
    Look look = { .at = start };

    if (strnlen(xml, XML_SIZE_MAX + 1) > XML_SIZE_MAX) {
        *ret_excess = (XmlExcess){ "the document is too large", xml, 1 };
        return FALSE;
    }
    if (!check_first_bytes(start, ret_excess) || !check_encoding(start, ret_excess))
        return FALSE;
    while (!look.excess && (look.at = strchr(look.at, '<')))
        look_at_markup(&look);
    if (!look.excess)
        return TRUE;
    *ret_excess = (XmlExcess){ look.excess, look.at, line_of(xml, look.at) };
    return FALSE;
}
