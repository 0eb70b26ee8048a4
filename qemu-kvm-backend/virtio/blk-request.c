#include "qemu-kvm-backend/virtio/blk.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORT_EVERY_NS 1000000000ull

/* Requests */

BlkRequest *
blk_request_take(Blk *blk)
{
    BlkRequest *req = blk->free;

    if (req)
        blk->free = req->next;
    else
        req = vmm_must(calloc(1, sizeof(*req)));
    req->blk = blk;
    return req;
}

void
blk_request_give_back(BlkRequest *req)
{
    req->next = req->blk->free;
    req->blk->free = req;
}

void
blk_request_finish(BlkRequest *req, uint8_t status)
{
    if (req->status) {
        *req->status = status;
        queue_push(req->blk->vdev.queues[req->queue], req->head, req->in_size);
    }
    blk_request_give_back(req);
}

/* Errors of the host */

static const char *
op_name(BlockOp op)
{
    static const char *const names[] = {
        [BLOCK_READ] = "read",       [BLOCK_WRITE] = "write", [BLOCK_FLUSH] = "flush",
        [BLOCK_DISCARD] = "discard", [BLOCK_ZERO] = "zero",
    };

    return names[op];
}

static bool
is_due(Blk *blk)
{
    uint64_t ns = loop_now_ns();

    if (blk->reported_ns && ns - blk->reported_ns < REPORT_EVERY_NS)
        return false;
    blk->reported_ns = ns;
    return true;
}

static void
tell_driver(Blk *blk, const BlkRequest *req, int error, const char *action)
{
    bool stop = strcmp(action, VMM_ACTION_PAUSE) == 0;
    Board *board = blk->vdev.dev->board;
    VmmMsg *event;

    log_guest("Disk '%s': %s of %" PRIu64 " bytes at %" PRIu64 ": %s", blk->vdev.dev->id,
              op_name(req->block.op), req->block.size, req->block.offset, strerrordesc_np(error));
    if (!stop && !is_due(blk)) /* how many there are is the guest's choice */
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_IO_ERROR);
    vmm_msg_put_string(event, "device", blk->vdev.dev->id);
    vmm_msg_put_string(event, "operation", op_name(req->block.op));
    vmm_msg_put_string(event, "action", action);
    vmm_msg_put_string(event, "error", error == ENOSPC ? "enospc" : "other");
    board->notify(board, event);
}

static void
stop_guest(Blk *blk, const BlkRequest *req, int error)
{
    Board *board = blk->vdev.dev->board;
    char why[200];

    if (blk->asked_to_stop)
        return;
    blk->asked_to_stop = true;
    blk->stop_error = error;
    tell_driver(blk, req, error, VMM_ACTION_PAUSE);
    snprintf(why, sizeof(why), "Disk '%s' cannot %s: %s", blk->vdev.dev->id, op_name(req->block.op),
             strerrordesc_np(error));
    board->request(board, BOARD_IO_ERROR, 0, why);
}

static void
stall(BlkRequest *req)
{
    Blk *blk = req->blk;

    req->next = NULL;
    *blk->stalled_end = req;
    blk->stalled_end = &req->next;
}

static void
fail(BlkRequest *req, int error)
{
    Blk *blk = req->blk;
    ErrorPolicy policy = req->block.op == BLOCK_READ ? blk->on_read : blk->on_write;

    if (policy == POLICY_STOP || (policy == POLICY_ENOSPACE && error == ENOSPC)) {
        stall(req);
        stop_guest(blk, req, error);
        return;
    }
    tell_driver(blk, req, error, policy == POLICY_IGNORE ? "ignore" : "report");
    blk->errors++;
    blk_request_finish(req, policy == POLICY_IGNORE ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
}

static void
tell_threshold(Blk *blk, uint64_t excess)
{
    Board *board = blk->vdev.dev->board;
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_BLOCK_THRESHOLD);

    vmm_msg_put_string(event, "device", blk->vdev.dev->id);
    vmm_msg_put_u64(event, "threshold", blk->threshold);
    vmm_msg_put_u64(event, "excess", excess);
    board->notify(board, event);
}

static void
done(BlockRequest *block, int error)
{
    BlkRequest *req = (BlkRequest *)block;
    Blk *blk = req->blk;
    uint64_t excess = block_take_exceeded(blk->block);

    if (excess)
        tell_threshold(blk, excess);
    if (error) {
        fail(req, error);
        return;
    }
    blk->done[block->op].requests++;
    blk->done[block->op].bytes += req->bytes;
    blk->done[block->op].time_ns += loop_now_ns() - req->since_ns;
    blk_request_finish(req, VIRTIO_BLK_S_OK);
}

/* Reading a chain */

/* Whether the range is on the disk and made of whole blocks. Sizes are compared, never sums, which wrap. */
static bool
is_on_disk(const Blk *blk, uint64_t sector, uint64_t size)
{
    uint64_t sectors = blk_geometry(blk).size / BLOCK_SECTOR;
    uint64_t mask = blk->logical_size - 1;

    return !(size & mask) && !(sector & (mask / BLOCK_SECTOR)) && sector <= sectors &&
           size / BLOCK_SECTOR <= sectors - sector;
}

/* The @size bytes of @from after the first @skip become the request's buffers. */
static void
set_buffers(BlkRequest *req, const struct iovec *from, unsigned n, size_t skip, size_t size)
{
    unsigned n_iov = 0;

    if (req->iov_room < n) {
        req->iov = vmm_must(realloc(req->iov, n * sizeof(struct iovec)));
        req->iov_room = n;
    }
    for (unsigned i = 0; i < n && size > 0; i++) {
        size_t drop = skip < from[i].iov_len ? skip : from[i].iov_len;
        size_t part = from[i].iov_len - drop < size ? from[i].iov_len - drop : size;

        skip -= drop;
        size -= part;
        if (part > 0)
            req->iov[n_iov++] = (struct iovec){ (uint8_t *)from[i].iov_base + drop, part };
    }
    req->block.iov = req->iov;
    req->block.n_iov = n_iov;
}

void
blk_request_submit(BlkRequest *req, BlockOp op, uint64_t sector, uint64_t size)
{
    if ((size == 0 && op != BLOCK_FLUSH) || !req->blk->block) {
        blk_request_finish(req, VIRTIO_BLK_S_OK);
        return;
    }
    req->block.op = op;
    req->block.offset = sector * BLOCK_SECTOR;
    req->block.size = req->bytes = size;
    req->block.done = done;
    req->since_ns = loop_now_ns();
    if (!blk_limits_hold(req))
        block_submit(req->blk->block, &req->block);
}

/* The types of request, 5.2.6. The last byte for the device to write is the status. */

static void
serve_read(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t size = chain->in_size - 1;

    if (!is_on_disk(req->blk, sector, size)) {
        blk_request_finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    set_buffers(req, chain->in, chain->n_in, 0, size);
    blk_request_submit(req, BLOCK_READ, sector, size);
}

static void
serve_write(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t size = chain->out_size - sizeof(struct virtio_blk_outhdr);

    if (!blk_geometry(req->blk).writable || !is_on_disk(req->blk, sector, size)) {
        blk_request_finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    set_buffers(req, chain->out, chain->n_out, sizeof(struct virtio_blk_outhdr), size);
    blk_request_submit(req, BLOCK_WRITE, sector, size);
}

static void
serve_flush(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    blk_request_submit(req, BLOCK_FLUSH, 0, 0);
}

static void
serve_get_id(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t room = chain->in_size - 1;

    iov_write(chain->in, chain->n_in, 0, req->blk->serial,
              room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES);
    blk_request_finish(req, VIRTIO_BLK_S_OK);
}

/* Discard and write zeroes: one range, as max_discard_seg says. */
static void
serve_range(BlkRequest *req, const VirtChain *chain, BlockOp op, uint32_t known_flags)
{
    const size_t at = sizeof(struct virtio_blk_outhdr);
    struct virtio_blk_discard_write_zeroes range;
    uint64_t sector, size;

    if (chain->out_size != at + sizeof(range) || !blk_geometry(req->blk).writable) {
        blk_request_finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    iov_read(chain->out, chain->n_out, at, &range, sizeof(range));
    sector = le64toh(range.sector);
    size = (uint64_t)le32toh(range.num_sectors) * BLOCK_SECTOR;
    if (le32toh(range.flags) & ~known_flags) {
        blk_request_finish(req, VIRTIO_BLK_S_UNSUPP);
        return;
    }
    if (size > (uint64_t)BLK_RANGE_SECTORS * BLOCK_SECTOR || !is_on_disk(req->blk, sector, size)) {
        blk_request_finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    req->block.may_unmap = req->blk->discard && range.flags;
    blk_request_submit(req, op, sector, size);
}

static void
serve_discard(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    serve_range(req, chain, BLOCK_DISCARD, 0);
}

static void
serve_write_zeroes(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    serve_range(req, chain, BLOCK_ZERO, VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
}

static const struct RequestType {
    uint32_t type;
    int feature; /* that has to be negotiated, or -1 */
    void (*serve)(BlkRequest *req, const VirtChain *chain, uint64_t sector);
} types[] = {
    { VIRTIO_BLK_T_IN, -1, serve_read },
    { VIRTIO_BLK_T_OUT, -1, serve_write },
    { VIRTIO_BLK_T_FLUSH, -1, serve_flush },
    { VIRTIO_BLK_T_GET_ID, -1, serve_get_id },
    { VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_F_DISCARD, serve_discard },
    { VIRTIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_F_WRITE_ZEROES, serve_write_zeroes },
};

static const struct RequestType *
find_type(const Blk *blk, uint32_t type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].type == type &&
            (types[i].feature < 0 || virtio_has(&blk->vdev, types[i].feature)))
            return &types[i];
    }
    return NULL;
}

void
blk_serve(Blk *blk, unsigned queue, const VirtChain *chain)
{
    struct virtio_blk_outhdr header;
    const struct RequestType *type;
    const struct iovec *last;
    BlkRequest *req;

    if (chain->n_in == 0) {
        virtio_break(&blk->vdev, "a request has no room for its status");
        return;
    }
    if (iov_read(chain->out, chain->n_out, 0, &header, sizeof(header)) < sizeof(header)) {
        virtio_break(&blk->vdev, "a request ends within its header");
        return;
    }
    last = &chain->in[chain->n_in - 1];
    req = blk_request_take(blk);
    req->queue = queue;
    req->head = chain->head;
    req->in_size = chain->in_size;
    req->status = (uint8_t *)last->iov_base + last->iov_len - 1;
    req->block.n_iov = 0;
    type = find_type(blk, le32toh(header.type));
    if (type)
        type->serve(req, chain, le64toh(header.sector));
    else
        blk_request_finish(req, VIRTIO_BLK_S_UNSUPP);
}
