#include "driver/xml-metadata.h"

#include "driver/error.h"

#include <libxml/tree.h>
#include <string.h>

#define ORIGIN "(metadata_xml)" /* what libvirt calls an element that came as text */

/* libvirt addresses metadata by namespace: a child without one, or with one that an earlier child
 * has, could never be asked for. */
static void
prune_metadata(xmlNode *metadata)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    for (xmlNode *child = metadata->children, *next; child; child = next) {
        next = child->next;
        if (child->type != XML_ELEMENT_NODE)
            continue;
        if (child->ns && child->ns->href && g_hash_table_add(seen, (char *)child->ns->href))
            continue;
        xmlUnlinkNode(child);
        xmlFreeNode(child);
    }
}

static char *
dump_node(xmlDoc *doc, xmlNode *node, int level)
{
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    xmlNodeDump(buffer, doc, node, level, 1); /* with line breaks */
    text = g_strdup((const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

/* Calls @each for @node and all elements below it. */
static void
for_each_element(xmlNode *node, void (*each)(xmlNode *node, gpointer data), gpointer data)
{
    each(node, data);
    for (xmlNode *child = node->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE)
            for_each_element(child, each, data);
    }
}

static void
find_odd_namespace(xmlNode *node, gpointer data)
{
    const char **ret = data;

    for (const xmlNs *ns = node->nsDef; ns; ns = ns->next) {
        if (ns->href && strpbrk((const char *)ns->href, "&<\t\n\r"))
            *ret = (const char *)ns->href;
    }
}

/* libxml2 writes the name of a namespace as it is, whatever is markup in it or would be read as a blank: such a one would
 * be lost, and all of the document with it. */
static gboolean
check_namespaces(xmlNode *node, GError **error)
{
    const char *odd = NULL;

    for_each_element(node, find_odd_namespace, &odd);
    return !odd || driver_error(error, VIR_ERR_XML_ERROR, "'%s' cannot be the name of a namespace", odd);
}

gboolean
xml_metadata(const XmlNode *node, char **ret, GError **error)
{
    const XmlNode *found = xml_child(node, "metadata");
    xmlNode *copy;
    gboolean ok;

    if (!found)
        return TRUE;
    /* A copy brings along the namespaces that were declared further out. */
    copy = xmlDocCopyNode((xmlNode *)found, found->doc, 1);
    prune_metadata(copy);
    ok = check_namespaces(copy, error);
    if (ok)
        *ret = dump_node(found->doc, copy, 1);
    xmlFreeNode(copy);
    return ok;
}

static gboolean
is_of(const xmlNode *node, const char *uri)
{
    return node->type == XML_ELEMENT_NODE && node->ns && node->ns->href &&
           strcmp((const char *)node->ns->href, uri) == 0;
}

static xmlNode *
find_element(xmlNode *metadata, const char *uri)
{
    xmlNode *child = metadata->children;

    while (child && !is_of(child, uri))
        child = child->next;
    return child;
}

/* What is kept was written here, and can be read. */
static XmlDoc *
parse_kept(const char *metadata)
{
    return xml_doc_parse(metadata ? metadata : "<metadata/>", ORIGIN, "metadata", NULL);
}

static void
leave_namespace(xmlNode *node, gpointer uri)
{
    if (is_of(node, uri))
        node->ns = NULL;
    for (xmlAttr *attr = node->properties; attr; attr = attr->next) {
        if (attr->ns && strcmp((const char *)attr->ns->href, uri) == 0)
            attr->ns = NULL;
    }
}

/* The declarations themselves: nothing refers to them any more. */
static void
drop_declarations(xmlNode *node, gpointer uri)
{
    for (xmlNs **at = &node->nsDef; *at;) {
        xmlNs *ns = *at;

        if (strcmp((const char *)ns->href, uri) != 0) {
            at = &ns->next;
            continue;
        }
        *at = ns->next;
        xmlFreeNs(ns);
    }
}

/* Not each name and prefix of a namespace can be read again. */
static gboolean
can_be_found(const char *metadata, const char *uri)
{
    g_autoptr(XmlDoc) doc = parse_kept(metadata);

    return doc && find_element(xml_doc_root(doc), uri);
}

char *
xml_metadata_get(const char *metadata, const char *uri)
{
    g_autoptr(XmlDoc) doc = parse_kept(metadata);
    xmlNode *found = doc ? find_element(xml_doc_root(doc), uri) : NULL;
    xmlNode *copy;
    char *text;

    if (!found)
        return NULL;
    copy = xmlDocCopyNode(found, found->doc, 1);
    for_each_element(copy, leave_namespace, (gpointer)uri);
    for_each_element(copy, drop_declarations, (gpointer)uri);
    text = dump_node(found->doc, copy, 0);
    xmlFreeNode(copy);
    return text;
}

static void
enter_namespace(xmlNode *node, gpointer ns)
{
    if (!node->ns)
        node->ns = ns;
}

/* Puts all of @element that is in no namespace into that of @uri. */
static gboolean
inject_namespace(xmlNode *element, const char *uri, const char *key, GError **error)
{
    xmlNs *ns;

    if (xmlValidateNCName((const xmlChar *)key, 1) != 0)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "failed to validate prefix for a new XML namespace");
    ns = xmlNewNs(element, (const xmlChar *)uri, (const xmlChar *)key);
    if (!ns)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "failed to create a new XML namespace");
    for_each_element(element, enter_namespace, ns);
    if (is_of(element, uri))
        return TRUE;
    return driver_error(error, VIR_ERR_INVALID_ARG,
                        "the element is in another namespace than '%s'", uri);
}

gboolean
xml_metadata_set(const char *metadata, const char *uri, const char *key, const char *element,
                 char **ret, GError **error)
{
    g_autoptr(XmlDoc) added = element ? xml_doc_parse(element, ORIGIN, NULL, error) : NULL;
    g_autoptr(XmlDoc) doc = parse_kept(metadata);
    xmlNode *root = doc ? xml_doc_root(doc) : NULL, *old = root ? find_element(root, uri) : NULL;
    g_autofree char *text = NULL;

    if ((element && !added) ||
        (added && (!inject_namespace(xml_doc_root(added), uri, key, error) ||
                   !check_namespaces(xml_doc_root(added), error))))
        return FALSE;
    if (!root)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "the metadata cannot be read");
    if (old) {
        xmlUnlinkNode(old);
        xmlFreeNode(old);
    }
    if (added)
        xmlAddChild(root, xmlDocCopyNode(xml_doc_root(added), root->doc, 1));
    text = root->children ? dump_node(root->doc, root, 1) : NULL;
    if (added && !can_be_found(text, uri))
        return driver_error(error, VIR_ERR_INVALID_ARG, "'%s' cannot be the name of a namespace",
                            uri);
    *ret = g_steal_pointer(&text);
    return TRUE;
}
