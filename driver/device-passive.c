#include "driver/device-passive.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/xml-policy.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define CHIPSET_SLOT 0x1f /* on bus 0, see pci-layout.c */

typedef struct Passive {
    Device dev;
    XmlNode *node; /* the element as it was written */
} Passive;

/* What decides what a device is: the words that libvirt knows, but for those that the policy refuses. */
static const struct Word {
    const char *element, *child, *attr; /* @child: below the element; NULL: it is the element's own */
    XmlNeed need;
    const char *words[12];        /* none: any will do */
    const char *missing, *unknown; /* libvirt's errors, where they are not the usual ones */
} words[] = {
    { "smartcard", NULL, "mode", XML_REQUIRED, { "passthrough" } },
    { "input",
      NULL,
      "type",
      XML_REQUIRED,
      { "mouse", "tablet", "keyboard" },
      "missing input device type",
      "unknown input device type" },
    { "input",
      NULL,
      "bus",
      XML_OPTIONAL,
      { "usb", "virtio" },
      .unknown = "unknown input bus type" },
    { "graphics", NULL, "type", XML_REQUIRED, { "vnc", "spice", "egl-headless", "dbus" } },
    { "sound",
      NULL,
      "model",
      XML_REQUIRED,
      { "sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7", "virtio" } },
    { "audio",
      NULL,
      "type",
      XML_REQUIRED,
      { "none", "alsa", "coreaudio", "dbus", "jack", "oss", "pulseaudio", "sdl", "spice", "file",
        "pipewire" } },
    { "audio", NULL, "id", XML_REQUIRED, { NULL } },
    { "video",
      "model",
      "type",
      XML_OPTIONAL,
      { "vga", "cirrus", "qxl", "virtio", "none", "bochs", "ramfb" },
      .unknown = "unknown video model" },
    { "redirdev",
      NULL,
      "type",
      XML_REQUIRED,
      { "spicevmc" },
      "missing type in redirdev",
      "unknown redirdev character device type" },
    { "redirdev", NULL, "bus", XML_OPTIONAL, { "usb" }, .unknown = "unknown redirdev bus" },
    { "hub",
      NULL,
      "type",
      XML_REQUIRED,
      { "usb" },
      "missing hub device type",
      "unknown hub device type" },
};

static gboolean
check_word(const struct Word *word, const XmlNode *at, GError **error)
{
    g_autofree char *own = NULL;
    const char *value = xml_peek_attr(at, word->attr, &own);
    int i;

    if (!value && word->missing)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "%s", word->missing);
    if (value && (!word->words[0] || g_strv_contains(word->words, value)))
        return TRUE;
    if (value && word->unknown)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "%s '%s'", word->unknown, value);
    return xml_attr_word(at, word->attr, word->need, word->words, &i, error);
}

static gboolean
check_words(const XmlNode *node, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        const struct Word *word = &words[i];
        const XmlNode *at = word->child ? xml_child(node, word->child) : node;

        if (at && strcmp(word->element, xml_name(node)) == 0 && !check_word(word, at, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
has_pci_address(const XmlNode *node)
{
    const XmlNode *address = xml_child(node, "address");
    g_autofree char *own = NULL;
    const char *type = address ? xml_peek_attr(address, "type", &own) : NULL;

    return g_strcmp0(type, "pci") == 0;
}

static gboolean
passive_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    device_parse_alias(dev, node, flags);
    ((Passive *)dev)->node = xml_node_copy(node);
    return check_words(node, error) &&
           (!has_pci_address(node) || device_parse_address(dev, node, error));
}

/* Formatting */

typedef struct AttrWriter {
    XmlWriter *out;
    guint flags;
    gboolean index; /* goes behind the type, where the document has none */
} AttrWriter;

static gboolean
put_attr(gpointer data, const char *name, const char *value)
{
    const AttrWriter *to = data;

    if (strcmp(name, "passwd") == 0 && !(to->flags & DOMAIN_FORMAT_SECURE))
        return TRUE;
    xml_put_attr(to->out, name, value);
    if (to->index && strcmp(name, "type") == 0)
        xml_put_attr(to->out, "index", "0");
    return TRUE;
}

/* What was made up for an earlier run. */
static gboolean
is_foreign_alias(const XmlNode *node, const Device *dev)
{
    return dev && strcmp(xml_name(node), "alias") == 0 && !dev->alias;
}

static void put_node(const XmlNode *node, const Device *dev, XmlWriter *out, guint flags);

static void
put_content(const XmlNode *node, const Device *dev, XmlWriter *out, guint flags)
{
    g_autofree char *text = xml_first(node) ? NULL : xml_text(node);

    if (text && *g_strstrip(text))
        xml_put_text(out, text);
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        if (!xml_namespace(child) && !is_foreign_alias(child, dev))
            put_node(child, NULL, out, flags);
    }
}

/* @dev: where the node is the device's own, or NULL. */
static void
put_node(const XmlNode *node, const Device *dev, XmlWriter *out, guint flags)
{
    AttrWriter to = { out, flags,
                      dev && dev->kind == &device_passive_controller && !xml_has_attr(node, "index") };

    xml_open(out, xml_name(node));
    xml_visit_attrs(node, put_attr, &to);
    put_content(node, dev, out, flags);
    xml_close(out);
}

static void
passive_format(const Device *dev, XmlWriter *out, guint flags)
{
    put_node(((const Passive *)dev)->node, dev, out, flags);
}

static void
passive_copy(const Device *from, Device *to)
{
    ((Passive *)to)->node = xml_node_copy(((const Passive *)from)->node);
}

static void
passive_clear(Device *dev)
{
    xml_node_free(((Passive *)dev)->node);
}

/* A place that the document gives is nobody else's, but for the chipset's own, where a q35 has SATA. */
static PciRole
passive_pci_role(const Device *dev)
{
    gboolean chipset = dev->pci.bus == 0 && dev->pci.slot == CHIPSET_SLOT;

    return dev->pci.known && !chipset ? PCI_ROLE_ENDPOINT : PCI_ROLE_NONE;
}

gboolean
device_is_passive(const Device *dev)
{
    return dev->kind->parse == passive_parse;
}

static gboolean
passive_claims(const XmlNode *node)
{
    return xml_policy_keeps(node) != NULL;
}

#define PASSIVE(name)                                                                       \
    const DeviceKind device_passive_##name = {                                                     \
        .element = #name,                                                                          \
        .size = sizeof(Passive),                                                                   \
        .claims = passive_claims,                                                                         \
        .parse = passive_parse,                                                                    \
        .format = passive_format,                                                                  \
        .copy = passive_copy,                                                                      \
        .pci_role = passive_pci_role,                                                              \
        .clear = passive_clear,                                                                    \
    }

PASSIVE(controller);
PASSIVE(smartcard);
PASSIVE(channel);
PASSIVE(input);
PASSIVE(graphics);
PASSIVE(sound);
PASSIVE(audio);
PASSIVE(video);
PASSIVE(redirdev);
PASSIVE(redirfilter);
PASSIVE(hub);
PASSIVE(watchdog);
