#include "driver/xml-host.h"

#include "driver/error.h"
#include "driver/uuid.h"
#include "driver/xml-read.h"

#include <libvirt/libvirt.h>
#include <libxml/tree.h>

static const struct {
    const char *origin, *root;
} documents[N_HOST_KINDS] = {
    [HOST_NETWORK] = { "(network_definition)", "network" },
    [HOST_POOL] = { "(storage_pool_definition)", "pool" },
    [HOST_INTERFACE] = { "(interface_definition)", "interface" },
};

static const struct {
    const char *type;
    guint bit;
} pool_types[] = {
    { "dir", VIR_CONNECT_LIST_STORAGE_POOLS_DIR },
    { "fs", VIR_CONNECT_LIST_STORAGE_POOLS_FS },
    { "netfs", VIR_CONNECT_LIST_STORAGE_POOLS_NETFS },
    { "logical", VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL },
    { "disk", VIR_CONNECT_LIST_STORAGE_POOLS_DISK },
    { "iscsi", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI },
    { "iscsi-direct", VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT },
    { "scsi", VIR_CONNECT_LIST_STORAGE_POOLS_SCSI },
    { "mpath", VIR_CONNECT_LIST_STORAGE_POOLS_MPATH },
    { "rbd", VIR_CONNECT_LIST_STORAGE_POOLS_RBD },
    { "sheepdog", VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG },
    { "gluster", VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER },
    { "zfs", VIR_CONNECT_LIST_STORAGE_POOLS_ZFS },
    { "vstorage", VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE },
};

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

/* The document of @root with a <uuid>, which it does not have, behind its <name>. */
static char *
with_uuid(XmlNode *root, const char *uuid)
{
    xmlNode *element = xmlNewDocNode(root->doc, NULL, BAD_CAST "uuid", BAD_CAST uuid);
    xmlBuffer *buffer = xmlBufferCreate();
    char *text;

    xmlAddNextSibling(xml_child(root, "name"), element);
    xmlNodeDump(buffer, root->doc, root, 0, 0);
    text = g_strdup_printf("%s\n", (const char *)xmlBufferContent(buffer));
    xmlBufferFree(buffer);
    return text;
}

/* Networks and pools: a name, and a UUID, which is made where there is none. */
static gboolean
read_identity(const XmlNode *root, HostFacts *facts, GError **error)
{
    g_autofree char *text = xml_child_text(root, "uuid");
    char uuid[UUID_SIZE];

    facts->name = xml_child_text(root, "name");
    if (!facts->name)
        return facts->kind == HOST_NETWORK
                   ? driver_error(error, VIR_ERR_NO_NAME, NULL)
                   : driver_error(error, VIR_ERR_XML_ERROR, "missing pool source name element");
    if (text && !uuid_parse(text, uuid))
        return driver_error(error,
                            facts->kind == HOST_NETWORK ? VIR_ERR_INTERNAL_ERROR : VIR_ERR_XML_ERROR,
                            "malformed uuid element");
    facts->uuid = text ? g_strdup(uuid) : g_uuid_string_random();
    return TRUE;
}

static gboolean
read_pool_type(const XmlNode *root, HostFacts *facts, GError **error)
{
    g_autofree char *type = xml_attr(root, "type");

    if (!type)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Missing required attribute 'type' in element 'pool'");
    for (gsize i = 0; i < G_N_ELEMENTS(pool_types); i++) {
        if (g_str_equal(pool_types[i].type, type)) {
            facts->types = pool_types[i].bit;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_XML_ERROR,
                        "Invalid value for attribute 'type' in element 'pool': '%s'.", type);
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
    return (facts->kind != HOST_POOL || read_pool_type(root, facts, error)) &&
           read_identity(root, facts, error);
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
    facts.xml = kind == HOST_INTERFACE || xml_child(root, "uuid") ? g_strdup(xml)
                                                                  : with_uuid(root, facts.uuid);
    *ret = facts;
    return TRUE;
}
