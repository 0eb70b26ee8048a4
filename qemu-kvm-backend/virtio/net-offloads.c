/* Which checksums and segments may be left to the other side (5.1.3, 5.1.6). */
#include "qemu-kvm-backend/virtio/net.h"

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
uint64_t
net_offloads_allowed(uint64_t features)
{
    uint64_t tso = NET_BIT(VIRTIO_NET_F_GUEST_TSO4) | NET_BIT(VIRTIO_NET_F_GUEST_TSO6);

    features &= NET_GUEST_OFFLOADS;
    if (!(features & NET_BIT(VIRTIO_NET_F_GUEST_CSUM)))
        return 0;
    return features & tso ? features : features & ~NET_BIT(VIRTIO_NET_F_GUEST_ECN);
}

bool
net_offloads_cover(uint64_t features, const NetHeader *header, bool to_guest)
{
    uint8_t gso = header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    unsigned csum = to_guest ? VIRTIO_NET_F_GUEST_CSUM : VIRTIO_NET_F_CSUM;
    unsigned ecn = to_guest ? VIRTIO_NET_F_GUEST_ECN : VIRTIO_NET_F_HOST_ECN;

    if (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM && !(features & NET_BIT(csum)))
        return false;
    if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
        return true;
    if (header->gso_type & VIRTIO_NET_HDR_GSO_ECN && !(features & NET_BIT(ecn)))
        return false;
    for (unsigned i = 0; i < sizeof(segmentations) / sizeof(segmentations[0]); i++) {
        if (segmentations[i].gso == gso)
            return features & NET_BIT(to_guest ? segmentations[i].guest : segmentations[i].host);
    }
    return false;
}
