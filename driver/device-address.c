#include "driver/device-address.h"

#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#define BUS_MAX      0xff
#define SLOT_MAX     0x1f
#define FUNCTION_MAX 7

static const char *const switch_words[] = { "on", "off", NULL };

/* The other types are the policy table's to refuse. */
static gboolean
parse_type(const XmlNode *node, GError **error)
{
    g_autofree char *own = NULL;
    const char *type = xml_peek_attr(node, "type", &own);

    if (!type)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "No type specified for device address");
    if (g_strcmp0(type, "pci") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown address type '%s'", type);
    return TRUE;
}

static gboolean
check_range(const PciAddress *pci, GError **error)
{
    if (pci->bus > BUS_MAX)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address bus='0x%x', must be <= 0x%X", pci->bus, BUS_MAX);
    if (pci->slot > SLOT_MAX)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address slot='0x%x', must be <= 0x%X", pci->slot,
                            SLOT_MAX);
    if (pci->function > FUNCTION_MAX)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid PCI address function=0x%x, must be <= %d", pci->function,
                            FUNCTION_MAX);
    return TRUE;
}

gboolean
device_parse_address(Device *dev, const XmlNode *node, GError **error)
{
    const XmlNode *child = xml_child(node, "address");
    PciAddress *pci = &dev->pci;

    if (!child)
        return TRUE;
    if (!parse_type(child, error) || !xml_attr_number(child, "domain", &pci->domain, error) ||
        !xml_attr_number(child, "bus", &pci->bus, error) ||
        !xml_attr_number(child, "slot", &pci->slot, error) ||
        !xml_attr_number(child, "function", &pci->function, error) ||
        !xml_attr_word(child, "multifunction", XML_OPTIONAL, switch_words, &pci->multifunction,
                       error) ||
        !check_range(pci, error))
        return FALSE;
    pci->known = pci->domain || pci->bus || pci->slot;
    return TRUE;
}

void
device_format_address(const Device *dev, XmlWriter *out)
{
    const PciAddress *pci = &dev->pci;

    if (!pci->known)
        return;
    xml_open(out, "address");
    xml_put_attr(out, "type", "pci");
    xml_put_attr_hex(out, "domain", 4, pci->domain);
    xml_put_attr_hex(out, "bus", 2, pci->bus);
    xml_put_attr_hex(out, "slot", 2, pci->slot);
    xml_put_attr_hex(out, "function", 1, pci->function);
    if (pci->multifunction >= 0)
        xml_put_attr(out, "multifunction", switch_words[pci->multifunction]);
    xml_close(out);
}

gboolean
device_same_slot(const Device *one, const Device *other)
{
    return one->pci.domain == other->pci.domain && one->pci.bus == other->pci.bus && one->pci.slot == other->pci.slot;
}

gboolean
device_same_address(const Device *one, const Device *other)
{
    return device_same_slot(one, other) && one->pci.function == other->pci.function;
}

/* A bus goes by the alias of the controller that opens it. */
void
device_describe_address(const Device *dev, VmmMsg *msg)
{
    g_autofree char *bus = g_strdup_printf(dev->pci.bus ? "pci.%u" : "pcie.%u", dev->pci.bus);

    vmm_msg_put_string(msg, "bus", bus);
    vmm_msg_put_u64(msg, "slot", dev->pci.slot);
    vmm_msg_put_u64(msg, "function", dev->pci.function);
}
