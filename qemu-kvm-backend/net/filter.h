/* filter: which of the frames that come in a guest wants (virtio 1.2, sections 5.1.6.5.1 to 5.1.6.5.3). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_MAC_SIZE    6
#define NET_FILTER_MACS 64 /* of each kind that are remembered; with more, all of that kind pass */
#define NET_VLANS       4096

/* Indexed by the command of class VIRTIO_NET_CTRL_RX. */
typedef enum NetRxMode {
    NET_RX_PROMISC,
    NET_RX_ALLMULTI,
    NET_RX_ALLUNI,
    NET_RX_NOMULTI,
    NET_RX_NOUNI,
    NET_RX_NOBCAST,
    NET_RX_MODES,
} NetRxMode;

typedef struct NetMacs {
    uint8_t macs[NET_FILTER_MACS][NET_MAC_SIZE];
    unsigned n;
    bool all; /* there were too many */
} NetMacs;

typedef struct NetFilter {
    uint8_t mac[NET_MAC_SIZE];
    bool modes[NET_RX_MODES];
    NetMacs unicast, multicast;
    bool by_vlan; /* @vlans counts */
    uint8_t vlans[NET_VLANS / 8];
} NetFilter;

/* Everything passes, until the guest says otherwise. */
void net_filter_reset(NetFilter *filter, const uint8_t mac[NET_MAC_SIZE]);
void net_filter_set_vlan(NetFilter *filter, uint16_t vlan, bool pass);
/* @size is at least NET_FRAME_MIN. */
bool net_filter_passes(const NetFilter *filter, const uint8_t *frame, size_t size);
