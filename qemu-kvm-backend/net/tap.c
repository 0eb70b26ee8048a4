/* A tap of the host's kernel (tun/tap, Documentation/networking/tuntap.rst): one descriptor a pair of queues,
 * one packet a system call, each with a virtio header before it (IFF_VNET_HDR), so that neither side computes
 * a checksum or cuts a segment that the other one, or the network card below, will do. */
#include "qemu-kvm-backend/net/kind.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BIT(feature) (1ull << (feature))

/* What the guest may be given (its GUEST_ features, 5.1.3) and the kernel's word for it. */
static const struct {
    unsigned feature;
    unsigned flag;
} offloads[] = {
    { VIRTIO_NET_F_GUEST_CSUM, TUN_F_CSUM }, { VIRTIO_NET_F_GUEST_TSO4, TUN_F_TSO4 },
    { VIRTIO_NET_F_GUEST_TSO6, TUN_F_TSO6 }, { VIRTIO_NET_F_GUEST_ECN, TUN_F_TSO_ECN },
    { VIRTIO_NET_F_GUEST_UFO, TUN_F_UFO },
};

#define N_OFFLOADS (sizeof(offloads) / sizeof(offloads[0]))

/* All but checksums themselves. */
#define GUEST_SEGMENTS                                                                             \
    (BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |   \
     BIT(VIRTIO_NET_F_GUEST_UFO))

static bool
tap_set_offloads(NetChannel *channel, uint64_t features)
{
    unsigned flags = 0;

    for (unsigned i = 0; i < N_OFFLOADS; i++)
        flags |= features & BIT(offloads[i].feature) ? offloads[i].flag : 0;
    return ioctl(channel->fd, TUNSETOFFLOAD, flags) == 0;
}

/* Kernels without some of it refuse the whole: UFO is what has come and gone. A tap with a virtio header
 * takes what guests send with any header, whatever it gives them: what it cannot pass on it completes. */
static uint64_t
probe_offloads(NetChannel *channel)
{
    static const uint64_t candidates[] = {
        BIT(VIRTIO_NET_F_GUEST_CSUM) | GUEST_SEGMENTS,
        (BIT(VIRTIO_NET_F_GUEST_CSUM) | GUEST_SEGMENTS) & ~BIT(VIRTIO_NET_F_GUEST_UFO),
        BIT(VIRTIO_NET_F_GUEST_CSUM),
    };
    uint64_t features = 0;

    for (unsigned i = 0; i < sizeof(candidates) / sizeof(candidates[0]) && !features; i++) {
        if (tap_set_offloads(channel, candidates[i]))
            features = candidates[i] | BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
    }
    tap_set_offloads(channel, 0);
    features |= BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |
                BIT(VIRTIO_NET_F_HOST_ECN);
    if (features & BIT(VIRTIO_NET_F_GUEST_UFO))
        features |= BIT(VIRTIO_NET_F_HOST_UFO);
    return features;
}

static bool
tap_open(NetChannel *channel, uint64_t *ret_features, VmmError *err)
{
    struct ifreq request = { 0 };
    int size = sizeof(NetHeader);

    if (ioctl(channel->fd, TUNGETIFF, &request) < 0)
        return vmm_error_errno(err, "The descriptor of a network card is not a tap's");
    if ((request.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) !=
        (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Interface '%.16s' is not a tap with a virtio header and no other one",
                         request.ifr_name);
    if (ioctl(channel->fd, TUNSETVNETHDRSZ, &size) < 0)
        return vmm_error_errno(err, "Interface '%.16s' has no virtio header of 12 bytes",
                               request.ifr_name);
    *ret_features = probe_offloads(channel);
    return true;
}

/* A queue that the guest does not read must be off, or the kernel gives it flows that nobody gets. EINVAL: it
 * was off, or on, before. */
static bool
tap_set_active(NetChannel *channel, bool active)
{
    struct ifreq request = { .ifr_flags = active ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

    return ioctl(channel->fd, TUNSETQUEUE, &request) == 0 || errno == EINVAL;
}

static bool
tap_peek(NetChannel *channel, NetPacket *ret)
{
    ssize_t n;

    if (channel->tail == 0) {
        do
            n = read(channel->fd, channel->in, NET_BUFFER_SIZE);
        while (n < 0 && errno == EINTR);
        if (n < (ssize_t)(sizeof(NetHeader) + NET_FRAME_MIN)) {
            channel->lost = n < 0 && errno != EAGAIN; /* EBADFD: the interface is gone */
            return false;
        }
        channel->tail = n;
    }
    __builtin_memcpy(&ret->header, channel->in, sizeof(NetHeader));
    ret->frame = channel->in + sizeof(NetHeader);
    ret->size = channel->tail - sizeof(NetHeader);
    return true;
}

static void
tap_take(NetChannel *channel)
{
    channel->tail = 0;
}

/* EIO: the interface is down; EINVAL: the header does not suit the frame. Either way the packet is lost, as on
 * a cable. */
static int
tap_send(NetChannel *channel, const NetHeader *header, struct iovec *frame, unsigned n, size_t size)
{
    ssize_t done;

    frame[-1] = (struct iovec){ (void *)header, sizeof(*header) };
    do
        done = writev(channel->fd, frame - 1, n + 1);
    while (done < 0 && errno == EINTR);
    if (done < 0 && (errno == EAGAIN || errno == ENOBUFS))
        return -1;
    return done < 0 ? 0 : 1;
}

const NetKind net_kind_tap = {
    .name = "tap",
    .channels_max = 15,
    .in_size = NET_BUFFER_SIZE,
    .open = tap_open,
    .set_offloads = tap_set_offloads,
    .set_active = tap_set_active,
    .peek = tap_peek,
    .take = tap_take,
    .send = tap_send,
};
