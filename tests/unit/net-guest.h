/* net-guest: a guest's driver of a network card, on top of virtio-guest. */
#pragma once

#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/net/packet.h"

#define NET_GUEST_SLOTS 64

typedef struct NetGuest {
    VirtioGuest *guest;
    unsigned pair;
    uint32_t rx_size, tx_size; /* bytes of a buffer */
    uint64_t rx, tx;           /* the buffers, NET_GUEST_SLOTS of each, behind each other */
    bool tx_busy[NET_GUEST_SLOTS];
    unsigned n_tx_busy;
} NetGuest;

/* The driver of one pair of a device that was started; it has not offered buffers yet. */
NetGuest *net_guest_new(VirtioGuest *guest, unsigned pair, uint32_t rx_size, uint32_t tx_size);

/* Makes receive buffer @slot available; net_guest_offer_all() all of them. No kick. */
void net_guest_offer(NetGuest *net, unsigned slot);
void net_guest_offer_all(NetGuest *net);
/* The next packet, from as many buffers as it fills, which are made available again where @again. NULL where
 * there is none. */
GByteArray *net_guest_receive(NetGuest *net, NetHeader *ret_header, bool again);

/* Puts a packet into the queue, without a kick; false where every buffer is on its way. */
bool net_guest_send(NetGuest *net, const NetHeader *header, const void *frame, size_t size);
/* Takes back what has been sent; how many. */
unsigned net_guest_reclaim(NetGuest *net);
