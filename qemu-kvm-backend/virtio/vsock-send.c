/* From the host to the guest: which packet comes next. */
#include "qemu-kvm-backend/virtio/vsock.h"

#include <endian.h>
#include <string.h>

#define PACKET_MAX 65536u /* bytes of data in one */
#define PIECES     16     /* of a receive buffer that are used */

static struct virtio_vsock_hdr
header(const Vsock *vsock, uint32_t guest_port, uint32_t host_port, uint16_t op)
{
    return (struct virtio_vsock_hdr){
        .src_cid = htole64(VSOCK_HOST_CID),
        .dst_cid = vsock->config.guest_cid,
        .src_port = htole32(host_port),
        .dst_port = htole32(guest_port),
        .type = htole16(VIRTIO_VSOCK_TYPE_STREAM),
        .op = htole16(op),
    };
}

/* Each packet tells of the credit, too. */
static struct virtio_vsock_hdr
conn_header(const Vsock *vsock, VsockConn *conn, uint16_t op)
{
    struct virtio_vsock_hdr hdr = header(vsock, conn->guest_port, conn->host_port, op);

    hdr.buf_alloc = htole32(VSOCK_CONN_BUFFER);
    hdr.fwd_cnt = htole32(conn->taken);
    conn->told_taken = conn->taken;
    conn->tell &= ~VSOCK_TELL_CREDIT;
    return hdr;
}

/* A buffer for a packet; false where the driver has none. */
static bool
pop_buffer(Vsock *vsock, VirtChain *chain)
{
    if (!queue_pop(vsock->vdev.queues[VSOCK_RX], chain))
        return false;
    if (chain->in_size >= sizeof(struct virtio_vsock_hdr))
        return true;
    virtio_break(&vsock->vdev, "a receive buffer has no room for a header");
    return false;
}

static void
push_packet(Vsock *vsock, const VirtChain *chain, const struct virtio_vsock_hdr *hdr)
{
    iov_write(chain->in, chain->n_in, 0, hdr, sizeof(*hdr));
    queue_push(vsock->vdev.queues[VSOCK_RX], chain->head, sizeof(*hdr) + le32toh(hdr->len));
}

static void
send_strays(Vsock *vsock)
{
    unsigned n = 0;
    VirtChain chain;

    while (n < vsock->n_strays && pop_buffer(vsock, &chain)) {
        const VsockStray *stray = &vsock->strays[n++];
        struct virtio_vsock_hdr hdr =
            header(vsock, stray->guest_port, stray->host_port, VIRTIO_VSOCK_OP_RST);

        hdr.type = htole16(stray->type);
        push_packet(vsock, &chain, &hdr);
    }
    vsock->n_strays -= n;
    memmove(vsock->strays, vsock->strays + n, vsock->n_strays * sizeof(VsockStray));
}

/* The data's part of a buffer, up to @size bytes: pieces in @ret. */
static unsigned
data_pieces(const VirtChain *chain, size_t size, struct iovec ret[PIECES])
{
    size_t skip = sizeof(struct virtio_vsock_hdr);
    unsigned n = 0;

    for (unsigned i = 0; i < chain->n_in && n < PIECES && size > 0; i++) {
        struct iovec piece = chain->in[i];
        size_t gone = skip < piece.iov_len ? skip : piece.iov_len;

        skip -= gone;
        piece.iov_base = (uint8_t *)piece.iov_base + gone;
        piece.iov_len -= gone;
        if (piece.iov_len > size)
            piece.iov_len = size;
        size -= piece.iov_len;
        if (piece.iov_len > 0)
            ret[n++] = piece;
    }
    return n;
}

static bool
may_read(const VsockConn *conn)
{
    return conn->state == VSOCK_OPEN && conn->readable && !conn->eof &&
           !(conn->guest_shut & VSOCK_NO_RECEIVE) && !(conn->tell & VSOCK_TELL_RESPONSE);
}

/* What the host has for the guest, which has credit, into @chain; false where there is nothing. */
static bool
send_data(Vsock *vsock, VsockConn *conn, const VirtChain *chain)
{
    uint32_t credit = vsock_conn_credit(conn);
    size_t size = credit < PACKET_MAX ? credit : PACKET_MAX;
    struct virtio_vsock_hdr hdr;
    struct iovec pieces[PIECES];
    unsigned n = data_pieces(chain, size, pieces);
    size_t got;

    if (n == 0) {
        virtio_break(&vsock->vdev, "a receive buffer has no room for data");
        return false;
    }
    got = vsock_conn_read(conn, pieces, n);
    if (got == 0)
        return false;
    hdr = conn_header(vsock, conn, VIRTIO_VSOCK_OP_RW);
    hdr.len = htole32(got);
    push_packet(vsock, chain, &hdr);
    return true;
}

/* What the guest should know of the host's end by now. */
static unsigned
host_shut(const VsockConn *conn)
{
    return (conn->eof ? VSOCK_NO_SEND : 0) | (conn->gone ? VSOCK_NO_RECEIVE : 0);
}

static bool
owes_shutdown(const VsockConn *conn)
{
    return conn->state == VSOCK_OPEN && host_shut(conn) & ~conn->host_shut;
}

static bool
has_news(const VsockConn *conn)
{
    return conn->tell || owes_shutdown(conn) || (may_read(conn) && vsock_conn_credit(conn) > 0);
}

static void
send_plain(Vsock *vsock, VsockConn *conn, const VirtChain *chain, uint16_t op)
{
    struct virtio_vsock_hdr hdr = conn_header(vsock, conn, op);

    push_packet(vsock, chain, &hdr);
}

static void
send_shutdown(Vsock *vsock, VsockConn *conn, const VirtChain *chain)
{
    struct virtio_vsock_hdr hdr = conn_header(vsock, conn, VIRTIO_VSOCK_OP_SHUTDOWN);

    conn->host_shut = host_shut(conn);
    hdr.flags = htole32(conn->host_shut);
    push_packet(vsock, chain, &hdr);
    /* The guest answers the end of both ways with a reset (5.10.6.5). */
    if (conn->host_shut == VSOCK_NOTHING)
        vsock_set_patience(vsock, conn, VSOCK_PATIENCE);
}

static bool
send_told(Vsock *vsock, VsockConn *conn, const VirtChain *chain, unsigned what, uint16_t op)
{
    if (!(conn->tell & what))
        return false;
    conn->tell &= ~what;
    send_plain(vsock, conn, chain, op);
    return true;
}

/* One packet about @conn into @chain: what there is, in the order in which the guest has to hear it. False where
 * there is nothing after all. */
static bool
send_news(Vsock *vsock, VsockConn *conn, const VirtChain *chain)
{
    if (send_told(vsock, conn, chain, VSOCK_TELL_REQUEST, VIRTIO_VSOCK_OP_REQUEST) ||
        send_told(vsock, conn, chain, VSOCK_TELL_RESPONSE, VIRTIO_VSOCK_OP_RESPONSE))
        return true;
    if (may_read(conn) && vsock_conn_credit(conn) > 0 && send_data(vsock, conn, chain))
        return true;
    if (owes_shutdown(conn)) {
        send_shutdown(vsock, conn, chain);
        return true;
    }
    return send_told(vsock, conn, chain, VSOCK_TELL_NEEDS_CREDIT, VIRTIO_VSOCK_OP_CREDIT_REQUEST) ||
           send_told(vsock, conn, chain, VSOCK_TELL_CREDIT, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
}

/* The guest is asked for room once, when it has none left. */
static void
ask_for_credit(Vsock *vsock, VsockConn *conn)
{
    if (may_read(conn) && vsock_conn_credit(conn) == 0 && conn->sent != conn->asked_at) {
        conn->asked_at = conn->sent;
        conn->tell |= VSOCK_TELL_NEEDS_CREDIT;
    }
}

/* Those with news take turns, a packet each. False where the driver has no buffer. */
static bool
send_next(Vsock *vsock, VsockConn *conn)
{
    VirtChain chain;

    vsock_make_unready(vsock, conn);
    if (!has_news(conn))
        return true;
    if (!pop_buffer(vsock, &chain)) {
        vsock_make_ready(vsock, conn);
        return false;
    }
    if (conn->tell & VSOCK_TELL_RESET) {
        send_plain(vsock, conn, &chain, VIRTIO_VSOCK_OP_RST);
        vsock_drop(vsock, conn);
        return true;
    }
    if (!send_news(vsock, conn, &chain))
        queue_unpop(vsock->vdev.queues[VSOCK_RX]);
    ask_for_credit(vsock, conn);
    if (has_news(conn))
        vsock_make_ready(vsock, conn);
    return true;
}

void
vsock_look_for_news(Vsock *vsock, VsockConn *conn)
{
    if (vsock_conn_owes_credit(conn))
        conn->tell |= VSOCK_TELL_CREDIT;
    ask_for_credit(vsock, conn);
    if (has_news(conn))
        vsock_make_ready(vsock, conn);
}

/* 5.10.6.7 */
static void
send_transport_reset(Vsock *vsock)
{
    static const struct virtio_vsock_event event = { VIRTIO_VSOCK_EVENT_TRANSPORT_RESET };
    VirtQueue *queue = vsock->vdev.queues[VSOCK_EVENTS];
    VirtChain chain;

    if (!vsock->moved || !queue_pop(queue, &chain))
        return;
    vsock->moved = false;
    queue_push(queue, chain.head, iov_write(chain.in, chain.n_in, 0, &event, sizeof(event)));
    queue_flush(queue);
}

void
vsock_serve(Vsock *vsock)
{
    VirtioDevice *vdev = &vsock->vdev;
    unsigned n = 0;

    if (!vdev->started)
        return;
    send_transport_reset(vsock);
    send_strays(vsock);
    while (n < VSOCK_QUEUE_SIZE && vsock->first_ready && send_next(vsock, vsock->first_ready))
        n++;
    queue_flush(vdev->queues[VSOCK_RX]);
    if (n == VSOCK_QUEUE_SIZE)
        virtio_kick(vdev, VSOCK_RX);
    if (vsock->tx_waits && vsock->n_strays < VSOCK_STRAYS_MAX) {
        vsock->tx_waits = false;
        virtio_kick(vdev, VSOCK_TX);
    }
    vsock_hear(vsock);
}
