/* xml-read: a document that somebody else wrote, read with care. This, xml-metadata and xml-host know libxml2.
 *
 * Documents are hostile until read: no document type declaration (so no entities but XML's own
 * five), no network, no inclusion, and xml-limits.h's limits on size, depth, attributes and
 * namespaces, checked before libxml2 sees the text. Errors are worded as libvirt words them.
 *
 * Elements and attributes with a namespace are other people's: none of the functions finds them by
 * name, as none of libvirt's expressions does.
 */
#pragma once

#include <glib.h>

typedef struct _xmlNode XmlNode;
typedef struct XmlDoc XmlDoc;

/* Parses @xml; @origin such as "(domain_definition)" begins the error's text. VIR_ERR_XML_DETAIL
 * with the line, its text and a caret where @xml is not well formed or over a limit;
 * VIR_ERR_XML_ERROR where the outermost element is not @root; NULL: any will do. */
XmlDoc *xml_doc_parse(const char *xml, const char *origin, const char *root, GError **error);
void xml_doc_free(XmlDoc *doc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(XmlDoc, xml_doc_free)
XmlNode *xml_doc_root(const XmlDoc *doc);

/* Walking: child elements, in order. */
const char *xml_name(const XmlNode *node);
const char *xml_namespace(const XmlNode *node); /* NULL: none */
const char *xml_prefix(const XmlNode *node);    /* as written, NULL: none */
XmlNode *xml_first(const XmlNode *node);
XmlNode *xml_next(const XmlNode *node);
/* The first child element called @name, or NULL. */
XmlNode *xml_child(const XmlNode *node, const char *name);
guint xml_count_children(const XmlNode *node, const char *name);
/* Calls @visit for each attribute without a namespace, until it returns FALSE; that is returned. */
typedef gboolean (*XmlAttrVisit)(gpointer data, const char *name, const char *value);
gboolean xml_visit_attrs(const XmlNode *node, XmlAttrVisit visit, gpointer data);

/* A copy of the element and all below it, which needs no document. */
XmlNode *xml_node_copy(const XmlNode *node);
void xml_node_free(XmlNode *node);

/* Values, the caller's to free. */
char *xml_text(const XmlNode *node);                         /* all text within; never NULL */
char *xml_child_text(const XmlNode *node, const char *name); /* NULL: no such child, or empty */
char *xml_attr(const XmlNode *node, const char *name);       /* NULL: none */
gboolean xml_has_attr(const XmlNode *node, const char *name);

/* The same, only to look at: they stay the document's where it has the value in one piece, as nearly always, else
 * *@ret_own has them, which is the caller's to free, and NULL otherwise. */
const char *xml_peek_text(const XmlNode *node, char **ret_own);
const char *xml_peek_child_text(const XmlNode *node, const char *name, char **ret_own);
const char *xml_peek_attr(const XmlNode *node, const char *name, char **ret_own);

/* Values of a kind. Without the attribute: TRUE and @ret untouched, unless it is required. */
typedef enum XmlNeed {
    XML_OPTIONAL = 0,
    XML_REQUIRED = 1 << 0,
    XML_NONZERO = 1 << 1,
    XML_NON_NEGATIVE = 1 << 2,
} XmlNeed;
gboolean xml_attr_uint(const XmlNode *node, const char *name, XmlNeed need, guint *ret,
                       GError **error);
/* A number with a sign; only this one knows XML_NON_NEGATIVE. */
gboolean xml_attr_int(const XmlNode *node, const char *name, XmlNeed need, int *ret,
                      GError **error);
/* The same without one, in the notations of C: 16, 0x10 or 020. */
gboolean xml_attr_number(const XmlNode *node, const char *name, guint *ret, GError **error);
/* @ret is the index into @words, which NULL ends. */
gboolean xml_attr_word(const XmlNode *node, const char *name, XmlNeed need,
                       const char *const *words, int *ret, GError **error);
/* A whole number in decimal digits, with nothing behind it; a sign other than + is none. */
gboolean xml_parse_uint64(const char *text, guint64 *ret);
