#include "driver/device-watchdog.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <libvirt/libvirt.h>
#include <string.h>

#define MODEL "i6300esb" /* the policy table refuses the others */

/* libvirt's words, the first of them what a document without one means, and what the VMM calls them. */
static const struct {
    const char *word, *vmm;
    int event;
} actions[] = {
    { "reset", VMM_WATCHDOG_RESET, VIR_DOMAIN_EVENT_WATCHDOG_RESET },
    { "shutdown", VMM_WATCHDOG_SHUTDOWN, VIR_DOMAIN_EVENT_WATCHDOG_SHUTDOWN },
    { "poweroff", VMM_WATCHDOG_POWEROFF, VIR_DOMAIN_EVENT_WATCHDOG_POWEROFF },
    { "pause", VMM_WATCHDOG_PAUSE, VIR_DOMAIN_EVENT_WATCHDOG_PAUSE },
    { "none", VMM_WATCHDOG_NONE, VIR_DOMAIN_EVENT_WATCHDOG_NONE },
    { "inject-nmi", VMM_WATCHDOG_INJECT_NMI, VIR_DOMAIN_EVENT_WATCHDOG_INJECTNMI },
};

typedef struct Watchdog {
    Device dev;
    guint action; /* in the table */
} Watchdog;

int
device_watchdog_event(const char *action)
{
    for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(actions[i].vmm, action) == 0)
            return actions[i].event;
    }
    return -1;
}

static gboolean
parse_model(const XmlNode *node, GError **error)
{
    g_autofree char *model = xml_attr(node, "model");

    if (!model)
        return driver_error(error, VIR_ERR_INTERNAL_ERROR, "watchdog must contain model name");
    return strcmp(model, MODEL) == 0 ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown watchdog model '%s'", model);
}

static gboolean
parse_action(Watchdog *watchdog, const XmlNode *node, GError **error)
{
    g_autofree char *action = xml_attr(node, "action");

    if (!action)
        return TRUE;
    for (guint i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (strcmp(actions[i].word, action) == 0) {
            watchdog->action = i;
            return TRUE;
        }
    }
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown watchdog action '%s'", action);
}

static gboolean
watchdog_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    device_parse_alias(dev, node, flags);
    return parse_model(node, error) && parse_action((Watchdog *)dev, node, error) &&
           device_parse_address(dev, node, error);
}

static void
watchdog_format(const Device *dev, XmlWriter *out, guint flags)
{
    xml_open(out, dev->kind->element);
    xml_put_attr(out, "model", MODEL);
    xml_put_attr(out, "action", actions[((const Watchdog *)dev)->action].word);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static void
watchdog_copy(const Device *from, Device *to)
{
    ((Watchdog *)to)->action = ((const Watchdog *)from)->action;
}

/* libvirt 9.0 has one at most. */
static gboolean
watchdog_check_all(const GPtrArray *devices, GError **error)
{
    guint n = 0;

    for (guint i = 0; i < devices->len; i++)
        n += ((const Device *)g_ptr_array_index(devices, i))->kind == &device_watchdog;
    return n <= 1 || driver_error(error, VIR_ERR_INTERNAL_ERROR,
                                  "only a single watchdog device is supported");
}

static PciRole
watchdog_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

static gboolean
watchdog_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    VmmMsg *msg = to->add(to->data, VMM_CLASS_I6300ESB, dev->alias);

    device_describe_address(dev, msg);
    vmm_msg_put_string(msg, "action", actions[((const Watchdog *)dev)->action].vmm);
    return TRUE;
}

const DeviceKind device_watchdog = {
    .element = "watchdog",
    .alias = "watchdog",
    .size = sizeof(Watchdog),
    .parse = watchdog_parse,
    .format = watchdog_format,
    .copy = watchdog_copy,
    .check_all = watchdog_check_all,
    .lower = watchdog_lower,
    .pci_role = watchdog_pci_role,
};
