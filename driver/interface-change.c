#include "driver/interface.h"

#include "driver/device-interface.h"
#include "driver/error.h"
#include "driver/tap.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

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

Device *
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

gboolean
interface_update(Device *dev, const Device *wanted, const DeviceLowering *lowering, VmmMsg *tell,
                 GError **error)
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

/* A guest is on the network that its document names, and on no other one. */
void
interface_take_back(const Device *dev, const Device *was)
{
    const Interface *iface = (const Interface *)dev;
    const char *bridge = ((const Interface *)was)->bridge;
    g_autoptr(GError) error = NULL;

    if (g_strcmp0(iface->bridge, bridge) != 0 && !tap_move(iface->opened, iface->bridge, bridge, &error))
        g_warning("Cannot bring interface '%s' back: %s", iface->opened, error->message);
}

static gboolean
is_called(const Interface *iface, const char *name)
{
    guint8 mac[MAC_SIZE];

    if (interface_scan_mac(name, mac))
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
