#include "driver/device-memballoon.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

typedef enum BalloonModel {
    BALLOON_VIRTIO,
    BALLOON_NONE,
} BalloonModel;

/* The models that the policy table refuses never get here. */
static const char *const model_words[] = { "virtio", "none", NULL };
static const char *const switch_words[] = { "on", "off", NULL };

typedef struct Memballoon {
    Device dev;
    int model;
    int autodeflate, reporting; /* of switch_words, or -1: not said */
    guint period_s;             /* 0: not said */
} Memballoon;

/* libvirt takes a period that is no number for none. */
static void
parse_stats(Memballoon *balloon, const XmlNode *node)
{
    const XmlNode *stats = xml_child(node, "stats");
    g_autofree char *period = stats ? xml_attr(stats, "period") : NULL;
    guint64 value;

    if (period && xml_parse_uint64(period, &value) && value <= G_MAXINT)
        balloon->period_s = value;
}

static gboolean
memballoon_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Memballoon *balloon = (Memballoon *)dev;

    balloon->autodeflate = balloon->reporting = -1;
    device_parse_alias(dev, node, flags);
    parse_stats(balloon, node);
    return xml_attr_word(node, "model", XML_REQUIRED, model_words, &balloon->model, error) &&
           xml_attr_word(node, "autodeflate", XML_OPTIONAL, switch_words, &balloon->autodeflate,
                         error) &&
           xml_attr_word(node, "freePageReporting", XML_OPTIONAL, switch_words, &balloon->reporting,
                         error) &&
           device_parse_address(dev, node, error);
}

static void
memballoon_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Memballoon *balloon = (const Memballoon *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", model_words[balloon->model]);
    if (balloon->autodeflate >= 0)
        xml_put_attr(out, "autodeflate", switch_words[balloon->autodeflate]);
    if (balloon->reporting >= 0)
        xml_put_attr(out, "freePageReporting", switch_words[balloon->reporting]);
    if (balloon->period_s) {
        xml_open(out, "stats");
        xml_put_attr_uint(out, "period", balloon->period_s);
        xml_close(out);
    }
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static void
memballoon_copy(const Device *from, Device *to)
{
    const Memballoon *old = (const Memballoon *)from;
    Memballoon *copy = (Memballoon *)to;

    copy->model = old->model;
    copy->autodeflate = old->autodeflate;
    copy->reporting = old->reporting;
    copy->period_s = old->period_s;
}

static gboolean
memballoon_check(const Device *dev, GError **error)
{
    const Memballoon *balloon = (const Memballoon *)dev;

    if (balloon->period_s > MEMBALLOON_PERIOD_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'period' of <stats> is not supported by this "
                            "machine, which takes up to %d seconds",
                            balloon->period_s, MEMBALLOON_PERIOD_MAX);
    return TRUE;
}

static guint
count(const GPtrArray *devices)
{
    guint n = 0;

    for (guint i = 0; i < devices->len; i++)
        n += ((const Device *)g_ptr_array_index(devices, i))->kind == &device_memballoon;
    return n;
}

/* As libvirt adds one where the document is silent. (Not to a microvm: a guest that wants to start quickly wants no
 * driver that it has not asked for.) */
static void
memballoon_complete(GPtrArray *devices)
{
    Memballoon *balloon;

    if (count(devices) > 0)
        return;
    balloon = (Memballoon *)device_new(&device_memballoon);
    balloon->autodeflate = balloon->reporting = -1;
    g_ptr_array_add(devices, balloon);
}

static gboolean
memballoon_check_all(const GPtrArray *devices, GError **error)
{
    if (count(devices) > 1)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "only a single memory balloon device is supported");
    return TRUE;
}

static PciRole
memballoon_pci_role(const Device *dev)
{
    return ((const Memballoon *)dev)->model == BALLOON_NONE ? PCI_ROLE_NONE : PCI_ROLE_ENDPOINT;
}

static gboolean
memballoon_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const Memballoon *balloon = (const Memballoon *)dev;
    VmmMsg *msg;

    if (balloon->model == BALLOON_NONE)
        return TRUE;
    msg = to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias);
    vmm_msg_put_string(msg, "device", "balloon");
    device_describe_address(dev, msg);
    if (balloon->autodeflate == 0)
        vmm_msg_put_bool(msg, "deflate-on-oom", true);
    if (balloon->reporting == 0)
        vmm_msg_put_bool(msg, "reporting", true);
    if (to->balloon_kib)
        vmm_msg_put_u64(msg, "target", to->balloon_kib * 1024);
    if (balloon->period_s)
        vmm_msg_put_u64(msg, "stats-period", balloon->period_s);
    return TRUE;
}

Device *
device_memballoon_find(const GPtrArray *devices)
{
    for (guint i = 0; i < devices->len; i++) {
        Device *dev = g_ptr_array_index(devices, i);

        if (dev->kind == &device_memballoon && device_pci_role(dev) == PCI_ROLE_ENDPOINT)
            return dev;
    }
    return NULL;
}

guint
device_memballoon_period(const Device *dev)
{
    return ((const Memballoon *)dev)->period_s;
}

void
device_memballoon_set_period(Device *dev, guint period_s)
{
    ((Memballoon *)dev)->period_s = period_s;
}

const DeviceKind device_memballoon = {
    .element = "memballoon",
    .alias = "balloon",
    .size = sizeof(Memballoon),
    .parse = memballoon_parse,
    .format = memballoon_format,
    .copy = memballoon_copy,
    .check = memballoon_check,
    .lower = memballoon_lower,
    .pci_role = memballoon_pci_role,
    .complete = memballoon_complete,
    .of_machine = TRUE,
    .of_pc = TRUE,
    .check_all = memballoon_check_all,
};
