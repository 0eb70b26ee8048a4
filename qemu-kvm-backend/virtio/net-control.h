/* net-control: the commands of a network card's control queue (virtio 1.2, section 5.1.6.5). */
#pragma once

#include "qemu-kvm-backend/net/filter.h"
#include "qemu-kvm-backend/virtio/queue.h"

/* What the card does about a command; false where it cannot, and the driver hears so. */
typedef struct NetControlOps {
    bool (*set_mac)(void *data, const uint8_t mac[NET_MAC_SIZE]);
    bool (*set_pairs)(void *data, unsigned n);
    bool (*set_offloads)(void *data, uint64_t features);
} NetControlOps;

/* Obeys the command in @chain, as far as the driver negotiated its kind in @features, and writes the answer.
 * Returns the bytes written, 0 where there is no room for an answer, which no driver does. */
uint32_t net_control_serve(const VirtChain *chain, uint64_t features, NetFilter *filter,
                           const NetControlOps *ops, void *data);
