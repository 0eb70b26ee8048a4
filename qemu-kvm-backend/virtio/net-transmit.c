/* From the guest (5.1.6.2). */
#include "qemu-kvm-backend/virtio/net.h"

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

    if (!net_link_is_up(net) || size < NET_FRAME_MIN || size > NET_FRAME_MAX ||
        !net_offloads_cover(net->vdev.driver_features, header, false))
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
void
net_transmit(Net *net, unsigned pair)
{
    VirtQueue *queue = net->vdev.queues[2 * pair + 1];
    VirtChain chain;
    unsigned n = 0;
    bool stuck = false;

    queue_ignore_kicks(queue);
    do {
        while (n < NET_BATCH && !stuck && queue_pop(queue, &chain)) {
            stuck = !transmit_one(net, pair, queue, &chain);
            n++;
        }
        queue_flush(queue);
    } while (n < NET_BATCH && !stuck && queue_want_kicks(queue));
    if (n == NET_BATCH && !stuck)
        virtio_kick(&net->vdev, 2 * pair + 1);
}
