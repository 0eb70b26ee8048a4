#include "driver/interface.h"

#include "driver/device-address.h"
#include "driver/device-interface.h"
#include "driver/error.h"
#include "driver/passt.h"
#include "driver/tap.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

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

gboolean
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
