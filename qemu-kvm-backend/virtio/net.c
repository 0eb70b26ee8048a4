/* virtio-net (virtio 1.2, section 5.1).
 *
 * Nothing is kept here between two calls: what the guest has no buffers for waits in the back end, and what
 * the network does not take waits in the guest's queue. Neither side is looked at while it cannot go on. The
 * driver hears once of all that one call did.
 */
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/net/backend.h"
#include "qemu-kvm-backend/net/filter.h"
#include "qemu-kvm-backend/net/shaper.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/net-control.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#define QUEUE_SIZE 256
#define PAIRS_MAX  ((VIRTIO_QUEUES_MAX - 1) / 2)
#define BATCH      64 /* packets in a call, then other sources get their turn */
#define MTU_MIN    68 /* 5.1.4.1 */
#define MTU_MAX    65535

#define BIT(feature) (1ull << (feature))

/* What there is with any back end. */
#define FEATURES                                                                                   \
    (BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MRG_RXBUF) |              \
     BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |     \
     BIT(VIRTIO_NET_F_CTRL_VLAN) | BIT(VIRTIO_NET_F_CTRL_MAC_ADDR))

/* One direction, as statistics tell it. */
typedef struct Counter {
    uint64_t packets, bytes, dropped;
} Counter;

typedef struct Net {
    VirtioDevice vdev;
    struct virtio_net_config config;
    uint8_t own_mac[NET_MAC_SIZE]; /* the card's; the guest may set another one until it resets */
    NetBackend *backend;
    NetShaper *shaper;
    IoThread *thread; /* NULL: the main loop */
    unsigned n_pairs;
    unsigned n_active;         /* pairs in use */
    uint64_t offloads;         /* GUEST_ features in force */
    bool out_waits[PAIRS_MAX]; /* for the network */
    NetFilter filter;
    Counter rx, tx;
    struct iovec
        frame[1 + QUEUE_SIZE]; /* of the packet that is being sent; the first is the back end's */
} Net;

#define GUEST_OFFLOADS                                                                             \
    (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |  \
     BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_GUEST_UFO))

/* The feature that lets a packet have this segmentation, in either direction. */
static const struct {
    uint8_t gso;
    unsigned guest, host;
} segmentations[] = {
    { VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4 },
    { VIRTIO_NET_HDR_GSO_TCPV6, VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6 },
    { VIRTIO_NET_HDR_GSO_UDP, VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_UFO },
};

/* Drivers must not negotiate a segmentation without the checksum (5.1.3.1); one that does goes without. */
static uint64_t
with_requirements(uint64_t features)
{
    uint64_t tso = BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6);

    features &= GUEST_OFFLOADS;
    if (!(features & BIT(VIRTIO_NET_F_GUEST_CSUM)))
        return 0;
    return features & tso ? features : features & ~BIT(VIRTIO_NET_F_GUEST_ECN);
}

/* Whether @features, with the guest's or the host's bits, allow what @header says. */
static bool
allows(uint64_t features, const NetHeader *header, bool to_guest)
{
    uint8_t gso = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    unsigned csum = to_guest ? VIRTIO_NET_F_GUEST_CSUM : VIRTIO_NET_F_CSUM;
    unsigned ecn = to_guest ? VIRTIO_NET_F_GUEST_ECN : VIRTIO_NET_F_HOST_ECN;

    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && !(features & BIT(csum)))
        return false;
    if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (header->gso_type & VIRTIO_NET_HDR_GSO_ECN && !(features & BIT(ecn)))
        return false;
    for (unsigned i = 0; i < sizeof(segmentations) / sizeof(segmentations[0]); i++) {
        if (segmentations[i].gso == gso)
            return features & BIT(to_guest ? segmentations[i].guest : segmentations[i].host);
    }
    return false;
}

static bool
link_is_up(const Net *net)
{
    return net->config.status & htole16(VIRTIO_NET_S_LINK_UP);
}

static void
set_link(Net *net, bool up)
{
    uint16_t status = htole16(up ? VIRTIO_NET_S_LINK_UP : 0);

    if (net->config.status == status)
        return;
    net->config.status = status;
    virtio_config_changed(&net->vdev);
}

/* To the guest */

/* The chains that a packet goes to. Where its header begins is kept, for the number of chains, which is in it,
 * is known last. */
typedef struct Delivery {
    unsigned n;
    uint16_t heads[QUEUE_SIZE];
    uint32_t written[QUEUE_SIZE];
    struct iovec start[sizeof(NetHeader)]; /* a piece is a byte at least */
    unsigned n_start;
    size_t done; /* bytes of header and frame */
} Delivery;

typedef enum Delivered {
    DELIVERED,
    STARVED,  /* the guest has not made enough buffers available */
    TOO_LONG, /* it never will */
} Delivered;

static void
forget(VirtQueue *queue, Delivery *delivery)
{
    while (delivery->n-- > 0)
        queue_unpop(queue);
}

/* Puts as much of the packet into @chain as it holds. */
static void
fill_chain(Delivery *delivery, const VirtChain *chain, const NetPacket *packet)
{
    size_t room = chain->in_size, at = 0, rest;

    if (delivery->n == 0) {
        delivery->n_start = chain->n_in < sizeof(NetHeader) ? chain->n_in : sizeof(NetHeader);
        memcpy(delivery->start, chain->in, delivery->n_start * sizeof(struct iovec));
        at = sizeof(NetHeader);
    }
    rest = packet->size - delivery->done;
    if (rest > room - at)
        rest = room - at;
    iov_write(chain->in, chain->n_in, at, packet->frame + delivery->done, rest);
    delivery->done += rest;
    delivery->heads[delivery->n] = chain->head;
    delivery->written[delivery->n++] = at + rest;
}

static void
complete(Net *net, VirtQueue *queue, const Delivery *delivery, const NetPacket *packet)
{
    NetHeader header = packet->header;

    if (!(net->offloads & BIT(VIRTIO_NET_F_GUEST_CSUM)))
        header.flags = 0; /* a tap vouches for checksums in any case */
    header.num_buffers = htole16(delivery->n);
    iov_write(delivery->start, delivery->n_start, 0, &header, sizeof(header));
    for (unsigned i = 0; i < delivery->n; i++)
        queue_push(queue, delivery->heads[i], delivery->written[i]);
    net->rx.packets++;
    net->rx.bytes += packet->size;
}

/* The next chain of the guest's; where there is none it says when there is, and in between it may have made
 * one available. */
static bool
pop_buffer(VirtQueue *queue, VirtChain *chain)
{
    return queue_pop(queue, chain) || (queue_want_kicks(queue) && queue_pop(queue, chain));
}

static Delivered
deliver(Net *net, VirtQueue *queue, const NetPacket *packet)
{
    unsigned max = virtio_has(&net->vdev, VIRTIO_NET_F_MRG_RXBUF) ? queue_size(queue) : 1;
    Delivery delivery = { .n = 0 };
    VirtChain chain;

    do {
        if (delivery.n == max || !pop_buffer(queue, &chain)) {
            Delivered why = delivery.n == max ? TOO_LONG : STARVED;

            forget(queue, &delivery);
            return why;
        }
        if (chain.n_out > 0 || (delivery.n == 0 && chain.in_size < sizeof(NetHeader))) {
            virtio_break(&net->vdev, "a receive buffer does not hold a packet's header");
            return STARVED;
        }
        fill_chain(&delivery, &chain, packet);
    } while (delivery.done < packet->size);
    complete(net, queue, &delivery, packet);
    return DELIVERED;
}

static bool
is_wanted(const Net *net, const NetPacket *packet)
{
    return link_is_up(net) && allows(net->offloads, &packet->header, true) &&
           net_filter_passes(&net->filter, packet->frame, packet->size);
}

/* One packet; false where there is none, or it has to wait for the guest. */
static bool
receive_one(Net *net, unsigned pair, VirtQueue *queue)
{
    NetPacket packet;

    if (!net_backend_peek(net->backend, pair, &packet))
        return false;
    if (is_wanted(net, &packet)) {
        if (!net_shaper_may_pass(net->shaper, pair, false, packet.size)) {
            net_backend_watch(net->backend, pair, false, net->out_waits[pair]);
            return false;
        }
        switch (deliver(net, queue, &packet)) {
        case DELIVERED:
            break;
        case TOO_LONG:
            net->rx.dropped++;
            break;
        case STARVED:
            net_backend_watch(net->backend, pair, false, net->out_waits[pair]);
            return false;
        }
    }
    net_shaper_passed(net->shaper, pair, false);
    net_backend_take(net->backend, pair);
    return true;
}

static void
receive(Net *net, unsigned pair)
{
    VirtQueue *queue = net->vdev.queues[2 * pair];
    unsigned n = 0;

    queue_ignore_kicks(queue);
    net_backend_watch(net->backend, pair, true, net->out_waits[pair]);
    while (n < BATCH && receive_one(net, pair, queue))
        n++;
    queue_flush(queue);
    /* The rest may be in the back end's memory, where no event tells of it. */
    if (n == BATCH)
        virtio_kick(&net->vdev, 2 * pair);
}

/* From the guest */

/* The chain without its header, in net->frame from 1 on; how many pieces that is. */
static unsigned
cut_header(Net *net, const VirtChain *chain)
{
    size_t skip = sizeof(NetHeader);
    unsigned n = 0;

    for (unsigned i = 0; i < chain->n_out; i++) {
        struct iovec piece = chain->out[i];
        size_t cut = skip < piece.iov_len ? skip : piece.iov_len;

        skip -= cut;
        if (cut < piece.iov_len)
            net->frame[1 + n++] =
                (struct iovec){ (uint8_t *)piece.iov_base + cut, piece.iov_len - cut };
    }
    return n;
}

static NetVerdict
send_chain(Net *net, unsigned pair, const VirtChain *chain, const NetHeader *header)
{
    size_t size = chain->out_size - sizeof(*header);

    if (!link_is_up(net) || size < NET_FRAME_MIN || size > NET_FRAME_MAX ||
        !allows(net->vdev.driver_features, header, false))
        return NET_LOST;
    return net_backend_send(net->backend, pair, header, net->frame + 1, cut_header(net, chain),
                            size);
}

/* The header is copied, so that what was checked is what is sent. False where the chain has to wait. */
static bool
transmit_one(Net *net, unsigned pair, VirtQueue *queue, const VirtChain *chain)
{
    NetHeader header;

    if (chain->n_in > 0 ||
        iov_read(chain->out, chain->n_out, 0, &header, sizeof(header)) != sizeof(header)) {
        virtio_break(&net->vdev, "a packet to send has no header, or is a buffer to write to");
        return false;
    }
    header.num_buffers = 0;
    if (!net_shaper_may_pass(net->shaper, pair, true, chain->out_size - sizeof(header))) {
        queue_unpop(queue);
        return false;
    }
    switch (send_chain(net, pair, chain, &header)) {
    case NET_SENT:
        net->tx.packets++;
        net->tx.bytes += chain->out_size - sizeof(header);
        break;
    case NET_LOST:
        net->tx.dropped++;
        break;
    case NET_FULL:
        queue_unpop(queue);
        net->out_waits[pair] = true;
        net_backend_watch(net->backend, pair, true, true);
        return false;
    }
    net_shaper_passed(net->shaper, pair, true);
    queue_push(queue, chain->head, 0);
    return true;
}

/* Kicks are for when there was nothing left to do. */
static void
transmit(Net *net, unsigned pair)
{
    VirtQueue *queue = net->vdev.queues[2 * pair + 1];
    VirtChain chain;
    unsigned n = 0;
    bool stuck = false;

    queue_ignore_kicks(queue);
    do {
        while (n < BATCH && !stuck && queue_pop(queue, &chain)) {
            stuck = !transmit_one(net, pair, queue, &chain);
            n++;
        }
        queue_flush(queue);
    } while (n < BATCH && !stuck && queue_want_kicks(queue));
    if (n == BATCH && !stuck)
        virtio_kick(&net->vdev, 2 * pair + 1);
}

static void
on_ready(void *data, unsigned pair, bool in, bool out)
{
    Net *net = data;

    if (out) {
        net->out_waits[pair] = false;
        transmit(net, pair);
    }
    if (in)
        receive(net, pair);
}

/* What had to wait for its turn may go on, but for what waits for the network, too. */
static void
on_turn(void *data, unsigned pair, bool in, bool out)
{
    Net *net = data;

    if (out && !net->out_waits[pair])
        transmit(net, pair);
    if (in)
        receive(net, pair);
}

static void
on_lost(void *data)
{
    set_link(data, false);
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

    if (features & ~(net->vdev.driver_features & GUEST_OFFLOADS))
        return false;
    features = with_requirements(features);
    if (!net_backend_set_offloads(net->backend, features))
        return false;
    net->offloads = features;
    return true;
}

static const NetControlOps control_ops = { set_mac, set_pairs, set_offloads };

static void
control(Net *net, VirtQueue *queue)
{
    VirtChain chain;
    unsigned n = 0;

    while (n++ < queue_size(queue) && queue_pop(queue, &chain)) {
        uint32_t written =
            net_control_serve(&chain, net->vdev.driver_features, &net->filter, &control_ops, net);

        if (written == 0) {
            virtio_break(&net->vdev, "a command has no room for its answer");
            return;
        }
        queue_push(queue, chain.head, written);
    }
    queue_flush(queue);
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
        control(net, vdev->queues[index]);
    else if (pair >= net->n_active)
        return;
    else if (index % 2 == 0)
        receive(net, pair);
    else if (!net->out_waits[pair])
        transmit(net, pair);
}

static void
net_start(VirtioDevice *vdev)
{
    Net *net = (Net *)vdev;

    net->filter.by_vlan = virtio_has(vdev, VIRTIO_NET_F_CTRL_VLAN);
    if (net->n_active == 0) { /* not after a pause */
        net->n_active = 1;
        net->offloads = with_requirements(vdev->driver_features);
    }
    net->offloads &= with_requirements(vdev->driver_features); /* what was restored, too */
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
        set_link(net, up);
    }
    net_shaper_read(net->shaper, request);
    vmm_msg_put_bool(reply, "link", link_is_up(net));
    vmm_msg_put_u64(reply, "rx-packets", net->rx.packets);
    vmm_msg_put_u64(reply, "rx-bytes", net->rx.bytes);
    vmm_msg_put_u64(reply, "rx-dropped", net->rx.dropped);
    vmm_msg_put_u64(reply, "tx-packets", net->tx.packets);
    vmm_msg_put_u64(reply, "tx-bytes", net->tx.bytes);
    vmm_msg_put_u64(reply, "tx-dropped", net->tx.dropped);
    return true;
}

static bool
read_mac(Net *net, VmmMsg *params, VmmError *err)
{
    uint8_t *mac = net->own_mac;
    const char *text = "";
    int end = 0;

    vmm_msg_get_string(params, "mac", &text);
    if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
               &mac[4], &mac[5], &end) == NET_MAC_SIZE &&
        text[end] == '\0' && end == 17 && !(mac[0] & 1))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Network card '%s' has no address of its own, such as 52:54:00:12:34:56",
                     net->vdev.dev->id);
}

/* A number that the driver may leave out. */
static bool
read_number(VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
            VmmError *err)
{
    uint64_t value = *ret;

    vmm_msg_get_u64(params, key, &value);
    if (value != *ret && (value < min || value > max))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The key '%s' of a network card is not between %u and %u", key,
                         (unsigned)min, (unsigned)max);
    *ret = value;
    return true;
}

static bool
read_params(Net *net, VmmMsg *params, VmmError *err)
{
    uint64_t mtu = 0, pairs = 1;
    bool link = true;

    if (!read_mac(net, params, err) || !read_number(params, "mtu", MTU_MIN, MTU_MAX, &mtu, err) ||
        !read_number(params, "queues", 1, PAIRS_MAX, &pairs, err))
        return false;
    vmm_msg_get_bool(params, "link", &link);
    net->n_pairs = pairs;
    net->config.status = htole16(link ? VIRTIO_NET_S_LINK_UP : 0);
    net->config.max_virtqueue_pairs = htole16(pairs);
    net->config.mtu = htole16(mtu);
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

    net->shaper = net_shaper_new(PAIRS_MAX, &shaper_owner);
    net_shaper_read(net->shaper, params);
    if (!read_params(net, params, err))
        return false;
    net->backend = net_backend_new(params, net->n_pairs, &owner, err);
    if (!net->backend || !start_thread(net, params, err))
        return false;
    vdev->features = FEATURES | net_backend_features(net->backend) |
                     (net->n_pairs > 1 ? BIT(VIRTIO_NET_F_MQ) : 0) |
                     (net->config.mtu ? BIT(VIRTIO_NET_F_MTU) : 0);
    vdev->n_queues = 2 * net->n_pairs + 1;
    vdev->queue_size = QUEUE_SIZE;
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

/* State: what the guest has asked for. Packets are in its queues and in the network; the counters are those
 * of this process. */

static void
save_address(const void *object, StateOut *out)
{
    state_put_bytes(out, ((const Net *)object)->own_mac, NET_MAC_SIZE);
}

static bool
load_address(void *object, const void *data, size_t size, VmmError *err)
{
    const Net *net = object;

    if (size == NET_MAC_SIZE && memcmp(data, net->own_mac, NET_MAC_SIZE) == 0)
        return true;
    return vmm_error(err, VMM_ERROR_INVALID, "The saved network card '%s' had another address",
                     net->vdev.dev->id);
}

static uint64_t
get_link(const void *object)
{
    return link_is_up(object);
}

/* The cable is as it is now, and the guest hears where that is new. */
static bool
set_link_known(void *object, uint64_t value)
{
    Net *net = object;

    if (value != link_is_up(net))
        virtio_config_changed(&net->vdev);
    return value <= 1;
}

static const StateField macs_fields[] = {
    STATE_BYTES(NetMacs, macs),
    STATE_NUMBER_MAX(NetMacs, n, NET_FILTER_MACS),
    STATE_NUMBER(NetMacs, all),
    STATE_END,
};

static const StateTable macs_table = { .version = 1, .fields = macs_fields };

static bool
net_loaded(void *object, VmmError *err)
{
    Net *net = object;

    return net->n_active <= net->n_pairs ||
           vmm_error(err, VMM_ERROR_INVALID,
                     "The saved network card '%s' used %u pairs of queues, this one has %u",
                     net->vdev.dev->id, net->n_active, net->n_pairs);
}

static const StateField net_fields[] = {
    STATE_BLOB("address", save_address, load_address),
    STATE_VALUE("link", get_link, set_link_known),
    STATE_BYTES(Net, config.mac),
    STATE_NUMBER(Net, n_active),
    STATE_NUMBER(Net, offloads),
    STATE_BYTES(Net, filter.mac),
    STATE_NUMBERS(Net, filter.modes),
    STATE_STRUCT(Net, filter.unicast, &macs_table),
    STATE_STRUCT(Net, filter.multicast, &macs_table),
    STATE_BYTES(Net, filter.vlans),
    STATE_END,
};

static const StateTable net_state = { .version = 1, .fields = net_fields, .loaded = net_loaded };

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
