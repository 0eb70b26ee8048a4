#include "driver/device-rng.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define DEFAULT_SOURCE "/dev/random" /* libvirt's */

/* What the policy table lets through of libvirt's. */
typedef enum RngBackend {
    RNG_RANDOM,  /* a device of the host, read by the VMM */
    RNG_BUILTIN, /* the VMM's own: getrandom() */
} RngBackend;

static const char *const backend_words[] = { "random", "builtin", NULL };

typedef struct Rng {
    Device dev;
    int backend;
    char *source; /* of RNG_RANDOM */
} Rng;

static gboolean
parse_model(const XmlNode *node, GError **error)
{
    g_autofree char *model = xml_attr(node, "model");

    if (!model)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing RNG device model");
    if (strcmp(model, "virtio") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown RNG model '%s'", model);
    return TRUE;
}

static gboolean
parse_backend(Rng *rng, const XmlNode *node, GError **error)
{
    const XmlNode *backend = xml_child(node, "backend");
    g_autofree char *model = backend ? xml_attr(backend, "model") : NULL;

    if (xml_count_children(node, "backend") != 1)
        return driver_error(error, VIR_ERR_XML_ERROR, "only one RNG backend is supported");
    if (!model)
        return driver_error(error, VIR_ERR_XML_ERROR, "missing RNG device backend model");
    while (backend_words[rng->backend] && strcmp(backend_words[rng->backend], model) != 0)
        rng->backend++;
    if (!backend_words[rng->backend])
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown RNG backend model '%s'",
                            model);
    if (rng->backend == RNG_RANDOM)
        rng->source = xml_child_text(node, "backend");
    return TRUE;
}

static gboolean
rng_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    device_parse_alias(dev, node, flags);
    return parse_model(node, error) && parse_backend((Rng *)dev, node, error) &&
           device_parse_address(dev, node, error);
}

static void
rng_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Rng *rng = (const Rng *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", "virtio");
    xml_open(out, "backend");
    xml_put_attr(out, "model", backend_words[rng->backend]);
    if (rng->backend == RNG_RANDOM)
        xml_put_text(out, rng->source ? rng->source : DEFAULT_SOURCE);
    xml_close(out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static void
rng_copy(const Device *from, Device *to)
{
    const Rng *old = (const Rng *)from;
    Rng *copy = (Rng *)to;

    copy->backend = old->backend;
    copy->source = g_strdup(old->source);
}

static void
rng_clear(Device *dev)
{
    g_free(((Rng *)dev)->source);
}

static PciRole
rng_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

/* Without waiting: neither for a writer of a FIFO nor, later, for bytes. */
static int
open_source(const Rng *rng, GError **error)
{
    const char *path = rng->source ? rng->source : DEFAULT_SOURCE;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        driver_error_errno(error, errno, "Unable to open file '%s'", path);
    return fd;
}

static gboolean
rng_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const Rng *rng = (const Rng *)dev;
    int fd = rng->backend == RNG_RANDOM ? open_source(rng, error) : -1;
    VmmMsg *msg;

    if (rng->backend == RNG_RANDOM && fd < 0)
        return FALSE;
    msg = to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias);
    vmm_msg_put_string(msg, "device", "rng");
    device_describe_address(dev, msg);
    if (fd >= 0)
        vmm_msg_put_fd(msg, "rng", fd);
    return TRUE;
}

static Device *
rng_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error)
{
    const Rng *like = (const Rng *)wanted;

    for (guint i = 0; i < devices->len; i++) {
        Rng *rng = g_ptr_array_index(devices, i);

        if (rng->dev.kind != &device_rng || rng->backend != like->backend ||
            (like->source && g_strcmp0(rng->source, like->source) != 0) ||
            (wanted->pci.known && !device_same_address(&rng->dev, wanted)) ||
            (wanted->alias && g_strcmp0(rng->dev.alias, wanted->alias) != 0))
            continue;
        return &rng->dev;
    }
    if (config)
        driver_error(error, VIR_ERR_DEVICE_MISSING, "no matching RNG device was found");
    else
        driver_error(error, VIR_ERR_DEVICE_MISSING,
                     "model 'virtio' RNG device not present in domain configuration");
    return NULL;
}

const DeviceKind device_rng = {
    .element = "rng",
    .alias = "rng",
    .size = sizeof(Rng),
    .parse = rng_parse,
    .format = rng_format,
    .copy = rng_copy,
    .lower = rng_lower,
    .pci_role = rng_pci_role,
    .clear = rng_clear,
    .find = rng_find,
};
