#include "driver/device-panic.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <string.h>

/* What the policy table lets through of libvirt's. A document without a model means the first, on a PC. */
typedef enum PanicModel {
    PANIC_ISA,
    PANIC_PCI, /* "pvpanic": libvirt has it since 9.1 */
    PANIC_N_MODELS
} PanicModel;

static const char *const model_words[] = { "isa", "pvpanic", NULL };

typedef struct Panic {
    Device dev;
    int model;
    gboolean isa_address; /* <address type='isa'/>, with the port or without */
    guint port;           /* 0: the usual one */
} Panic;

static gboolean
parse_model(Panic *panic, const XmlNode *node, GError **error)
{
    g_autofree char *model = xml_attr(node, "model");

    if (!model)
        return TRUE;
    while (model_words[panic->model] && strcmp(model_words[panic->model], model) != 0)
        panic->model++;
    if (model_words[panic->model])
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown panic model '%s'", model);
}

/* Hexadecimal with and without 0x, as libvirt reads the ports of ISA addresses and no others. */
static gboolean
parse_port(Panic *panic, const XmlNode *address, GError **error)
{
    g_autofree char *text = xml_attr(address, "iobase");
    guint64 port;
    char *end;

    if (!text)
        return TRUE;
    errno = 0;
    port = g_ascii_strtoull(text, &end, 16);
    if (errno || end == text || *end || port > G_MAXUINT || strchr(text, '-'))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value for attribute 'iobase' in element 'address': '%s'. "
                            "Expected non-negative integer value",
                            text);
    panic->port = port;
    return TRUE;
}

static gboolean
parse_place(Panic *panic, const XmlNode *node, GError **error)
{
    const XmlNode *address = xml_child(node, "address");
    g_autofree char *type = address ? xml_attr(address, "type") : NULL;
    gboolean is_isa = g_strcmp0(type, "isa") == 0;

    if (type && is_isa && panic->model != PANIC_ISA)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "pvpanic is supported only with PCI address type");
    if (type && !is_isa && panic->model == PANIC_ISA)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "panic is supported only with ISA address type");
    panic->isa_address = is_isa;
    return is_isa ? parse_port(panic, address, error)
                  : device_parse_address(&panic->dev, node, error);
}

static gboolean
panic_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    device_parse_alias(dev, node, flags);
    return parse_model((Panic *)dev, node, error) && parse_place((Panic *)dev, node, error);
}

static void
format_isa_address(const Panic *panic, XmlWriter *out)
{
    xml_open(out, "address");
    xml_put_attr(out, "type", "isa");
    if (panic->port)
        xml_put_attr_hex(out, "iobase", 1, panic->port);
    xml_close(out);
}

static void
panic_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Panic *panic = (const Panic *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", model_words[panic->model]);
    device_format_alias(dev, out, flags);
    if (panic->isa_address)
        format_isa_address(panic, out);
    device_format_address(dev, out);
    xml_close(out);
}

static void
panic_copy(const Device *from, Device *to)
{
    const Panic *old = (const Panic *)from;
    Panic *copy = (Panic *)to;

    copy->model = old->model;
    copy->isa_address = old->isa_address;
    copy->port = old->port;
}

static gboolean
panic_check(const Device *dev, GError **error)
{
    guint port = ((const Panic *)dev)->port;

    return port <= G_MAXUINT16 ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "the I/O port 0x%x of <panic> is not supported by this machine", port);
}

static gboolean
panic_check_all(const GPtrArray *devices, GError **error)
{
    gboolean seen[PANIC_N_MODELS] = { FALSE };

    for (guint i = 0; i < devices->len; i++) {
        const Panic *panic = g_ptr_array_index(devices, i);

        if (panic->dev.kind != &device_panic)
            continue;
        if (seen[panic->model])
            return driver_error(error, VIR_ERR_XML_ERROR, "Multiple panic devices with model '%s'",
                                model_words[panic->model]);
        seen[panic->model] = TRUE;
    }
    return TRUE;
}

static PciRole
panic_pci_role(const Device *dev)
{
    return ((const Panic *)dev)->model == PANIC_PCI ? PCI_ROLE_ENDPOINT : PCI_ROLE_NONE;
}

static gboolean
panic_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const Panic *panic = (const Panic *)dev;
    gboolean is_pci = panic->model == PANIC_PCI;
    VmmMsg *msg = to->add(to->data, is_pci ? VMM_CLASS_PVPANIC_PCI : VMM_CLASS_PVPANIC, dev->alias);

    if (is_pci)
        device_describe_address(dev, msg);
    else if (panic->port)
        vmm_msg_put_u64(msg, "port", panic->port);
    return TRUE;
}

const DeviceKind device_panic = {
    .element = "panic",
    .alias = "panic",
    .size = sizeof(Panic),
    .parse = panic_parse,
    .format = panic_format,
    .copy = panic_copy,
    .check = panic_check,
    .check_all = panic_check_all,
    .lower = panic_lower,
    .pci_role = panic_pci_role,
};
