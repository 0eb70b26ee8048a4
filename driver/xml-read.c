#include "driver/xml-read.h"

#include "driver/error.h"
#include "driver/xml-limits.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

#define CONTEXT_MAX 160 /* bytes of the faulty line that an error shows */

struct XmlDoc {
    xmlDoc *doc;
};

/* What the parser's error callback needs. */
typedef struct Complaint {
    const char *origin;
    char *text; /* of the first fatal error */
} Complaint;

#if LIBXML_VERSION >= 21200
typedef const xmlError *ErrorArg;
#else
typedef xmlError *ErrorArg;
#endif

static gboolean
is_eol(char c)
{
    return c == '\n' || c == '\r';
}

/* The line around @at, and a caret under it. A line can be the whole document, so only what is near
 * the place is shown. */
static char *
describe_place(const char *start, const char *at, const char *end)
{
    const char *from = at, *to = at;
    g_autofree char *line = NULL;
    g_autofree char *shown = NULL;
    g_autofree char *dashes = NULL;

    while (from > start && from == at && is_eol(*from) && is_eol(from[-1]))
        from = --at;
    to = at;
    while (from > start && !is_eol(from[-1]) && at - from < CONTEXT_MAX)
        from--;
    while (to < end && *to && !is_eol(*to) && to - at < CONTEXT_MAX)
        to++;
    line = g_strndup(from, to - from);
    shown = g_utf8_make_valid(line, -1);
    dashes = g_strnfill(at - from, '-');
    return g_strdup_printf("%s\n%s^", shown, dashes);
}

static void
on_error(void *data, ErrorArg err)
{
    xmlParserCtxt *ctxt = data;
    Complaint *complaint = ctxt->_private;
    xmlParserInput *input = ctxt->input;
    g_autofree char *message = NULL;
    g_autofree char *place = NULL;

    if (complaint->text || err->level != XML_ERR_FATAL || !err->message)
        return;
    message = g_utf8_make_valid(err->message, -1);
    place = input ? describe_place((const char *)input->base, (const char *)input->cur,
                                   (const char *)input->end)
                  : g_strdup("^");
    complaint->text = g_strdup_printf("%s:%d: %s%s", complaint->origin, err->line, message, place);
}

/* What is over a limit is told in the form of a parser's error, with the line. */
static gboolean
check_limits(const char *xml, const char *origin, GError **error)
{
    XmlExcess excess;
    g_autofree char *place = NULL;

    if (xml_limits_check(xml, &excess))
        return TRUE;
    place = describe_place(xml, excess.at, xml + strlen(xml));
    return driver_error(error, VIR_ERR_XML_DETAIL, "%s:%u: %s\n%s", origin, excess.line,
                        excess.what, place);
}

static xmlDoc *
parse_text(const char *xml, const char *origin, GError **error)
{
    Complaint complaint = { .origin = origin };
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    xmlDoc *doc;

    if (!ctxt) {
        driver_error(error, VIR_ERR_NO_MEMORY, NULL);
        return NULL;
    }
    ctxt->_private = &complaint;
    ctxt->sax->serror = on_error;
    /* Blanks go as libvirt lets them go: it matters for how <metadata> is laid out. Short texts stay within their nodes:
     * nobody changes one. */
    doc = xmlCtxtReadMemory(ctxt, xml, strlen(xml), NULL, NULL,
                            XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_COMPACT);
    xmlFreeParserCtxt(ctxt);
    xmlResetLastError(); /* it keeps a copy of the last complaint otherwise */
    if (!doc || complaint.text) {
        driver_error(error, VIR_ERR_XML_DETAIL, "%s",
                     complaint.text ? complaint.text : "failed to parse the document");
        g_clear_pointer(&doc, xmlFreeDoc);
    }
    g_free(complaint.text);
    return doc;
}

XmlDoc *
xml_doc_parse(const char *xml, const char *origin, const char *root, GError **error)
{
    const xmlNode *top;
    XmlDoc *doc;

    if (!check_limits(xml, origin, error))
        return NULL;
    doc = g_new0(XmlDoc, 1);
    doc->doc = parse_text(xml, origin, error);
    if (!doc->doc) {
        xml_doc_free(doc);
        return NULL;
    }
    top = xmlDocGetRootElement(doc->doc);
    g_assert(top && !doc->doc->intSubset);
    if (root && !xmlStrEqual(top->name, (const xmlChar *)root)) {
        driver_error(error, VIR_ERR_XML_ERROR, "expecting root element of '%s', not '%s'", root,
                     (const char *)top->name);
        xml_doc_free(doc);
        return NULL;
    }
    return doc;
}

void
xml_doc_free(XmlDoc *doc)
{
    if (!doc)
        return;
    if (doc->doc)
        xmlFreeDoc(doc->doc);
    g_free(doc);
}

XmlNode *
xml_doc_root(const XmlDoc *doc)
{
    return xmlDocGetRootElement(doc->doc);
}

const char *
xml_name(const XmlNode *node)
{
    return (const char *)node->name;
}

const char *
xml_namespace(const XmlNode *node)
{
    return node->ns ? (const char *)node->ns->href : NULL;
}

const char *
xml_prefix(const XmlNode *node)
{
    return node->ns ? (const char *)node->ns->prefix : NULL;
}

static XmlNode *
skip_to_element(xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->next;
    return node;
}

XmlNode *
xml_first(const XmlNode *node)
{
    return skip_to_element(node->children);
}

XmlNode *
xml_next(const XmlNode *node)
{
    return skip_to_element(node->next);
}

static gboolean
is_called(const XmlNode *node, const char *name)
{
    return !node->ns && strcmp(xml_name(node), name) == 0;
}

XmlNode *
xml_child(const XmlNode *node, const char *name)
{
    for (XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (is_called(child, name))
            return child;
    }
    return NULL;
}

guint
xml_count_children(const XmlNode *node, const char *name)
{
    guint n = 0;

    for (XmlNode *child = xml_first(node); child; child = xml_next(child))
        n += is_called(child, name);
    return n;
}

/* libxml2's strings come from its own allocator. */
static char *
take_xml_string(xmlChar *text)
{
    char *copy = g_strdup((const char *)text);

    if (text)
        xmlFree(text);
    return copy;
}

/* What an element or an attribute with the children @first says, where libxml2 has it in one piece, as nearly always;
 * NULL: it has to be put together. */
static const char *
in_one_piece(const xmlNode *first)
{
    if (!first)
        return "";
    if (first->next || (first->type != XML_TEXT_NODE && first->type != XML_CDATA_SECTION_NODE))
        return NULL;
    return first->content ? (const char *)first->content : "";
}

const char *
xml_peek_text(const XmlNode *node, char **ret_own)
{
    const char *piece = in_one_piece(node->children);

    *ret_own = piece ? NULL : take_xml_string(xmlNodeGetContent(node));
    return piece ? piece : *ret_own ? *ret_own : "";
}

char *
xml_text(const XmlNode *node)
{
    char *own;
    const char *text = xml_peek_text(node, &own);

    return own ? own : g_strdup(text);
}

XmlNode *
xml_node_copy(const XmlNode *node)
{
    return xmlDocCopyNode((xmlNode *)node, NULL, 1);
}

void
xml_node_free(XmlNode *node)
{
    if (node)
        xmlFreeNode(node);
}

const char *
xml_peek_child_text(const XmlNode *node, const char *name, char **ret_own)
{
    const XmlNode *child = xml_child(node, name);
    const char *text;

    *ret_own = NULL;
    text = child ? xml_peek_text(child, ret_own) : NULL;
    if (text && *text)
        return text;
    g_clear_pointer(ret_own, g_free);
    return NULL;
}

char *
xml_child_text(const XmlNode *node, const char *name)
{
    char *own = NULL;
    const char *text = xml_peek_child_text(node, name, &own);

    return own ? own : g_strdup(text);
}

/* The attribute's value, as long as the document or *@ret_own is there, which is the caller's; NULL: there is none. */
static const char *
value_of(const XmlNode *node, const xmlAttr *attr, char **ret_own)
{
    const char *piece = attr ? in_one_piece(attr->children) : NULL;

    *ret_own = attr && !piece ? take_xml_string(xmlGetNoNsProp(node, attr->name)) : NULL;
    return piece ? piece : *ret_own;
}

static const xmlAttr *
find_attr(const XmlNode *node, const char *name)
{
    const xmlAttr *attr = node->properties;

    while (attr && (attr->ns || strcmp((const char *)attr->name, name) != 0))
        attr = attr->next;
    return attr;
}

const char *
xml_peek_attr(const XmlNode *node, const char *name, char **ret_own)
{
    return value_of(node, find_attr(node, name), ret_own);
}

char *
xml_attr(const XmlNode *node, const char *name)
{
    char *own;
    const char *value = xml_peek_attr(node, name, &own);

    return own ? own : g_strdup(value);
}

gboolean
xml_has_attr(const XmlNode *node, const char *name)
{
    return find_attr(node, name) != NULL;
}

gboolean
xml_visit_attrs(const XmlNode *node, XmlAttrVisit visit, gpointer data)
{
    for (const xmlAttr *attr = node->properties; attr; attr = attr->next) {
        g_autofree char *own = NULL;

        if (!attr->ns && !visit(data, (const char *)attr->name, value_of(node, attr, &own)))
            return FALSE;
    }
    return TRUE;
}

gboolean
xml_parse_uint64(const char *text, guint64 *ret)
{
    char *end;
    guint64 value;

    if (*text == '+')
        text++;
    if (!g_ascii_isdigit(*text))
        return FALSE;
    errno = 0;
    value = g_ascii_strtoull(text, &end, 10);
    if (errno || *end)
        return FALSE;
    *ret = value;
    return TRUE;
}

static gboolean
fail_missing(const XmlNode *node, const char *name, GError **error)
{
    return driver_error(error, VIR_ERR_XML_ERROR, "Missing required attribute '%s' in element '%s'",
                        name, xml_name(node));
}

static gboolean
fail_number(const XmlNode *node, const char *name, const char *text, GError **error)
{
    return driver_error(error, VIR_ERR_XML_ERROR,
                        "Invalid value for attribute '%s' in element '%s': '%s'. Expected "
                        "non-negative integer value",
                        name, xml_name(node), text);
}

gboolean
xml_attr_uint(const XmlNode *node, const char *name, XmlNeed need, guint *ret, GError **error)
{
    g_autofree char *own = NULL;
    const char *text = xml_peek_attr(node, name, &own);
    guint64 value;

    if (!text)
        return need & XML_REQUIRED ? fail_missing(node, name, error) : TRUE;
    if (!xml_parse_uint64(text, &value) || value > G_MAXUINT)
        return fail_number(node, name, text, error);
    if (value == 0 && need & XML_NONZERO)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value for attribute '%s' in element '%s': Zero is not "
                            "permitted",
                            name, xml_name(node));
    *ret = value;
    return TRUE;
}

gboolean
xml_attr_int(const XmlNode *node, const char *name, XmlNeed need, int *ret, GError **error)
{
    g_autofree char *own = NULL;
    const char *text = xml_peek_attr(node, name, &own);
    const char *expected = NULL;
    gint64 value;
    char *end;

    if (!text)
        return need & XML_REQUIRED ? fail_missing(node, name, error) : TRUE;
    errno = 0;
    value = g_ascii_strtoll(text, &end, 10);
    if (errno || end == text || *end || value < G_MININT || value > G_MAXINT)
        expected = "integer";
    else if (need & XML_NON_NEGATIVE && value < 0)
        expected = "non-negative";
    if (expected)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value for attribute '%s' in element '%s': '%s'. Expected %s "
                            "value",
                            name, xml_name(node), text, expected);
    *ret = value;
    return TRUE;
}

gboolean
xml_attr_number(const XmlNode *node, const char *name, guint *ret, GError **error)
{
    g_autofree char *own = NULL;
    const char *text = xml_peek_attr(node, name, &own);
    guint64 value;
    char *end;

    if (!text)
        return TRUE;
    errno = 0;
    value = g_ascii_strtoull(text, &end, 0);
    if (!g_ascii_isdigit(*text) || *end || errno || value > G_MAXUINT)
        return fail_number(node, name, text, error);
    *ret = value;
    return TRUE;
}

gboolean
xml_attr_word(const XmlNode *node, const char *name, XmlNeed need, const char *const *words,
              int *ret, GError **error)
{
    g_autofree char *own = NULL;
    const char *text = xml_peek_attr(node, name, &own);

    if (!text)
        return need & XML_REQUIRED ? fail_missing(node, name, error) : TRUE;
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *ret = i;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_XML_ERROR,
                        "Invalid value for attribute '%s' in element '%s': '%s'.", name,
                        xml_name(node), text);
}
