#include "driver/xml-host.h"

#include "driver/error.h"
#include "driver/uuid.h"
#include "driver/xml-host-pool.h"
#include "driver/xml-read.h"

#include <libxml/tree.h>
#include <string.h>

static const struct {
    const char *origin, *root;
} documents[N_HOST_KINDS] = {
    [HOST_NETWORK] = { "(network_definition)", "network" },
    [HOST_POOL] = { "(storage_pool_definition)", "pool" },
    [HOST_INTERFACE] = { "(interface_definition)", "interface" },
};

HostFacts
host_facts_copy(const HostFacts *facts)
{
    HostFacts copy = *facts;

    copy.name = g_strdup(facts->name);
    copy.uuid = g_strdup(facts->uuid);
    copy.mac = g_strdup(facts->mac);
    copy.parent = g_strdup(facts->parent);
    copy.xml = g_strdup(facts->xml);
    return copy;
}

void
host_facts_clear(HostFacts *facts)
{
    g_free((char *)facts->name);
    g_free((char *)facts->uuid);
    g_free((char *)facts->mac);
    g_free((char *)facts->parent);
    g_free((char *)facts->xml);
    *facts = (HostFacts){ 0 };
}

/* Puts an element with this text behind @after, first where that is NULL. */
static XmlNode *
put_element(XmlNode *root, XmlNode *after, const char *name, const char *text)
{
    xmlNode *element = xmlNewDocNode(root->doc, NULL, BAD_CAST name, NULL);

    xmlNodeAddContent(element, BAD_CAST text);
    if (after)
        return xmlAddNextSibling(after, element);
    return root->children ? xmlAddPrevSibling(root->children, element) : xmlAddChild(root, element);
}

/* The document of @root with a <name> and behind that a <uuid>, where it does not have them. */
static char *
complete(XmlNode *root, const HostFacts *facts)
{
    XmlNode *name = xml_child(root, "name");
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    if (!name)
        name = put_element(root, NULL, "name", facts->name);
    if (!xml_child(root, "uuid"))
        put_element(root, name, "uuid", facts->uuid);
    xmlNodeDump(buffer, root->doc, root, 0, 0);
    text = g_strdup_printf("%s\n", (const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

static gboolean
check_name(const HostFacts *facts, GError **error)
{
    gboolean network = facts->kind == HOST_NETWORK;

    if (!facts->name)
        return network ? driver_error(error, VIR_ERR_NO_NAME, NULL)
                       : driver_error(error, VIR_ERR_XML_ERROR, "missing pool source name element");
    if (!strchr(facts->name, '/'))
        return TRUE;
    return network ? driver_error(error, VIR_ERR_XML_DETAIL, "invalid char in name: /")
                   : driver_error(error, VIR_ERR_XML_ERROR, "name %s cannot contain '/'", facts->name);
}

/* Networks and pools: a name, and a UUID, which is made where there is none. */
static gboolean
read_identity(const XmlNode *root, HostFacts *facts, GError **error)
{
    g_autofree char *text = xml_child_text(root, "uuid");
    char uuid[UUID_SIZE];

    facts->name = xml_child_text(root, "name");
    if (!facts->name && facts->kind == HOST_POOL)
        facts->name = xml_host_pool_source_name(root, facts->types);
    if (!check_name(facts, error))
        return FALSE;
    if (text && !uuid_parse(text, uuid))
        return driver_error(error,
                            facts->kind == HOST_NETWORK ? VIR_ERR_INTERNAL_ERROR : VIR_ERR_XML_ERROR,
                            "malformed uuid element");
    facts->uuid = text ? g_strdup(uuid) : g_uuid_string_random();
    return TRUE;
}

/* The MAC address is what stands for an interface, so that it needs one. */
static gboolean
read_interface(const XmlNode *root, HostFacts *facts, GError **error)
{
    const XmlNode *mac = xml_child(root, "mac");
    g_autofree char *type = xml_attr(root, "type");

    if (!type)
        return driver_error(error, VIR_ERR_XML_ERROR, "interface misses the type attribute");
    facts->name = xml_attr(root, "name");
    if (!facts->name)
        return driver_error(error, VIR_ERR_XML_ERROR, "interface has no name");
    facts->mac = mac ? xml_attr(mac, "address") : NULL;
    return facts->mac || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                      "an interface without a MAC address is not supported");
}

static gboolean
read_facts(const XmlNode *root, HostFacts *facts, GError **error)
{
    if (facts->kind == HOST_INTERFACE)
        return read_interface(root, facts, error);
    if (facts->kind == HOST_NETWORK)
        return read_identity(root, facts, error);
    return xml_host_pool_begin(root, &facts->types, error) && read_identity(root, facts, error) &&
           xml_host_pool_check(root, facts->types, error);
}

gboolean
xml_host_parse(HostKind kind, const char *xml, HostFacts *ret, GError **error)
{
    g_autoptr(XmlDoc) doc = NULL;
    HostFacts facts = { .kind = kind };
    XmlNode *root;

    g_assert(documents[kind].root);
    doc = xml_doc_parse(xml, documents[kind].origin, documents[kind].root, error);
    if (!doc)
        return FALSE;
    root = xml_doc_root(doc);
    if (!read_facts(root, &facts, error)) {
        host_facts_clear(&facts);
        return FALSE;
    }
    facts.xml = kind == HOST_INTERFACE || (xml_child(root, "name") && xml_child(root, "uuid"))
                    ? g_strdup(xml)
                    : complete(root, &facts);
    *ret = facts;
    return TRUE;
}

/* The part of an IPv4 address that a mask such as 255.255.255.0 leaves. */
static guint
mask_prefix(const char *mask)
{
    g_autoptr(GInetAddress) address = mask ? g_inet_address_new_from_string(mask) : NULL;
    guint n = 0;

    for (gsize i = 0; address && i < g_inet_address_get_native_size(address); i++)
        n += __builtin_popcount(g_inet_address_to_bytes(address)[i]);
    return n;
}

static guint
prefix_of(const XmlNode *ip)
{
    g_autofree char *mask = xml_attr(ip, "netmask");
    guint prefix = mask_prefix(mask);
    g_autoptr(GError) ignored = NULL;

    xml_attr_uint(ip, "prefix", XML_OPTIONAL, &prefix, &ignored);
    return prefix;
}

GInetAddress *
xml_host_first_address(const char *xml, guint *ret_prefix)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, documents[HOST_NETWORK].origin, NULL, NULL);
    const XmlNode *ip = doc ? xml_child(xml_doc_root(doc), "ip") : NULL;
    const XmlNode *dhcp = ip ? xml_child(ip, "dhcp") : NULL;
    const XmlNode *range = dhcp ? xml_child(dhcp, "range") : NULL;
    g_autofree char *text = range ? xml_attr(range, "start") : ip ? xml_attr(ip, "address") : NULL;
    GInetAddress *address = text ? g_inet_address_new_from_string(text) : NULL;

    if (address)
        *ret_prefix = prefix_of(ip);
    return address;
}
