#include "driver/device-interface.h"

#include "driver/bandwidth.h"
#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/passt.h"
#include "driver/tap.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

#define MAC_SIZE   6
#define QUEUES_MAX 15 /* pairs that a card has */
#define MTU_MIN    68 /* virtio 1.2, section 5.1.4.1 */
#define MTU_MAX    65535
#define TAP_PREFIX "vnet" /* of names that are given out here: of no meaning in a definition */

typedef enum InterfaceType {
    INTERFACE_ETHERNET, /* a tap by itself */
    INTERFACE_BRIDGE,   /* a tap that is a port of a bridge */
    INTERFACE_USER,     /* what the user who runs it has of a network: passt */
    INTERFACE_NETWORK,  /* a network of libvirt's: a definition may name one, and there is none to start with */
} InterfaceType;

/* The rest of libvirt's types and words is the policy table's to refuse. */
static const char *const type_words[] = { "ethernet", "bridge", "user", "network", NULL };
static const char *const switch_words[] = { "no", "yes", NULL };
static const char *const link_words[] = { "down", "up", NULL };
static const char *const driver_words[] = { "qemu", NULL };
static const char *const backend_words[] = { "passt", NULL };

typedef struct Interface {
    Device dev;
    int type;
    gboolean has_mac;
    guint8 mac[MAC_SIZE];
    char *bridge; /* of INTERFACE_BRIDGE */
    char *network; /* of INTERFACE_NETWORK */
    gboolean model_said;
    char *target; /* the tap's name as the document has it; NULL: any */
    char *opened; /* a live one's that was given out */
    int managed;  /* of switch_words, or -1: not said */
    int driver;   /* of driver_words, or -1 */
    guint queues; /* 0: not said */
    int link;     /* of link_words, or -1 */
    guint mtu;    /* bytes; 0: not said */
    int backend;  /* of INTERFACE_USER, of backend_words, or -1 */
    Bandwidth bandwidth;
} Interface;

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

/* As libvirt reads it: one or two digits a byte. */
static gboolean
scan_mac(const char *text, guint8 *ret)
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
    if (!scan_mac(text, iface->mac))
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
           device_parse_boot(dev, node, error) &&
           device_parse_address(dev, node, error);
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

/* Lowering */

/* What all back ends have. */
static VmmMsg *
describe(const Interface *iface, const DeviceLowering *to)
{
    VmmMsg *msg = to->add(to->data, VMM_CLASS_VIRTIO_PCI, iface->dev.alias);
    g_autofree char *mac = device_interface_mac_text(&iface->dev);

    vmm_msg_put_string(msg, "device", "net");
    device_describe_address(&iface->dev, msg);
    vmm_msg_put_string(msg, "mac", mac);
    if (iface->mtu)
        vmm_msg_put_u64(msg, "mtu", iface->mtu);
    if (iface->link == 0)
        vmm_msg_put_bool(msg, "link", false);
    bandwidth_put(&iface->bandwidth, FALSE, msg);
    return msg;
}

static gboolean
lower_user(const Interface *iface, const DeviceLowering *to, GError **error)
{
    VmmMsg *msg;
    int fd;

    if (!passt_start(iface->mtu, &fd, error))
        return FALSE;
    msg = describe(iface, to);
    vmm_msg_put_string(msg, "backend", "stream");
    vmm_msg_put_fd(msg, "fd", fd);
    return TRUE;
}

static void
describe_tap(VmmMsg *msg, const int *fds, guint n)
{
    vmm_msg_put_u64(msg, "queues", n);
    vmm_msg_put_string(msg, "backend", "tap");
    for (guint i = 0; i < n; i++) {
        g_autofree char *key = g_strdup_printf("fd%u", i);

        vmm_msg_put_fd(msg, key, fds[i]);
    }
}

static gboolean
lower_tap(Interface *iface, const DeviceLowering *to, GError **error)
{
    const TapWish wish = {
        .name = iface->target,
        .existing = iface->managed == 0,
        .queues = MAX(iface->queues, 1),
        .mac = iface->mac,
        .mtu = iface->mtu,
        .bridge = iface->bridge,
    };
    int fds[QUEUES_MAX];
    char *name;

    if (!tap_open(&wish, fds, &name, error))
        return FALSE;
    g_free(iface->opened);
    iface->opened = name;
    describe_tap(describe(iface, to), fds, wish.queues);
    return TRUE;
}

static gboolean
interface_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    Interface *iface = (Interface *)dev;

    switch (iface->type) {
    case INTERFACE_USER:
        return lower_user(iface, to, error);
    case INTERFACE_NETWORK:
        return driver_error(error, VIR_ERR_NO_NETWORK, "no network with matching name '%s'",
                            iface->network);
    default:
        return lower_tap(iface, to, error);
    }
}

/* Finding and changing */

static gboolean
is_meant(const Interface *iface, const Interface *wanted)
{
    const PciAddress *pci = &wanted->dev.pci;

    if (wanted->has_mac && memcmp(iface->mac, wanted->mac, MAC_SIZE) != 0)
        return FALSE;
    if (pci->known && (iface->dev.pci.bus != pci->bus || iface->dev.pci.slot != pci->slot ||
                       iface->dev.pci.function != pci->function))
        return FALSE;
    return !wanted->dev.alias || g_strcmp0(iface->dev.alias, wanted->dev.alias) == 0;
}

static Device *
interface_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error)
{
    g_autofree char *mac = device_interface_mac_text(wanted);
    const char *by = ((const Interface *)wanted)->has_mac ? mac : NULL;
    Device *found = NULL;

    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind != &device_interface ||
            !is_meant((const Interface *)dev, (const Interface *)wanted))
            continue;
        if (found) {
            driver_error(error, VIR_ERR_OPERATION_FAILED, "multiple devices matching %s%s found",
                         by ? "MAC address " : "the description", by ? by : "");
            return NULL;
        }
        found = dev;
    }
    if (!found)
        driver_error(error, VIR_ERR_DEVICE_MISSING, "no device %s%s found",
                     by ? "matching MAC address " : "that matches", by ? by : "");
    return found;
}

static gboolean
refuse_change(const char *what, GError **error)
{
    return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify network device %s",
                        what);
}

/* Whatever @wanted leaves open stays. */
static gboolean
check_update(const Interface *iface, const Interface *wanted, GError **error)
{
    if (iface->type != wanted->type)
        return refuse_change("type", error);
    if (wanted->has_mac && memcmp(iface->mac, wanted->mac, MAC_SIZE) != 0)
        return refuse_change("MAC address", error);
    if (wanted->queues && wanted->queues != iface->queues)
        return refuse_change("driver attributes", error);
    if (wanted->mtu && wanted->mtu != iface->mtu)
        return refuse_change("mtu size", error);
    if (wanted->target && g_strcmp0(wanted->target, iface->target) != 0)
        return refuse_change("target device", error);
    if (wanted->dev.boot_order && wanted->dev.boot_order != iface->dev.boot_order)
        return refuse_change("boot index setting", error);
    return TRUE;
}

static gboolean
interface_update(Device *dev, const Device *wanted, VmmMsg *tell, GError **error)
{
    Interface *iface = (Interface *)dev;
    const Interface *to = (const Interface *)wanted;

    if (!check_update(iface, to, error))
        return FALSE;
    if (iface->type == INTERFACE_BRIDGE && strcmp(iface->bridge, to->bridge) != 0) {
        if (!tap_move(iface->opened, iface->bridge, to->bridge, error))
            return FALSE;
        g_free(iface->bridge);
        iface->bridge = g_strdup(to->bridge);
    }
    iface->link = to->link;
    iface->bandwidth = to->bandwidth;
    bandwidth_put(&iface->bandwidth, TRUE, tell);
    vmm_msg_put_bool(tell, "link", iface->link != 0);
    return TRUE;
}

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

static gboolean
is_called(const Interface *iface, const char *name)
{
    guint8 mac[MAC_SIZE];

    if (scan_mac(name, mac))
        return memcmp(iface->mac, mac, MAC_SIZE) == 0;
    return g_strcmp0(iface->opened, name) == 0 || g_strcmp0(iface->target, name) == 0;
}

Device *
device_interface_lookup(const GPtrArray *devices, const char *name)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_interface && is_called((const Interface *)dev, name))
            return dev;
    }
    return NULL;
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
};
