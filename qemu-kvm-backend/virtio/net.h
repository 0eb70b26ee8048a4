/* net: what virtio-net's card is, for the files that make it up: net.c is the device, net-receive.c and
 * net-transmit.c move packets, net-offloads.c knows which packet may pass unfinished, net-control.c reads the
 * guest's commands, net-params.c what "add-device" says of the card, net-state.c saves and restores it.
 *
 * All under the device's lock. Nothing is kept here between two calls: what the guest has no buffers for waits in
 * the back end, and what the network does not take waits in the guest's queue. Neither side is looked at while it
 * cannot go on. The driver hears once of all that one call did.
 */
#pragma once

#include "qemu-kvm-backend/net/backend.h"
#include "qemu-kvm-backend/net/filter.h"
#include "qemu-kvm-backend/net/shaper.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio.h"

#define NET_QUEUE_SIZE 256
#define NET_PAIRS_MAX  ((VIRTIO_QUEUES_MAX - 1) / 2)
#define NET_BATCH      64 /* packets in a call, then other sources get their turn */

#define NET_BIT(feature) (1ull << (feature))

/* One direction, as statistics tell it. */
typedef struct NetCounter {
    uint64_t packets, bytes, dropped;
} NetCounter;

typedef struct Net {
    VirtioDevice vdev;
    struct virtio_net_config config;
    uint8_t own_mac[NET_MAC_SIZE]; /* the card's; the guest may set another one until it resets */
    NetBackend *backend;
    NetShaper *shaper;
    IoThread *thread; /* NULL: the main loop */
    unsigned n_pairs;
    unsigned n_active;             /* pairs in use */
    uint64_t offloads;             /* GUEST_ features in force */
    bool out_waits[NET_PAIRS_MAX]; /* for the network */
    NetFilter filter;
    NetCounter rx, tx;
    /* Of the packet that is being sent; the first is the back end's. */
    struct iovec frame[1 + NET_QUEUE_SIZE];
} Net;

#define NET_GUEST_OFFLOADS                                                                         \
    (NET_BIT(VIRTIO_NET_F_GUEST_CSUM) | NET_BIT(VIRTIO_NET_F_GUEST_TSO4) |                         \
     NET_BIT(VIRTIO_NET_F_GUEST_TSO6) | NET_BIT(VIRTIO_NET_F_GUEST_ECN) |                          \
     NET_BIT(VIRTIO_NET_F_GUEST_UFO))

bool net_link_is_up(const Net *net);
/* The driver hears of it where that is new. */
void net_set_link(Net *net, bool up);

/* What is left of the GUEST_ features in @features by what each requires. */
uint64_t net_offloads_allowed(uint64_t features);
/* Whether @features, with the guest's or the host's bits, allow what @header says. */
bool net_offloads_cover(uint64_t features, const NetHeader *header, bool to_guest);

/* Moves what there is between the back end's channel and the queues of @pair, as far as both sides go on. */
void net_receive(Net *net, unsigned pair);
void net_transmit(Net *net, unsigned pair);

/* What "add-device" says of the card itself. */
bool net_read_params(Net *net, VmmMsg *params, VmmError *err);

extern const StateTable net_state;
