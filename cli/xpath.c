#include "cli/xpath.h"

#include "cli/output.h"

#include <glib/gi18n.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathContext, xmlXPathFreeContext)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlXPathObject, xmlXPathFreeObject)

#if LIBXML_VERSION >= 21200
typedef const xmlError *ErrorArg;
#else
typedef xmlError *ErrorArg;
#endif

/* Without this libxml2 would print it itself, without saying of what. */
static void
keep_message(void *data, ErrorArg error)
{
    char **message = data;

    if (!*message && error->message)
        *message = g_strstrip(g_strdup(error->message));
}

/* Namespaces are nodes of XPath's, but none that libxml2 could print or copy. */
static gboolean
selects_nodes(const xmlXPathObject *found)
{
    gboolean nodes_only = found->type == XPATH_NODESET;
    const xmlNodeSet *nodes = nodes_only ? found->nodesetval : NULL;

    for (int i = 0; nodes && i < nodes->nodeNr; i++)
        nodes_only &= nodes->nodeTab[i]->type != XML_NAMESPACE_DECL;
    return nodes_only;
}

static xmlXPathObject *
evaluate(xmlDoc *document, const char *expression, GError **error)
{
    g_autoptr(xmlXPathContext) context = xmlXPathNewContext(document);
    g_autoptr(xmlXPathObject) found = NULL;
    g_autofree char *message = NULL;

    xmlSetStructuredErrorFunc(&message, keep_message);
    found = xmlXPathEval(BAD_CAST expression, context);
    xmlSetStructuredErrorFunc(NULL, NULL);
    if (found && selects_nodes(found))
        return g_steal_pointer(&found);
    if (found)
        cli_fail(error, _("internal error: Incorrect xpath '%s'"), expression);
    else
        cli_fail(error, _("the XPath expression '%s' is wrong: %s"), expression,
                 message ? message : "?");
    return NULL;
}

static void
print_node(xmlDoc *document, xmlNode *node)
{
    g_autoptr(xmlBuffer) text = xmlBufferCreate();

    xmlNodeDump(text, document, node, 0, 1);
    output("%s\n", (const char *)xmlBufferContent(text));
}

/* A document as a whole cannot stand within another one, but its element can. */
static xmlNode *
copy_node(xmlDoc *document, xmlNode *node)
{
    gboolean whole = node->type == XML_DOCUMENT_NODE;

    return xmlDocCopyNode(whole ? xmlDocGetRootElement((xmlDoc *)node) : node, document, 1);
}

static void
print_wrapped(const xmlNodeSet *nodes)
{
    g_autoptr(xmlDoc) document = xmlNewDoc(BAD_CAST "1.0");
    xmlNode *root = xmlNewDocNode(document, NULL, BAD_CAST "nodes", NULL);

    xmlDocSetRootElement(document, root);
    for (int i = 0; nodes && i < nodes->nodeNr; i++)
        xmlAddChild(root, copy_node(document, nodes->nodeTab[i]));
    print_node(document, root);
}

gboolean
xpath_print(const char *xml, const Args *args, GError **error)
{
    const char *expression = args_string(args, "xpath");
    g_autoptr(xmlDoc) document = NULL;
    g_autoptr(xmlXPathObject) found = NULL;
    const xmlNodeSet *nodes;

    if (!expression) {
        output("%s", xml);
        return TRUE;
    }
    /* Blanks go as virsh lets them go: it matters for how what is selected is laid out. */
    document = xmlReadMemory(xml, (int)strlen(xml), NULL, "UTF-8",
                             XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOERROR |
                                 XML_PARSE_NOWARNING);
    if (!document)
        return cli_fail(error, "%s", _("the document is no XML"));
    found = evaluate(document, expression, error);
    if (!found)
        return FALSE;
    nodes = found->nodesetval;
    if (args_has(args, "wrap"))
        print_wrapped(nodes);
    for (int i = 0; nodes && i < nodes->nodeNr && !args_has(args, "wrap"); i++)
        print_node(document, nodes->nodeTab[i]);
    return TRUE;
}
