#include "driver/device.h"

#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

#define USER_ALIAS                                                                                 \
    "ua-" /* what users' own aliases begin with (libvirt: formatdomain, "Device aliases") */

Device *
device_new(const DeviceKind *kind)
{
    Device *dev = g_malloc0(kind->size);

    dev->kind = kind;
    dev->pci.multifunction = -1;
    return dev;
}

Device *
device_copy(const Device *dev)
{
    Device *copy = device_new(dev->kind);

    copy->alias = g_strdup(dev->alias);
    copy->pci = dev->pci;
    copy->simulated = dev->simulated;
    copy->boot_order = dev->boot_order;
    if (dev->kind->copy)
        dev->kind->copy(dev, copy);
    return copy;
}

void
device_free(Device *dev)
{
    if (!dev)
        return;
    if (dev->kind->clear)
        dev->kind->clear(dev);
    g_free(dev->alias);
    g_free(dev);
}

static gboolean
is_user_alias(const char *alias)
{
    static const char allowed[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-";

    return g_str_has_prefix(alias, USER_ALIAS) && alias[strspn(alias, allowed)] == '\0';
}

void
device_parse_alias(Device *dev, const XmlNode *node, guint flags)
{
    const XmlNode *child = xml_child(node, "alias");
    g_autofree char *alias = child ? xml_attr(child, "name") : NULL;

    if (!alias || !*alias || !(flags & DOMAIN_PARSE_LIVE || is_user_alias(alias)))
        return;
    g_free(dev->alias);
    dev->alias = g_steal_pointer(&alias);
}

void
device_format_alias(const Device *dev, XmlWriter *out, guint flags)
{
    if (!dev->alias || !(flags & DOMAIN_FORMAT_LIVE || is_user_alias(dev->alias)))
        return;
    xml_open(out, "alias");
    xml_put_attr(out, "name", dev->alias);
    xml_close(out);
}

gboolean
device_parse_boot(Device *dev, const XmlNode *node, GError **error)
{
    const XmlNode *boot = xml_child(node, "boot");

    return !boot ||
           xml_attr_uint(boot, "order", XML_REQUIRED | XML_NONZERO, &dev->boot_order, error);
}

void
device_format_boot(const Device *dev, XmlWriter *out)
{
    if (!dev->boot_order)
        return;
    xml_open(out, "boot");
    xml_put_attr_uint(out, "order", dev->boot_order);
    xml_close(out);
}
