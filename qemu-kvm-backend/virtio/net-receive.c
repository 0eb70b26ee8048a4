/* To the guest (5.1.6.3, 5.1.6.4). */
#include "qemu-kvm-backend/virtio/net.h"

#include <endian.h>
#include <string.h>

/* The chains that a packet goes to. Where its header begins is kept, for the number of chains, which is in it,
 * is known last. */
typedef struct Delivery {
    unsigned n;
    uint16_t heads[NET_QUEUE_SIZE];
    uint32_t written[NET_QUEUE_SIZE];
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

    if (!(net->offloads & NET_BIT(VIRTIO_NET_F_GUEST_CSUM)))
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
    return net_link_is_up(net) && net_offloads_cover(net->offloads, &packet->header, true) &&
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

void
net_receive(Net *net, unsigned pair)
{
    VirtQueue *queue = net->vdev.queues[2 * pair];
    unsigned n = 0;

    queue_ignore_kicks(queue);
    net_backend_watch(net->backend, pair, true, net->out_waits[pair]);
    while (n < NET_BATCH && receive_one(net, pair, queue))
        n++;
    queue_flush(queue);
    /* The rest may be in the back end's memory, where no event tells of it. */
    if (n == NET_BATCH)
        virtio_kick(&net->vdev, 2 * pair);
}
