#include "driver/device-interface.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/interface.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define MTU_MIN    68 /* virtio 1.2, section 5.1.4.1 */
#define MTU_MAX    65535
#define TAP_PREFIX "vnet" /* of names that are given out here: of no meaning in a definition */

/* The rest of libvirt's types and words is the policy table's to refuse. */
static const char *const type_words[] = { "ethernet", "bridge", "user", "network", NULL };
static const char *const switch_words[] = { "no", "yes", NULL };
static const char *const link_words[] = { "down", "up", NULL };
static const char *const driver_words[] = { "qemu", NULL };
static const char *const backend_words[] = { "passt", NULL };

/* Parsing */

static gboolean
parse_type(Interface *iface, const XmlNode *node, GError **error)
{
    iface->type = INTERFACE_USER; /* as in libvirt, where none is given */
    return xml_attr_word(node, "type", XML_OPTIONAL, type_words, &iface->type, error);
}

static gboolean
parse_backend(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *backend = xml_child(node, "backend");

    return !backend ||
           xml_attr_word(backend, "type", XML_OPTIONAL, backend_words, &iface->backend, error);
}

gboolean
interface_scan_mac(const char *text, guint8 *ret)
{
    for (int i = 0; i < MAC_SIZE; i++) {
        int n = 0;

        if (i > 0 && *text++ != ':')
            return FALSE;
        ret[i] = 0;
        for (; n < 2 && g_ascii_isxdigit(*text); n++)
            ret[i] = ret[i] << 4 | g_ascii_xdigit_value(*text++);
        if (n == 0)
            return FALSE;
    }
    return *text == '\0';
}

static gboolean
parse_mac(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "mac");
    g_autofree char *text = child ? xml_attr(child, "address") : NULL;

    if (!text)
        return TRUE;
    if (!interface_scan_mac(text, iface->mac))
        return driver_error(error, VIR_ERR_XML_ERROR, "unable to parse mac address '%s'", text);
    if (iface->mac[0] & 1)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "expected unicast mac address, found multicast '%s'", text);
    iface->has_mac = TRUE;
    return TRUE;
}

/* What a bridge and a network go by, each by an attribute of its type's name. */
static char **
source_name(Interface *iface)
{
    return iface->type == INTERFACE_BRIDGE    ? &iface->bridge
           : iface->type == INTERFACE_NETWORK ? &iface->network
                                              : NULL;
}

static gboolean
parse_source(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *source = xml_child(node, "source");
    const char *type = type_words[iface->type];
    char **name = source_name(iface);

    if (!name)
        return TRUE;
    if (!source)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "interface type='%s' requires a 'source' element", type);
    *name = xml_attr(source, type);
    if (!*name)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Missing required attribute '%s' in element 'source'", type);
    return TRUE;
}

/* A name of the kind that is given out is none, but for a guest that runs. */
static gboolean
parse_target(Interface *iface, const XmlNode *node, guint flags, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    g_autofree char *name = target ? xml_attr(target, "dev") : NULL;

    if (!target)
        return TRUE;
    if (name && !g_str_has_prefix(name, TAP_PREFIX))
        iface->target = g_steal_pointer(&name);
    else if (flags & DOMAIN_PARSE_LIVE)
        iface->opened = g_steal_pointer(&name);
    return xml_attr_word(target, "managed", XML_OPTIONAL, switch_words, &iface->managed, error);
}

/* What is not said is virtio, the only model that this machine has. */
static gboolean
parse_model(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *model = xml_child(node, "model");
    g_autofree char *type = model ? xml_attr(model, "type") : NULL;

    iface->model_said = type != NULL;
    if (type && strcmp(type, "virtio") != 0)
        return driver_error(
            error, VIR_ERR_CONFIG_UNSUPPORTED,
            "value '%s' of attribute 'type' of <model> is not supported yet by this "
            "machine",
            type);
    return TRUE;
}

static gboolean
parse_driver(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *driver = xml_child(node, "driver");

    return !driver ||
           (xml_attr_word(driver, "name", XML_OPTIONAL, driver_words, &iface->driver, error) &&
            xml_attr_uint(driver, "queues", XML_OPTIONAL, &iface->queues, error));
}

static gboolean
parse_link(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *link = xml_child(node, "link");
    g_autofree char *state = link ? xml_attr(link, "state") : NULL;

    if (!state)
        return TRUE;
    iface->link = strcmp(state, "up") == 0;
    if (strcmp(state, link_words[iface->link]) != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown interface link state '%s'",
                            state);
    return TRUE;
}

static gboolean
parse_mtu(Interface *iface, const XmlNode *node, GError **error)
{
    const XmlNode *mtu = xml_child(node, "mtu");
    g_autofree char *size = mtu ? xml_attr(mtu, "size") : NULL;
    guint64 value;

    if (!size)
        return TRUE;
    if (!xml_parse_uint64(size, &value) || value > G_MAXUINT)
        return driver_error(error, VIR_ERR_XML_ERROR, "malformed mtu size");
    iface->mtu = value;
    return TRUE;
}

gboolean
device_interface_may_floor(const Device *dev)
{
    return ((const Interface *)dev)->type == INTERFACE_NETWORK;
}

static gboolean
interface_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Interface *iface = (Interface *)dev;

    iface->managed = iface->driver = iface->link = iface->backend = -1;
    device_parse_alias(dev, node, flags);
    return parse_type(iface, node, error) && parse_backend(iface, node, error) &&
           parse_mac(iface, node, error) && parse_source(iface, node, error) &&
           parse_target(iface, node, flags, error) && parse_model(iface, node, error) &&
           parse_driver(iface, node, error) && parse_link(iface, node, error) &&
           parse_mtu(iface, node, error) &&
           bandwidth_parse(&iface->bandwidth, node, device_interface_may_floor(dev), error) &&
           device_parse_boot(dev, node, error) && device_parse_address(dev, node, error);
}

/* Formatting */

const guint8 *
device_interface_mac(const Device *dev)
{
    return ((const Interface *)dev)->mac;
}

char *
device_interface_mac_text(const Device *dev)
{
    const guint8 *mac = device_interface_mac(dev);

    return g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                           mac[5]);
}

/* <@element @attr='@value'/>, or nothing. */
static void
put_one(XmlWriter *out, const char *element, const char *attr, const char *value)
{
    if (!value)
        return;
    xml_open(out, element);
    xml_put_attr(out, attr, value);
    xml_close(out);
}

static void
format_target(const Interface *iface, XmlWriter *out, guint flags)
{
    const char *name = flags & DOMAIN_FORMAT_LIVE && iface->opened ? iface->opened : iface->target;

    if (!name && iface->managed < 0)
        return;
    xml_open(out, "target");
    if (name)
        xml_put_attr(out, "dev", name);
    if (iface->managed >= 0)
        xml_put_attr(out, "managed", switch_words[iface->managed]);
    xml_close(out);
}

static void
format_driver(const Interface *iface, XmlWriter *out)
{
    if (iface->driver < 0 && !iface->queues)
        return;
    xml_open(out, "driver");
    if (iface->driver >= 0)
        xml_put_attr(out, "name", driver_words[iface->driver]);
    if (iface->queues)
        xml_put_attr_uint(out, "queues", iface->queues);
    xml_close(out);
}

static void
format_mtu(const Interface *iface, XmlWriter *out)
{
    if (!iface->mtu)
        return;
    xml_open(out, "mtu");
    xml_put_attr_uint(out, "size", iface->mtu);
    xml_close(out);
}

static void
interface_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Interface *iface = (const Interface *)dev;
    g_autofree char *mac = device_interface_mac_text(&iface->dev);

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[iface->type]);
    put_one(out, "mac", "address", mac);
    put_one(out, "source", "bridge", iface->bridge);
    put_one(out, "source", "network", iface->network);
    bandwidth_format(&iface->bandwidth, out);
    format_target(iface, out, flags);
    if (iface->model_said || !(flags & DOMAIN_FORMAT_SAID))
        put_one(out, "model", "type", "virtio");
    format_driver(iface, out);
    put_one(out, "backend", "type", iface->backend < 0 ? NULL : backend_words[iface->backend]);
    put_one(out, "link", "state", iface->link < 0 ? NULL : link_words[iface->link]);
    format_mtu(iface, out);
    device_format_boot(dev, out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

/* Of a definition */

/* An address of those that QEMU's users have, as libvirt makes it. */
static void
generate_mac(Interface *iface)
{
    static const guint8 prefix[] = { 0x52, 0x54, 0x00 };

    memcpy(iface->mac, prefix, sizeof(prefix));
    for (gsize i = sizeof(prefix); i < MAC_SIZE; i++)
        iface->mac[i] = g_random_int_range(0, 256);
    iface->has_mac = TRUE;
}

static void
interface_complete(GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        Interface *iface = g_ptr_array_index(devices, i);

        if (iface->dev.kind == &device_interface && !iface->has_mac)
            generate_mac(iface);
    }
}

static gboolean
check_user(const Interface *iface, GError **error)
{
    if (iface->backend >= 0 && iface->type != INTERFACE_USER)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "the 'passt' backend can only be used with interface type='user'");
    if (iface->target && iface->type == INTERFACE_USER)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "element <target> of an <interface> of type 'user' is not supported by "
                            "this machine");
    return TRUE;
}

static gboolean
check_managed(const Interface *iface, GError **error)
{
    if (iface->managed >= 0 && iface->type != INTERFACE_ETHERNET)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unmanaged target dev is not supported on interfaces of type '%s'",
                            type_words[iface->type]);
    if (iface->managed == 0 && !iface->target)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "a <target> with managed='no' is not supported by this machine without "
                            "a name that does not begin with '" TAP_PREFIX "'");
    return TRUE;
}

static gboolean
check_numbers(const Interface *iface, GError **error)
{
    if (iface->queues > 1 && iface->type == INTERFACE_USER)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'queues' of <driver> is not supported by this "
                            "machine with an <interface> of type 'user'",
                            iface->queues);
    if (iface->queues > QUEUES_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'queues' of <driver> is not supported by this "
                            "machine, whose network cards have up to %d",
                            iface->queues, QUEUES_MAX);
    if (iface->mtu && (iface->mtu < MTU_MIN || iface->mtu > MTU_MAX))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'size' of <mtu> is not supported by this "
                            "machine, which takes %d to %d",
                            iface->mtu, MTU_MIN, MTU_MAX);
    return TRUE;
}

static gboolean
interface_check(const Device *dev, GError **error)
{
    const Interface *iface = (const Interface *)dev;

    /* The kernel would take it for a pattern. */
    if (iface->target && strchr(iface->target, '%'))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%s' of attribute 'dev' of <target> is not supported by this "
                            "machine",
                            iface->target);
    return check_user(iface, error) && check_managed(iface, error) && check_numbers(iface, error);
}

static void
interface_copy(const Device *from, Device *to)
{
    const Interface *old = (const Interface *)from;
    Interface *copy = (Interface *)to;
    Device head = *to;

    *copy = *old;
    copy->dev = head;
    copy->bridge = g_strdup(old->bridge);
    copy->network = g_strdup(old->network);
    copy->target = g_strdup(old->target);
    copy->opened = g_strdup(old->opened);
}

static void
interface_clear(Device *dev)
{
    Interface *iface = (Interface *)dev;

    g_free(iface->bridge);
    g_free(iface->network);
    g_free(iface->target);
    g_free(iface->opened);
}

static DomainBoot
interface_boots_as(const Device *dev)
{
    return DOMAIN_BOOT_NETWORK;
}

static PciRole
interface_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

/* Asking */

const char *
device_interface_tap(const Device *dev)
{
    return dev->kind == &device_interface ? ((const Interface *)dev)->opened : NULL;
}

const char *
device_interface_name(const Device *dev)
{
    const Interface *iface = (const Interface *)dev;

    return iface->opened ? iface->opened : iface->target ? iface->target : dev->alias;
}

const char *
device_interface_network(const Device *dev)
{
    const Interface *iface = (const Interface *)dev;

    return iface->type == INTERFACE_NETWORK ? iface->network : NULL;
}

Bandwidth *
device_interface_bandwidth(Device *dev)
{
    return &((Interface *)dev)->bandwidth;
}

const DeviceKind device_interface = {
    .element = "interface",
    .alias = "net",
    .size = sizeof(Interface),
    .parse = interface_parse,
    .format = interface_format,
    .copy = interface_copy,
    .check = interface_check,
    .lower = interface_lower,
    .boots_as = interface_boots_as,
    .firmware_name = "ethernet",
    .firmware_unit = "ethernet-phy@0",
    .pci_role = interface_pci_role,
    .clear = interface_clear,
    .complete = interface_complete,
    .find = interface_find,
    .update = interface_update,
    .take_back = interface_take_back,
};
