#include "driver/device-vsock.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/vsock-host.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>

/* The rest of libvirt's models is the policy table's to refuse. */
static const char *const model_words[] = { "virtio", NULL };
static const char *const auto_words[] = { "no", "yes", NULL };

typedef struct VsockDevice {
    Device dev;
    int automatic; /* of auto_words */
    guint cid;     /* 0: not said */
} VsockDevice;

static gboolean
parse_cid(VsockDevice *vsock, const XmlNode *node, GError **error)
{
    const XmlNode *cid = xml_child(node, "cid");

    vsock->automatic = -1;
    if (cid && (!xml_attr_uint(cid, "address", XML_NONZERO, &vsock->cid, error) ||
                !xml_attr_word(cid, "auto", XML_OPTIONAL, auto_words, &vsock->automatic, error)))
        return FALSE;
    if (vsock->automatic < 0)
        vsock->automatic = vsock->cid == 0;
    return TRUE;
}

static gboolean
vsock_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    int model = 0;

    device_parse_alias(dev, node, flags);
    return xml_attr_word(node, "model", XML_OPTIONAL, model_words, &model, error) &&
           parse_cid((VsockDevice *)dev, node, error) && device_parse_address(dev, node, error);
}

static void
vsock_format(const Device *dev, XmlWriter *out, guint flags)
{
    const VsockDevice *vsock = (const VsockDevice *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", model_words[0]);
    xml_open(out, "cid");
    xml_put_attr(out, "auto", auto_words[vsock->automatic]);
    if (vsock->cid)
        xml_put_attr_uint(out, "address", vsock->cid);
    xml_close(out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static void
vsock_copy(const Device *from, Device *to)
{
    ((VsockDevice *)to)->automatic = ((const VsockDevice *)from)->automatic;
    ((VsockDevice *)to)->cid = ((const VsockDevice *)from)->cid;
}

static gboolean
vsock_check(const Device *dev, GError **error)
{
    guint cid = ((const VsockDevice *)dev)->cid;

    if (cid && cid < VSOCK_CID_MIN)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "guest CIDs must be >= %u",
                            VSOCK_CID_MIN);
    if (cid > VSOCK_CID_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'address' of <cid> is not supported by this "
                            "machine",
                            cid);
    return TRUE;
}

static VsockDevice *
find_vsock(const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        VsockDevice *vsock = g_ptr_array_index(devices, i);

        if (vsock->dev.kind == &device_vsock)
            return vsock;
    }
    return NULL;
}

guint
device_vsock_cid(const GPtrArray *devices)
{
    const VsockDevice *vsock = find_vsock(devices);

    return vsock ? vsock->cid : 0;
}

static gboolean
vsock_check_all(const GPtrArray *devices, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < devices->len; i++)
        n += ((const Device *)devices->pdata[i])->kind == &device_vsock;
    return n <= 1 ||
           driver_error(error, VIR_ERR_XML_ERROR, "only a single vsock device is supported");
}

static gboolean
vsock_may_attach(const GPtrArray *devices, const Device *dev, gboolean config, GError **error)
{
    return !find_vsock(devices) || driver_error(error, VIR_ERR_OPERATION_INVALID,
                                                config ? "domain already has a vsock device"
                                                       : "the domain already has a vsock device");
}

static PciRole
vsock_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

/* As the kernel's own vsock has it: an address is one guest's, and the first free one is anybody's. */
static gboolean
take_cid(VsockDevice *vsock, const DeviceLowering *to, GError **error)
{
    guint cid = vsock->automatic ? VSOCK_CID_MIN : vsock->cid;

    if (!cid)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "the guest CID has to be given where it is not automatic");
    while (vsock->automatic && cid < VSOCK_CID_MAX && to->cid_taken(to->data, cid))
        cid++;
    if (to->cid_taken(to->data, cid))
        return driver_error(error, VIR_ERR_RESOURCE_BUSY, "guest CID %u is another guest's", cid);
    vsock->cid = cid;
    return TRUE;
}

static gboolean
vsock_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    VsockDevice *vsock = (VsockDevice *)dev;
    VsockHost host;
    VmmMsg *msg;

    if (!take_cid(vsock, to, error) ||
        !vsock_host_open(to->vsock_dir, to->vsock_broker, &host, error))
        return FALSE;
    msg = to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias);
    vmm_msg_put_string(msg, "device", "vsock");
    device_describe_address(dev, msg);
    vmm_msg_put_u64(msg, "cid", vsock->cid);
    vmm_msg_put_fd(msg, "fd", host.listener);
    vmm_msg_put_fd(msg, "broker", host.broker);
    return TRUE;
}

/* One whose address was given out is meant by a document that leaves it open, too. */
static gboolean
is_like(const VsockDevice *vsock, const VsockDevice *wanted)
{
    return vsock->automatic == wanted->automatic &&
           (vsock->cid == wanted->cid || (wanted->automatic && !wanted->cid)) &&
           (!wanted->dev.alias || g_strcmp0(vsock->dev.alias, wanted->dev.alias) == 0);
}

static Device *
vsock_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error)
{
    VsockDevice *vsock = find_vsock(devices);

    if (vsock && is_like(vsock, (const VsockDevice *)wanted))
        return &vsock->dev;
    driver_error(error, VIR_ERR_OPERATION_FAILED, "matching vsock device not found");
    return NULL;
}

const DeviceKind device_vsock = {
    .element = "vsock",
    .alias = "vsock",
    .size = sizeof(VsockDevice),
    .parse = vsock_parse,
    .format = vsock_format,
    .copy = vsock_copy,
    .check = vsock_check,
    .lower = vsock_lower,
    .pci_role = vsock_pci_role,
    .check_all = vsock_check_all,
    .may_attach = vsock_may_attach,
    .find = vsock_find,
};
