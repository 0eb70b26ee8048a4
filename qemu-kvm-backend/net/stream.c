/* A connected stream socket, as passt(1) has it: each frame after its length in four bytes, big-endian. There
 * is no virtio header, so the guest computes its own checksums and cuts its own segments. */
#include "qemu-kvm-backend/net/kind.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define LENGTH_SIZE 4
#define STREAM_MAX  65535 /* passt ends the connection over a longer frame */

static bool
stream_open(NetChannel *channel, uint64_t *ret_features, VmmError *err)
{
    int type;
    socklen_t size = sizeof(type);

    if (getsockopt(channel->fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The descriptor of a network card is not a stream socket");
    *ret_features = 0;
    return true;
}

/* Reads as much as there is room for; false where nothing came. */
static bool
fill(NetChannel *channel)
{
    ssize_t n;

    if (channel->head > 0) {
        memmove(channel->in, channel->in + channel->head, channel->tail - channel->head);
        channel->tail -= channel->head;
        channel->head = 0;
    }
    do
        n = recv(channel->fd, channel->in + channel->tail, NET_BUFFER_SIZE - channel->tail,
                 MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        channel->lost = n == 0 || errno != EAGAIN;
        return false;
    }
    channel->tail += n;
    return true;
}

/* The length of the frame at the head; 0 where it is not there yet. */
static size_t
next_length(const NetChannel *channel)
{
    uint32_t length;

    if (channel->tail - channel->head < LENGTH_SIZE)
        return 0;
    memcpy(&length, channel->in + channel->head, LENGTH_SIZE);
    return be32toh(length);
}

/* A length that no frame has means that the two sides are out of step, for good. */
static bool
stream_peek(NetChannel *channel, NetPacket *ret)
{
    size_t length;

    do {
        length = next_length(channel);
        if (channel->tail - channel->head >= LENGTH_SIZE &&
            (length < NET_FRAME_MIN || length > NET_FRAME_MAX)) {
            channel->lost = true;
            return false;
        }
        if (length > 0 && channel->tail - channel->head - LENGTH_SIZE >= length) {
            *ret =
                (NetPacket){ .frame = channel->in + channel->head + LENGTH_SIZE, .size = length };
            return true;
        }
    } while (fill(channel));
    return false;
}

static void
stream_take(NetChannel *channel)
{
    channel->head += LENGTH_SIZE + next_length(channel);
}

static ssize_t
send_some(NetChannel *channel, const struct iovec *iov, unsigned n)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = n };
    ssize_t done;

    do
        done = sendmsg(channel->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    return done;
}

static bool
stream_flush(NetChannel *channel)
{
    while (channel->out_head < channel->out_tail) {
        struct iovec rest = { channel->out + channel->out_head,
                              channel->out_tail - channel->out_head };
        ssize_t n = send_some(channel, &rest, 1);

        if (n < 0) {
            channel->lost = errno != EAGAIN;
            return false;
        }
        channel->out_head += n;
    }
    channel->out_head = channel->out_tail = 0;
    return true;
}

/* Keeps what lies past @done bytes: half a frame has to be followed by the other half, whatever becomes of the
 * guest's buffers. */
static void
keep_rest(NetChannel *channel, const struct iovec *iov, unsigned n, size_t done)
{
    for (unsigned i = 0; i < n; i++) {
        size_t skip = done < iov[i].iov_len ? done : iov[i].iov_len;

        memcpy(channel->out + channel->out_tail, (uint8_t *)iov[i].iov_base + skip,
               iov[i].iov_len - skip);
        channel->out_tail += iov[i].iov_len - skip;
        done -= skip;
    }
}

static int
stream_send(NetChannel *channel, const NetHeader *header, struct iovec *frame, unsigned n,
            size_t size)
{
    uint32_t length = htobe32(size);
    ssize_t done;

    if (size > STREAM_MAX)
        return 0;
    if (!stream_flush(channel))
        return channel->lost ? 0 : -1;
    frame[-1] = (struct iovec){ &length, LENGTH_SIZE };
    done = send_some(channel, frame - 1, n + 1);
    if (done < 0 && errno == EAGAIN)
        return -1;
    if (done < 0) {
        channel->lost = true;
        return 0;
    }
    if ((size_t)done < LENGTH_SIZE + size)
        keep_rest(channel, frame - 1, n + 1, done);
    return 1;
}

const NetKind net_kind_stream = {
    .name = "stream",
    .channels_max = 1,
    .in_size = NET_BUFFER_SIZE,
    .out_size = LENGTH_SIZE + STREAM_MAX,
    .open = stream_open,
    .peek = stream_peek,
    .take = stream_take,
    .send = stream_send,
    .flush = stream_flush,
};
