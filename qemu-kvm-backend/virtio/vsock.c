/* virtio-vsock (virtio 1.2, section 5.10): streams between ports of the guest and sockets of the host.
 *
 * Keys: cid u64, fd (a listening stream socket), broker? fd: see vmm-proto.h. Who connects to the socket says
 * "CONNECT PORT\n", is told "OK PORT\n" once the guest has accepted, and is connected; the broker connects to the
 * host where the guest asks for it (proto/vsock-broker.h).
 *
 * What there is to tell the guest is kept as the fact that it has to be told, and what it sends faster than the
 * host takes it is bounded by its credit, so that neither side can make this one grow: by VSOCK_CONNS_MAX streams with
 * VSOCK_CONN_BUFFER bytes each.
 */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"
#include "qemu-kvm-backend/virtio/vsock.h"

#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define CID_MIN 3u

/* From the guest to the host. */

static void
answer_stray(Vsock *vsock, const struct virtio_vsock_hdr *hdr)
{
    if (le16toh(hdr->op) != VIRTIO_VSOCK_OP_RST)
        vsock->strays[vsock->n_strays++] =
            (VsockStray){ le32toh(hdr->src_port), le32toh(hdr->dst_port), le16toh(hdr->type) };
}

static void
on_request(Vsock *vsock, VsockConn *conn, const struct virtio_vsock_hdr *hdr)
{
    if (conn) {
        vsock_abort(vsock, conn);
        return;
    }
    if (vsock->n_conns == VSOCK_CONNS_MAX) {
        answer_stray(vsock, hdr);
        return;
    }
    conn = vsock_add(vsock, le32toh(hdr->src_port), le32toh(hdr->dst_port), VSOCK_ASKING_HOST);
    conn->guest_room = le32toh(hdr->buf_alloc);
    conn->guest_taken = le32toh(hdr->fwd_cnt);
    if (!vsock_ask_broker(vsock, conn))
        vsock_abort(vsock, conn);
}

/* The host's client hears of it; a socket that is new has room for that. */
static void
on_response(Vsock *vsock, VsockConn *conn)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "OK %" PRIu32 "\n", conn->host_port);

    if (conn->state != VSOCK_ASKING_GUEST ||
        send(conn->fd, text, n, MSG_DONTWAIT | MSG_NOSIGNAL) != n) {
        vsock_abort(vsock, conn);
        return;
    }
    vsock_set_state(vsock, conn, VSOCK_OPEN);
}

/* @size bytes after the header; false where the guest may not send them. */
static bool
write_data(VsockConn *conn, const VirtChain *chain, uint32_t size)
{
    size_t skip = sizeof(struct virtio_vsock_hdr);

    for (unsigned i = 0; i < chain->n_out && size > 0; i++) {
        const struct iovec *piece = &chain->out[i];
        size_t gone = skip < piece->iov_len ? skip : piece->iov_len;
        size_t n = piece->iov_len - gone < size ? piece->iov_len - gone : size;

        skip -= gone;
        size -= n;
        if (n > 0 && !vsock_conn_write(conn, (const uint8_t *)piece->iov_base + gone, n))
            return false;
    }
    return true;
}

static void
on_data(Vsock *vsock, VsockConn *conn, const VirtChain *chain, uint32_t size)
{
    if (conn->state != VSOCK_OPEN || conn->guest_shut & VSOCK_NO_SEND ||
        !write_data(conn, chain, size))
        vsock_abort(vsock, conn);
}

static void
on_shutdown(Vsock *vsock, VsockConn *conn, unsigned flags)
{
    if (conn->state != VSOCK_OPEN) {
        vsock_abort(vsock, conn);
        return;
    }
    conn->guest_shut |= flags & VSOCK_NOTHING;
    if (conn->guest_shut & VSOCK_NO_RECEIVE)
        shutdown(conn->fd, SHUT_RD);
    vsock_conn_flush(conn);
    if (conn->guest_shut == VSOCK_NOTHING)
        vsock_set_state(vsock, conn, VSOCK_CLOSING);
}

/* What it sent before is the host's still, where it had said that there would be no more. */
static void
on_reset(Vsock *vsock, VsockConn *conn)
{
    if (conn->state == VSOCK_CLOSING && conn->used > 0)
        conn->orphan = true;
    else
        vsock_drop(vsock, conn);
}

static void
on_stream(Vsock *vsock, VsockConn *conn, const struct virtio_vsock_hdr *hdr, const VirtChain *chain)
{
    conn->guest_room = le32toh(hdr->buf_alloc);
    conn->guest_taken = le32toh(hdr->fwd_cnt);
    switch (le16toh(hdr->op)) {
    case VIRTIO_VSOCK_OP_RESPONSE:
        on_response(vsock, conn);
        break;
    case VIRTIO_VSOCK_OP_RW:
        on_data(vsock, conn, chain, le32toh(hdr->len));
        break;
    case VIRTIO_VSOCK_OP_SHUTDOWN:
        on_shutdown(vsock, conn, le32toh(hdr->flags));
        break;
    case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
        break;
    case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
        conn->tell |= VSOCK_TELL_CREDIT;
        break;
    default:
        vsock_abort(vsock, conn);
    }
    vsock_look_for_news(vsock, conn);
    vsock_close_if_done(vsock, conn);
}

/* Packets for others than the host, or in another's name, are dropped (5.10.6.4). Before a stream is asked for its
 * guest port is nobody's, so that no packet finds one of the host's clients that has not said what it wants. */
static void
on_packet(Vsock *vsock, const struct virtio_vsock_hdr *hdr, const VirtChain *chain)
{
    VsockConn *conn = vsock_find(vsock, le32toh(hdr->src_port), le32toh(hdr->dst_port));
    uint16_t op = le16toh(hdr->op);

    if (le64toh(hdr->dst_cid) != VSOCK_HOST_CID || hdr->src_cid != vsock->config.guest_cid)
        return;
    if (le16toh(hdr->type) != VIRTIO_VSOCK_TYPE_STREAM || le32toh(hdr->src_port) == UINT32_MAX)
        answer_stray(vsock, hdr);
    else if (op == VIRTIO_VSOCK_OP_REQUEST)
        on_request(vsock, conn, hdr);
    else if (!conn)
        answer_stray(vsock, hdr);
    else if (op == VIRTIO_VSOCK_OP_RST)
        on_reset(vsock, conn);
    else if (!(conn->tell & VSOCK_TELL_RESET))
        on_stream(vsock, conn, hdr, chain);
}

static bool
read_packet(Vsock *vsock, const VirtChain *chain)
{
    struct virtio_vsock_hdr hdr;

    if (iov_read(chain->out, chain->n_out, 0, &hdr, sizeof(hdr)) < sizeof(hdr) ||
        le32toh(hdr.len) > chain->out_size - sizeof(hdr)) {
        virtio_break(&vsock->vdev, "a packet is shorter than its header says");
        return false;
    }
    on_packet(vsock, &hdr, chain);
    return true;
}

/* A guest that sends what has to be answered, and takes no answers, waits. */
static void
read_packets(Vsock *vsock)
{
    VirtQueue *queue = vsock->vdev.queues[VSOCK_TX];
    unsigned n = 0;
    VirtChain chain;

    while (n < VSOCK_QUEUE_SIZE && vsock->n_strays < VSOCK_STRAYS_MAX && queue_pop(queue, &chain)) {
        if (!read_packet(vsock, &chain))
            break;
        queue_push(queue, chain.head, 0);
        n++;
    }
    queue_flush(queue);
    vsock->tx_waits = vsock->n_strays == VSOCK_STRAYS_MAX;
    if (n == VSOCK_QUEUE_SIZE)
        virtio_kick(&vsock->vdev, VSOCK_TX);
}

/* The device. */

static void
lose_patience(Vsock *vsock, VsockConn *conn)
{
    if (conn->state == VSOCK_GREETING)
        vsock_drop(vsock, conn);
    else
        vsock_abort(vsock, conn);
}

/* One second less for those that are waited for; whether there are any left. */
static bool
count_down(Vsock *vsock)
{
    bool any = false;

    for (unsigned i = 0; i < VSOCK_ROWS; i++) {
        for (VsockConn *conn = vsock->rows[i], *next; conn; conn = next) {
            next = conn->next;
            any |= conn->patience > 1;
            if (conn->patience > 0 && --conn->patience == 0)
                lose_patience(vsock, conn);
        }
    }
    return any;
}

static void
on_timer(void *data, uint32_t events)
{
    Vsock *vsock = data;

    pthread_mutex_lock(&vsock->vdev.dev->lock);
    vsock->ticking = false;
    if (vsock->vdev.started && count_down(vsock))
        vsock_tick(vsock);
    vsock_serve(vsock);
    pthread_mutex_unlock(&vsock->vdev.dev->lock);
}

static void
vsock_kick(VirtioDevice *vdev, unsigned index)
{
    Vsock *vsock = (Vsock *)vdev;

    if (index == VSOCK_TX)
        read_packets(vsock);
    vsock_serve(vsock);
}

static void
vsock_start(VirtioDevice *vdev)
{
    Vsock *vsock = (Vsock *)vdev;

    if (vsock->n_conns > 0)
        vsock_tick(vsock);
    vsock_hear(vsock);
}

/* Nobody is blamed for the time of a pause. */
static void
vsock_stop(VirtioDevice *vdev)
{
    Vsock *vsock = (Vsock *)vdev;

    loop_timer_set(vsock->timer, 0);
    vsock->ticking = false;
    if (!vsock->deaf)
        loop_source_set_events(vsock->listening, 0);
    vsock->deaf = true;
}

static void
vsock_reset(VirtioDevice *vdev)
{
    vsock_drop_all((Vsock *)vdev);
    ((Vsock *)vdev)->moved = false;
}

/* Asked for nothing; replies how many streams there are. */
static bool
vsock_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    vmm_msg_put_u64(reply, "streams", ((Vsock *)vdev)->n_conns);
    return true;
}

static bool
read_params(Vsock *vsock, VmmMsg *params, VmmError *err)
{
    const char *id = vsock->vdev.dev->id;
    uint64_t cid;

    vmm_msg_take_fd(params, "broker", &vsock->broker);
    if (!vmm_msg_take_fd(params, "fd", &vsock->listener))
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has no socket", id);
    if (!vmm_msg_get_u64(params, "cid", &cid))
        return vmm_error(err, VMM_ERROR_INVALID, "Device '%s' has no cid", id);
    if (cid < CID_MIN || cid >= UINT32_MAX)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Device '%s': the guest cannot have the cid %" PRIu64, id, cid);
    vsock->config.guest_cid = htole64(cid);
    return true;
}

static bool
vsock_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Vsock *vsock = (Vsock *)vdev;

    vsock->listener = vsock->broker = -1;
    vsock->last_ready = &vsock->first_ready;
    vdev->n_queues = 3;
    vdev->queue_size = VSOCK_QUEUE_SIZE;
    vdev->config = &vsock->config;
    vdev->config_size = sizeof(vsock->config);
    vsock->timer = loop_add_timer(vdev->loop, on_timer, vsock);
    return read_params(vsock, params, err) && vsock_watch_listener(vsock, err) &&
           vsock_watch_broker(vsock, err);
}

static void
vsock_destroy(VirtioDevice *vdev)
{
    Vsock *vsock = (Vsock *)vdev;

    vsock_drop_all(vsock);
    loop_source_free(vsock->timer);
    loop_source_free(vsock->listening);
    loop_source_free(vsock->answering);
    if (vsock->listener >= 0)
        close(vsock->listener);
    if (vsock->broker >= 0)
        close(vsock->broker);
}

/* Sockets of the host stay with the process that has them. */
static bool
vsock_loaded(void *object, VmmError *err)
{
    ((Vsock *)object)->moved = true;
    return true;
}

static const StateField vsock_fields[] = {
    STATE_NUMBER(Vsock, next_port),
    STATE_END,
};
static const StateTable vsock_state = { .version = 1,
                                        .fields = vsock_fields,
                                        .loaded = vsock_loaded };

const VirtioClass virtio_vsock_class = {
    .name = "vsock",
    .id = 19,
    .pci_class = 0x078000, /* some other communication, as QEMU has it */
    .size = sizeof(Vsock),
    .create = vsock_create,
    .start = vsock_start,
    .stop = vsock_stop,
    .kick = vsock_kick,
    .reset = vsock_reset,
    .tell = vsock_tell,
    .state = &vsock_state,
    .destroy = vsock_destroy,
};
