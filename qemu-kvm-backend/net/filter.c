#include "qemu-kvm-backend/net/filter.h"

#include <string.h>

#define ETHERTYPE_AT   12
#define ETHERTYPE_VLAN 0x8100
#define TAG_END        16 /* where the tag's VLAN number ends */

void
net_filter_reset(NetFilter *filter, const uint8_t mac[NET_MAC_SIZE])
{
    *filter = (NetFilter){ .modes = { [NET_RX_PROMISC] = true } };
    memcpy(filter->mac, mac, NET_MAC_SIZE);
}

void
net_filter_set_vlan(NetFilter *filter, uint16_t vlan, bool pass)
{
    uint8_t *byte = &filter->vlans[vlan % NET_VLANS / 8], bit = 1 << vlan % 8;

    *byte = pass ? *byte | bit : *byte & ~bit;
}

static bool
has(const NetMacs *macs, const uint8_t *mac)
{
    for (unsigned i = 0; i < macs->n; i++) {
        if (memcmp(macs->macs[i], mac, NET_MAC_SIZE) == 0)
            return true;
    }
    return macs->all;
}

static bool
passes_mac(const NetFilter *filter, const uint8_t *mac)
{
    static const uint8_t broadcast[NET_MAC_SIZE] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    const bool *modes = filter->modes;

    if (modes[NET_RX_PROMISC])
        return true;
    if (memcmp(mac, broadcast, NET_MAC_SIZE) == 0)
        return !modes[NET_RX_NOBCAST];
    if (mac[0] & 1)
        return !modes[NET_RX_NOMULTI] && (modes[NET_RX_ALLMULTI] || has(&filter->multicast, mac));
    return !modes[NET_RX_NOUNI] &&
           (modes[NET_RX_ALLUNI] || memcmp(mac, filter->mac, NET_MAC_SIZE) == 0 ||
            has(&filter->unicast, mac));
}

/* VLAN 0 is no VLAN, just a priority (IEEE 802.1Q, 9.6). */
static bool
passes_vlan(const NetFilter *filter, const uint8_t *frame, size_t size)
{
    unsigned vlan;

    if (!filter->by_vlan || size < TAG_END ||
        (frame[ETHERTYPE_AT] << 8 | frame[ETHERTYPE_AT + 1]) != ETHERTYPE_VLAN)
        return true;
    vlan = (frame[TAG_END - 2] << 8 | frame[TAG_END - 1]) % NET_VLANS;
    return vlan == 0 || filter->vlans[vlan / 8] >> vlan % 8 & 1;
}

bool
net_filter_passes(const NetFilter *filter, const uint8_t *frame, size_t size)
{
    return passes_vlan(filter, frame, size) && passes_mac(filter, frame);
}
