/* virtio-net (virtio 1.2, section 5.1): the device. */
#include "qemu-kvm-backend/virtio/net.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/net-control.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <string.h>

/* What there is with any back end. */
#define FEATURES                                                                                   \
    (NET_BIT(VIRTIO_NET_F_MAC) | NET_BIT(VIRTIO_NET_F_STATUS) | NET_BIT(VIRTIO_NET_F_MRG_RXBUF) |  \
     NET_BIT(VIRTIO_NET_F_CTRL_VQ) | NET_BIT(VIRTIO_NET_F_CTRL_RX) |                               \
     NET_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) | NET_BIT(VIRTIO_NET_F_CTRL_VLAN) |                       \
     NET_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

bool
net_link_is_up(const Net *net)
{
    return net->config.status & htole16(VIRTIO_NET_S_LINK_UP);
}

void
net_set_link(Net *net, bool up)
{
    uint16_t status = htole16(up ? VIRTIO_NET_S_LINK_UP : 0);

    if (net->config.status == status)
        return;
    net->config.status = status;
    virtio_config_changed(&net->vdev);
}

static void
on_ready(void *data, unsigned pair, bool in, bool out)
{
    Net *net = data;

    if (out) {
        net->out_waits[pair] = false;
        net_transmit(net, pair);
    }
    if (in)
        net_receive(net, pair);
}

/* What had to wait for its turn may go on, but for what waits for the network, too. */
static void
on_turn(void *data, unsigned pair, bool in, bool out)
{
    Net *net = data;

    if (out && !net->out_waits[pair])
        net_transmit(net, pair);
    if (in)
        net_receive(net, pair);
}

static void
on_lost(void *data)
{
    net_set_link(data, false);
}

/* Commands */

static bool
set_mac(void *data, const uint8_t mac[NET_MAC_SIZE])
{
    Net *net = data;

    if (!virtio_has(&net->vdev, VIRTIO_NET_F_CTRL_MAC_ADDR))
        return false;
    memcpy(net->config.mac, mac, NET_MAC_SIZE);
    memcpy(net->filter.mac, mac, NET_MAC_SIZE);
    return true;
}

static bool
set_pairs(void *data, unsigned n)
{
    Net *net = data;

    if (n < 1 || n > net->n_pairs || !net_backend_set_active(net->backend, n))
        return false;
    for (unsigned i = n; i < net->n_active; i++)
        net->out_waits[i] = false;
    for (unsigned i = net->n_active; i < n; i++)
        virtio_kick(&net->vdev, 2 * i + 1);
    net->n_active = n;
    return true;
}

static bool
set_offloads(void *data, uint64_t features)
{
    Net *net = data;

    if (features & ~(net->vdev.driver_features & NET_GUEST_OFFLOADS))
        return false;
    features = net_offloads_allowed(features);
    if (!net_backend_set_offloads(net->backend, features))
        return false;
    net->offloads = features;
    return true;
}

static const NetControlOps control_ops = { set_mac, set_pairs, set_offloads };

static void
control(Net *net, unsigned index)
{
    VirtQueue *queue = net->vdev.queues[index];
    VirtChain chain;
    unsigned n = 0;

    for (; n < queue_size(queue) && queue_pop(queue, &chain); n++) {
        uint32_t written =
            net_control_serve(&chain, net->vdev.driver_features, &net->filter, &control_ops, net);

        if (written == 0) {
            virtio_break(&net->vdev, "a command has no room for its answer");
            return;
        }
        queue_push(queue, chain.head, written);
    }
    queue_flush(queue);
    if (n == queue_size(queue))
        virtio_kick(&net->vdev, index);
}

/* The device */

/* 5.1.2: the last one; without VIRTIO_NET_F_MQ the driver knows of one pair only. */
static unsigned
control_index(const Net *net)
{
    return virtio_has(&net->vdev, VIRTIO_NET_F_MQ) ? 2 * net->n_pairs : 2;
}

static void
net_kick(VirtioDevice *vdev, unsigned index)
{
    Net *net = (Net *)vdev;
    unsigned pair = index / 2;

    if (index == control_index(net) && virtio_has(vdev, VIRTIO_NET_F_CTRL_VQ))
        control(net, index);
    else if (pair >= net->n_active)
        return;
    else if (index % 2 == 0)
        net_receive(net, pair);
    else if (!net->out_waits[pair])
        net_transmit(net, pair);
}

static void
net_start(VirtioDevice *vdev)
{
    Net *net = (Net *)vdev;

    net->filter.by_vlan = virtio_has(vdev, VIRTIO_NET_F_CTRL_VLAN);
    if (net->n_active == 0) { /* not after a pause */
        net->n_active = 1;
        net->offloads = net_offloads_allowed(vdev->driver_features);
    }
    net->offloads &= net_offloads_allowed(vdev->driver_features); /* what was restored, too */
    net_shaper_start(net->shaper, vdev->loop);
    net_backend_start(net->backend, vdev->loop, net->n_active, net->offloads);
}

static void
net_stop(VirtioDevice *vdev)
{
    Net *net = (Net *)vdev;

    net_backend_stop(net->backend);
    net_shaper_stop(net->shaper);
    memset(net->out_waits, 0, sizeof(net->out_waits));
}

static void
net_reset(VirtioDevice *vdev)
{
    Net *net = (Net *)vdev;

    net->n_active = 0;
    memcpy(net->config.mac, net->own_mac, NET_MAC_SIZE);
    net_filter_reset(&net->filter, net->own_mac);
}

/* What the driver asks for: link? bool, and what net/shaper.h says. It hears the statistics. */
static bool
net_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    Net *net = (Net *)vdev;
    bool up;

    if (vmm_msg_get_bool(request, "link", &up)) {
        if (up && net_backend_is_lost(net->backend))
            return vmm_error(err, VMM_ERROR_FAILED, "Network card '%s' has lost its network",
                             vdev->dev->id);
        net_set_link(net, up);
    }
    net_shaper_read(net->shaper, request);
    vmm_msg_put_bool(reply, "link", net_link_is_up(net));
    vmm_msg_put_u64(reply, "rx-packets", net->rx.packets);
    vmm_msg_put_u64(reply, "rx-bytes", net->rx.bytes);
    vmm_msg_put_u64(reply, "rx-dropped", net->rx.dropped);
    vmm_msg_put_u64(reply, "tx-packets", net->tx.packets);
    vmm_msg_put_u64(reply, "tx-bytes", net->tx.bytes);
    vmm_msg_put_u64(reply, "tx-dropped", net->tx.dropped);
    return true;
}

static bool
start_thread(Net *net, VmmMsg *params, VmmError *err)
{
    bool wanted = true;

    vmm_msg_get_bool(params, "thread", &wanted);
    if (!wanted)
        return true;
    net->thread = iothread_new("io net");
    if (!net->thread)
        return vmm_error_errno(err, "Cannot start a thread for network card '%s'",
                               net->vdev.dev->id);
    net->vdev.loop = iothread_loop(net->thread);
    return true;
}

static bool
net_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Net *net = (Net *)vdev;
    NetBackendOwner owner = {
        .name = vdev->dev->id,
        .lock = &vdev->dev->lock,
        .ready = on_ready,
        .lost = on_lost,
        .data = net,
    };
    const NetShaperOwner shaper_owner = {
        .lock = &vdev->dev->lock,
        .ready = on_turn,
        .data = net,
    };

    net->shaper = net_shaper_new(NET_PAIRS_MAX, &shaper_owner);
    net_shaper_read(net->shaper, params);
    if (!net_read_params(net, params, err))
        return false;
    net->backend = net_backend_new(params, net->n_pairs, &owner, err);
    if (!net->backend || !start_thread(net, params, err))
        return false;
    vdev->features = FEATURES | net_backend_features(net->backend) |
                     (net->n_pairs > 1 ? NET_BIT(VIRTIO_NET_F_MQ) : 0) |
                     (net->config.mtu ? NET_BIT(VIRTIO_NET_F_MTU) : 0);
    vdev->n_queues = 2 * net->n_pairs + 1;
    vdev->queue_size = NET_QUEUE_SIZE;
    vdev->config = &net->config;
    vdev->config_size = offsetof(struct virtio_net_config, speed);
    net_reset(vdev);
    return true;
}

static void
net_destroy(VirtioDevice *vdev)
{
    Net *net = (Net *)vdev;

    net_backend_free(net->backend);
    net_shaper_free(net->shaper);
    iothread_free(net->thread);
}

const VirtioClass virtio_net_class = {
    .name = "net",
    .id = 1,
    .pci_class = 0x020000, /* Ethernet */
    .size = sizeof(Net),
    .create = net_create,
    .start = net_start,
    .stop = net_stop,
    .reset = net_reset,
    .kick = net_kick,
    .tell = net_tell,
    .destroy = net_destroy,
    .state = &net_state,
};
