/* Virtual ports of a fibre channel: the devices of the host that are made and destroyed. */
#include "driver/host-objects-private.h"

#include "driver/error.h"
#include "driver/test-default.h"
#include "driver/xml-read.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define NEW "new device" /* which has no name before it is there */

static const char *const types[] = {
    "system",       "pci",          "usb_device",   "usb",          "net",          "scsi_host",
    "scsi_target",  "scsi",         "storage",      "fc_host",      "vports",       "scsi_generic",
    "drm",          "mdev_types",   "mdev",         "ccw",          "css",          "vdpa",
    "ap_card",      "ap_queue",     "ap_matrix",    "vpd",          NULL,
};

/* What a document asks for. */
typedef struct Port {
    char *parent;                                    /* the device that has it; NULL: any */
    char *parent_wwnn, *parent_wwpn, *parent_fabric; /* or that one's names; NULL: not said */
    char *wwnn, *wwpn;
} Port;

static void
port_clear(Port *port)
{
    g_free(port->parent);
    g_free(port->parent_wwnn);
    g_free(port->parent_wwpn);
    g_free(port->parent_fabric);
    g_free(port->wwnn);
    g_free(port->wwpn);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Port, port_clear)

static gboolean
no_port(GError **error)
{
    return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Device is not a fibre channel HBA");
}

/* The capability of the type @type within @node; NULL: there is none. */
static const XmlNode *
find_capability(const XmlNode *node, const char *type)
{
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        g_autofree char *this = NULL;

        if (xml_namespace(child) || strcmp(xml_name(child), "capability") != 0)
            continue;
        this = xml_attr(child, "type");
        if (g_strcmp0(this, type) == 0)
            return child;
    }
    return NULL;
}

static gboolean
read_names(const XmlNode *root, Port *port, GError **error)
{
    const XmlNode *host = find_capability(root, "scsi_host");
    const XmlNode *channel = host ? find_capability(host, "fc_host") : NULL;

    if (!channel)
        return no_port(error);
    port->wwnn = xml_child_text(channel, "wwnn");
    port->wwpn = xml_child_text(channel, "wwpn");
    if (!port->wwnn || !port->wwpn)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "no %s supplied for '%s', and auto-generation failed",
                            port->wwnn ? "WWPN" : "WWNN", NEW);
    return TRUE;
}

/* NULL: nothing stands there. */
static char *
read_name(const XmlNode *node, const char *attr)
{
    char *name = xml_attr(node, attr);

    if (name && !*name)
        g_clear_pointer(&name, g_free);
    return name;
}

static gboolean
read_parent(const XmlNode *root, Port *port, GError **error)
{
    const XmlNode *parent = xml_child(root, "parent");

    if (!parent)
        return TRUE;
    port->parent = xml_child_text(root, "parent");
    port->parent_wwnn = read_name(parent, "wwnn");
    port->parent_wwpn = read_name(parent, "wwpn");
    port->parent_fabric = read_name(parent, "fabric_wwn");
    if (port->parent_wwnn && !port->parent_wwpn)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "when providing parent wwnn='%s', the wwpn must also be provided",
                            port->parent_wwnn);
    if (port->parent_wwpn && !port->parent_wwnn)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "when providing parent wwpn='%s', the wwnn must also be provided",
                            port->parent_wwpn);
    return TRUE;
}

static gboolean
read_port(const XmlNode *root, Port *port, GError **error)
{
    const XmlNode *capability = xml_child(root, "capability");
    int type;

    if (!read_parent(root, port, error))
        return FALSE;
    if (!capability)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "no device capabilities for '%s'", NEW);
    return xml_attr_word(capability, "type", XML_REQUIRED, types, &type, error) &&
           read_names(root, port, error);
}

/* The parent */

static gboolean
has_ports(const HostObject *device)
{
    return device->facts->types & VIR_CONNECT_LIST_NODE_DEVICES_CAP_VPORTS;
}

static gboolean
has_element(const HostObject *device, const char *name, const char *value)
{
    g_autofree char *element = g_markup_printf_escaped("<%s>%s</%s>", name, value, name);

    return strstr(device->facts->xml, element) != NULL;
}

static gboolean
suits(const HostObject *device, const Port *port)
{
    if (device->facts->kind != HOST_NODE_DEVICE)
        return FALSE;
    if (port->parent)
        return strcmp(device->facts->name, port->parent) == 0;
    if (!has_ports(device))
        return FALSE;
    if (port->parent_wwnn)
        return has_element(device, "wwnn", port->parent_wwnn) &&
               has_element(device, "wwpn", port->parent_wwpn);
    return !port->parent_fabric || has_element(device, "fabric_wwn", port->parent_fabric);
}

static gboolean
check_ports(const HostObject *parent, const char *name, GError **error)
{
    return (parent && has_ports(parent)) ||
           driver_error(error, VIR_ERR_INTERNAL_ERROR,
                        "Parent device %s is not capable of vport operations", name);
}

static gboolean
check_parent(HostObjects *objects, const Port *port, GError **error)
{
    for (guint i = 0; i < objects->all->len; i++) {
        const HostObject *device = objects->all->pdata[i];

        if (suits(device, port))
            return check_ports(device, device->facts->name, error);
    }
    return driver_error(error, VIR_ERR_INTERNAL_ERROR, "Could not find parent device for '%s'", NEW);
}

/* There is room for one: as in libvirt's test driver, it takes the place of the one before. */
static HostObject *
put_port(HostObjects *objects, const Port *port)
{
    HostFacts facts;
    HostObject *device;

    test_default_port(port->wwnn, port->wwpn, &facts);
    device = host_objects_look(objects, HOST_NODE_DEVICE, HOST_BY_NAME, facts.name);
    if (!device) {
        device = g_new0(HostObject, 1);
        device->active = TRUE;
        g_ptr_array_add(objects->all, device);
    }
    host_object_take_facts(device, &facts);
    return device;
}

HostObject *
host_device_create(HostObjects *objects, const char *xml, GError **error)
{
    g_autoptr(XmlDoc) doc = xml_doc_parse(xml, "(node_device_definition)", "device", error);
    g_auto(Port) port = { 0 };
    HostObject *device;

    if (!doc || !read_port(xml_doc_root(doc), &port, error) || !check_parent(objects, &port, error))
        return NULL;
    device = put_port(objects, &port);
    host_object_tell(objects, device, VIR_NODE_DEVICE_EVENT_CREATED);
    return device;
}

gboolean
host_device_destroy(HostObjects *objects, HostObject *device, GError **error)
{
    const char *name = device->facts->parent;
    const HostObject *parent =
        name ? host_objects_look(objects, HOST_NODE_DEVICE, HOST_BY_NAME, name) : NULL;

    if (!(device->facts->types & VIR_CONNECT_LIST_NODE_DEVICES_CAP_FC_HOST))
        return no_port(error);
    if (!check_ports(parent, name, error))
        return FALSE;
    host_object_tell(objects, device, VIR_NODE_DEVICE_EVENT_DELETED);
    g_ptr_array_remove(objects->all, device);
    return TRUE;
}
