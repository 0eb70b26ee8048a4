#include "cli/device-change.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlBuffer, xmlBufferFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/* What the daemon has sent is well-formed. */
static xmlDoc *
parse(const char *xml)
{
    return xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);
}

static char *
text_of(xmlDoc *document)
{
    g_autoptr(xmlBuffer) text = xmlBufferCreate();

    xmlNodeDump(text, document, xmlDocGetRootElement(document), 0, 1);
    return g_strdup((const char *)xmlBufferContent(text));
}

/* The first element of that name in the device; NULL: it has none. */
static xmlNode *
find_child(xmlNode *device, const char *name)
{
    for (xmlNode *child = device->children; child; child = child->next) {
        if (child->type == XML_ELEMENT_NODE && strcmp((const char *)child->name, name) == 0)
            return child;
    }
    return NULL;
}

char *
device_text(const char *xml)
{
    g_autoptr(xmlDoc) document = parse(xml);

    return document ? text_of(document) : g_strdup(xml);
}

/* Before the target, on a line of its own. What is to be done where it is missing, @policy, is the drive's. */
static void
add_source(xmlNode *device, xmlNode *target, const char *source, gboolean block, const xmlChar *policy)
{
    xmlNode *element = xmlNewNode(NULL, BAD_CAST "source");

    xmlSetProp(device, BAD_CAST "type", BAD_CAST(block ? "block" : "file"));
    xmlSetProp(element, BAD_CAST(block ? "dev" : "file"), BAD_CAST source);
    if (policy)
        xmlSetProp(element, BAD_CAST "startupPolicy", policy);
    if (!target) {
        xmlAddChild(device, element);
        return;
    }
    xmlAddPrevSibling(target, element);
    if (element->prev && element->prev->type == XML_TEXT_NODE)
        xmlAddPrevSibling(target, xmlCopyNode(element->prev, 1));
}

char *
device_with_medium(const char *xml, const char *source, gboolean block)
{
    g_autoptr(xmlDoc) document = parse(xml);
    xmlNode *device = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *target = device ? find_child(device, "target") : NULL;
    xmlNode *old = device ? find_child(device, "source") : NULL;
    xmlChar *policy = NULL;

    if (!device)
        return g_strdup(xml);
    if (old) {
        policy = xmlGetProp(old, BAD_CAST "startupPolicy");
        xmlUnlinkNode(old);
        xmlFreeNode(old);
    }
    if (target) /* a change of the medium shuts the tray */
        xmlUnsetProp(target, BAD_CAST "tray");
    if (source)
        add_source(device, target, source, block, policy);
    xmlFree(policy);
    return text_of(document);
}

char *
device_with_link(const char *xml, const char *state)
{
    g_autoptr(xmlDoc) document = parse(xml);
    xmlNode *device = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *link = device ? find_child(device, "link") : NULL;

    if (!device)
        return g_strdup(xml);
    if (!link)
        link = xmlNewChild(device, NULL, BAD_CAST "link", NULL);
    xmlSetProp(link, BAD_CAST "state", BAD_CAST state);
    return text_of(document);
}
