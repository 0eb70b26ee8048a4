/* fake-tap: the back end "tap" without a kernel's tap, in place of net/tap.c: sockets that keep packets apart, as many as
 * there are pairs of queues. What comes in is what the fuzzer says, its header too. */
#include "qemu-kvm-backend/net/kind.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>

#define BIT(feature) (1ull << (feature))

static bool
open_any(NetChannel *channel, uint64_t *ret_features, VmmError *err)
{
    *ret_features = BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) |
                    BIT(VIRTIO_NET_F_GUEST_TSO6) | BIT(VIRTIO_NET_F_GUEST_ECN) |
                    BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | BIT(VIRTIO_NET_F_CSUM) |
                    BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |
                    BIT(VIRTIO_NET_F_HOST_ECN);
    return true;
}

static bool
set_offloads(NetChannel *channel, uint64_t features)
{
    return true;
}

static bool
set_active(NetChannel *channel, bool active)
{
    return true;
}

static bool
peek(NetChannel *channel, NetPacket *ret)
{
    ssize_t n;

    if (channel->tail == 0) {
        n = recv(channel->fd, channel->in, NET_BUFFER_SIZE, MSG_DONTWAIT);
        if (n < (ssize_t)(sizeof(NetHeader) + NET_FRAME_MIN)) {
            channel->lost = n == 0 || (n < 0 && errno != EAGAIN);
            return false;
        }
        channel->tail = n;
    }
    memcpy(&ret->header, channel->in, sizeof(NetHeader));
    ret->frame = channel->in + sizeof(NetHeader);
    ret->size = channel->tail - sizeof(NetHeader);
    return true;
}

static void
take(NetChannel *channel)
{
    channel->tail = 0;
}

static int
send_packet(NetChannel *channel, const NetHeader *header, struct iovec *frame, unsigned n,
            size_t size)
{
    struct msghdr msg = { .msg_iov = frame - 1, .msg_iovlen = n + 1 };

    frame[-1] = (struct iovec){ (void *)header, sizeof(*header) };
    if (sendmsg(channel->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return errno == EAGAIN ? -1 : 0;
    return 1;
}

const NetKind net_kind_tap = {
    .name = "tap",
    .channels_max = 15,
    .in_size = NET_BUFFER_SIZE,
    .open = open_any,
    .set_offloads = set_offloads,
    .set_active = set_active,
    .peek = peek,
    .take = take,
    .send = send_packet,
};
