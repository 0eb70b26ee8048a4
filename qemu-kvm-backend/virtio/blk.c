/* virtio-blk (virtio 1.2, section 5.2): a disk. Its keys, beside those of block/block.h:
 *     queues                u64: 1; as many vCPUs can submit without waiting for each other
 *     queue-size            u64: 256, a power of two
 *     serial                string: of at most 20 bytes
 *     logical-block-size    u64: 512; a power of two up to 4096
 *     physical-block-size   u64: the host's
 *     discard               bool: false; whether the guest may give space back
 *     on-write-error        string: report, stop or enospace (the default: stop where the host's disk is
 *                           full, else report)
 *     on-read-error         string: report (the default) or stop
 *     iothread              u64: the number of the I/O thread that serves it; the main thread does otherwise
 *     removable             bool: false; a drive, read-only, whose medium comes and goes: without an "fd" it
 *                           is empty, and has no sector that could be read
 *
 * All under the device's lock. A request owns its chain from queue_pop() until its status is written; one
 * that failed and has stopped the guest waits in @stalled until the guest runs again or resets the disk.
 */
#include "qemu-kvm-backend/block/block.h"
#include "qemu-kvm-backend/iothread-pool.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/virtio_blk.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_SIZE      256
#define BLOCK_SIZE_MAX  4096
#define PHYSICAL_MAX    65536
#define RANGE_SECTORS   (1u << 22) /* the most that one discard covers: 2 GiB */
#define REPORT_EVERY_NS 1000000000ull

typedef struct Blk Blk;
typedef struct BlkRequest BlkRequest;

struct BlkRequest {
    BlockRequest block; /* first */
    Blk *blk;
    BlkRequest *next; /* of @free or @stalled */
    unsigned queue;
    uint16_t head;
    uint32_t in_size;
    uint8_t *status; /* in guest memory; NULL: nobody asked for this request */
    uint64_t bytes;  /* that it moves, all in all */
    struct iovec *iov;
    unsigned iov_room;
};

/* Where a request is in the guest's memory. */
typedef struct BlkPlace {
    uint16_t queue, head;
} BlkPlace;

typedef enum ErrorPolicy {
    POLICY_REPORT,   /* the guest sees it */
    POLICY_STOP,     /* the guest is stopped, and the request is made again when it runs */
    POLICY_ENOSPACE, /* stop where it helps to make space, else report */
} ErrorPolicy;

struct Blk {
    VirtioDevice vdev;
    Block *block; /* NULL: a drive without a medium */
    bool removable;
    struct {
        uint64_t requests, bytes;
    } done[BLOCK_ZERO + 1]; /* by what they were: those that went well */
    uint64_t errors;        /* that the guest saw */
    IoThread *thread;       /* NULL: the main thread serves it */
    struct virtio_blk_config config;
    char serial[VIRTIO_BLK_ID_BYTES];
    uint32_t logical_size, physical_size; /* bytes */
    uint16_t n_queues;
    bool discard;
    bool writeback; /* as it was configured, which is what a reset goes back to */
    ErrorPolicy on_read, on_write;
    BlkRequest *free; /* the one used last is first, so that few are touched */
    BlkRequest *stalled, **stalled_end;
    BlkPlace *
        again; /* requests that stalled before the guest was saved, to be read from their queues anew */
    unsigned n_again;
    bool asked_to_stop; /* in this run of the guest */
    bool must_flush;    /* the cache was turned off with data in it */
    uint64_t reported_ns;
};

/* A drive without a medium has no sectors, so that nothing gets as far as the block layer. */
static BlockGeometry
geometry(const Blk *blk)
{
    return blk->block ? block_geometry(blk->block)
                      : (BlockGeometry){ .physical_size = BLOCK_SECTOR };
}

/* Requests */

static BlkRequest *
take_request(Blk *blk)
{
    BlkRequest *req = blk->free;

    if (req)
        blk->free = req->next;
    else
        req = vmm_must(calloc(1, sizeof(*req)));
    req->blk = blk;
    return req;
}

static void
give_back(BlkRequest *req)
{
    req->next = req->blk->free;
    req->blk->free = req;
}

static void
finish(BlkRequest *req, uint8_t status)
{
    if (req->status) {
        *req->status = status;
        queue_push(req->blk->vdev.queues[req->queue], req->head, req->in_size);
    }
    give_back(req);
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
    struct timespec now;
    uint64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &now);
    ns = now.tv_sec * 1000000000ull + now.tv_nsec;
    if (blk->reported_ns && ns - blk->reported_ns < REPORT_EVERY_NS)
        return false;
    blk->reported_ns = ns;
    return true;
}

static void
tell_driver(Blk *blk, const BlkRequest *req, int error, bool stop)
{
    Board *board = blk->vdev.dev->board;
    VmmMsg *event;

    log_guest("Disk '%s': %s of %" PRIu64 " bytes at %" PRIu64 ": %s", blk->vdev.dev->id,
              op_name(req->block.op), req->block.size, req->block.offset, strerrordesc_np(error));
    if (!stop && !is_due(blk)) /* how many there are is the guest's choice */
        return;
    event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_IO_ERROR);
    vmm_msg_put_string(event, "device", blk->vdev.dev->id);
    vmm_msg_put_string(event, "operation", op_name(req->block.op));
    vmm_msg_put_string(event, "action", stop ? VMM_ACTION_PAUSE : "report");
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
    tell_driver(blk, req, error, true);
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
    tell_driver(blk, req, error, false);
    blk->errors++;
    finish(req, VIRTIO_BLK_S_IOERR);
}

static void
done(BlockRequest *block, int error)
{
    BlkRequest *req = (BlkRequest *)block;
    Blk *blk = req->blk;

    if (error) {
        fail(req, error);
        return;
    }
    blk->done[block->op].requests++;
    blk->done[block->op].bytes += req->bytes;
    finish(req, VIRTIO_BLK_S_OK);
}

/* Reading a chain */

/* Whether the range is on the disk and made of whole blocks. Sizes are compared, never sums, which wrap. */
static bool
is_on_disk(const Blk *blk, uint64_t sector, uint64_t size)
{
    uint64_t sectors = geometry(blk).size / BLOCK_SECTOR;
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

static void
submit(BlkRequest *req, BlockOp op, uint64_t sector, uint64_t size)
{
    if ((size == 0 && op != BLOCK_FLUSH) || !req->blk->block) {
        finish(req, VIRTIO_BLK_S_OK);
        return;
    }
    req->block.op = op;
    req->block.offset = sector * BLOCK_SECTOR;
    req->block.size = req->bytes = size;
    req->block.done = done;
    block_submit(req->blk->block, &req->block);
}

/* The types of request, 5.2.6. The last byte for the device to write is the status. */

static void
serve_read(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t size = chain->in_size - 1;

    if (!is_on_disk(req->blk, sector, size)) {
        finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    set_buffers(req, chain->in, chain->n_in, 0, size);
    submit(req, BLOCK_READ, sector, size);
}

static void
serve_write(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t size = chain->out_size - sizeof(struct virtio_blk_outhdr);

    if (!geometry(req->blk).writable || !is_on_disk(req->blk, sector, size)) {
        finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    set_buffers(req, chain->out, chain->n_out, sizeof(struct virtio_blk_outhdr), size);
    submit(req, BLOCK_WRITE, sector, size);
}

static void
serve_flush(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    submit(req, BLOCK_FLUSH, 0, 0);
}

static void
serve_get_id(BlkRequest *req, const VirtChain *chain, uint64_t sector)
{
    size_t room = chain->in_size - 1;

    iov_write(chain->in, chain->n_in, 0, req->blk->serial,
              room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES);
    finish(req, VIRTIO_BLK_S_OK);
}

/* Discard and write zeroes: one range, as max_discard_seg says. */
static void
serve_range(BlkRequest *req, const VirtChain *chain, BlockOp op, uint32_t known_flags)
{
    const size_t at = sizeof(struct virtio_blk_outhdr);
    struct virtio_blk_discard_write_zeroes range;
    uint64_t sector, size;

    if (chain->out_size != at + sizeof(range) || !geometry(req->blk).writable) {
        finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    iov_read(chain->out, chain->n_out, at, &range, sizeof(range));
    sector = le64toh(range.sector);
    size = (uint64_t)le32toh(range.num_sectors) * BLOCK_SECTOR;
    if (le32toh(range.flags) & ~known_flags) {
        finish(req, VIRTIO_BLK_S_UNSUPP);
        return;
    }
    if (size > (uint64_t)RANGE_SECTORS * BLOCK_SECTOR || !is_on_disk(req->blk, sector, size)) {
        finish(req, VIRTIO_BLK_S_IOERR);
        return;
    }
    req->block.may_unmap = req->blk->discard && range.flags;
    submit(req, op, sector, size);
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

static void
serve(Blk *blk, unsigned queue, const VirtChain *chain)
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
    req = take_request(blk);
    req->queue = queue;
    req->head = chain->head;
    req->in_size = chain->in_size;
    req->status = (uint8_t *)last->iov_base + last->iov_len - 1;
    req->block.n_iov = 0;
    type = find_type(blk, le32toh(header.type));
    if (type)
        type->serve(req, chain, le64toh(header.sector));
    else
        finish(req, VIRTIO_BLK_S_UNSUPP);
}

/* Queues */

static void
flush_queues(void *data)
{
    Blk *blk = data;

    for (unsigned i = 0; i < blk->vdev.n_queues; i++)
        queue_flush(blk->vdev.queues[i]);
}

/* What was written with the cache on is made stable, for the guest sends no flush any more. */
static void
flush_for_guest(Blk *blk)
{
    BlkRequest *req;

    if (!blk->must_flush)
        return;
    blk->must_flush = false;
    req = take_request(blk);
    req->status = NULL;
    req->block.n_iov = 0;
    submit(req, BLOCK_FLUSH, 0, 0);
}

/* At most as many chains as the queue has descriptors at a time: a driver that adds them as fast as
 * they are done must not keep the thread to itself. */
static void
blk_kick(VirtioDevice *vdev, unsigned index)
{
    Blk *blk = (Blk *)vdev;
    VirtQueue *queue = vdev->queues[index];
    unsigned n = 0;
    VirtChain chain;

    flush_for_guest(blk);
    queue_ignore_kicks(queue);
    do {
        while (n < queue_size(queue) && queue_pop(queue, &chain)) {
            serve(blk, index, &chain);
            n++;
        }
        if (blk->block)
            block_start(blk->block);
        queue_flush(queue);
    } while (n < queue_size(queue) && queue_want_kicks(queue));
    if (n == queue_size(queue) && queue_want_kicks(queue))
        virtio_kick(vdev, index);
}

/* Whether a driver that knows of no flushes has to be protected from the cache, 5.2.6.2. */
static bool
wants_writeback(const Blk *blk)
{
    if (virtio_has(&blk->vdev, VIRTIO_BLK_F_CONFIG_WCE))
        return blk->config.wce;
    return blk->writeback && virtio_has(&blk->vdev, VIRTIO_BLK_F_FLUSH);
}

static void
serve_again(Blk *blk)
{
    for (unsigned i = 0; i < blk->n_again; i++) {
        const BlkPlace *place = &blk->again[i];
        VirtChain chain;

        if (queue_pop_again(blk->vdev.queues[place->queue], place->head, &chain))
            serve(blk, place->queue, &chain);
    }
    blk->n_again = 0;
}

static void
blk_start(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;
    BlkRequest *req = blk->stalled;

    blk->asked_to_stop = false;
    if (!blk->block) /* and so nothing has stalled */
        return;
    blk->stalled = NULL;
    blk->stalled_end = &blk->stalled;
    block_set_writeback(blk->block, wants_writeback(blk));
    block_attach(blk->block, vdev->loop);
    while (req) {
        BlkRequest *next = req->next;

        block_submit(blk->block, &req->block);
        req = next;
    }
    serve_again(blk);
    block_start(blk->block);
}

/* What the guest has been told is written is with the host's disk when it stops for long, or is restored
 * elsewhere: as far as its cache mode goes. */
static void
flush_writes(Blk *blk)
{
    BlkRequest *req;

    if (!block_geometry(blk->block).writable || blk->stalled)
        return;
    req = take_request(blk);
    req->status = NULL;
    req->block.n_iov = 0;
    submit(req, BLOCK_FLUSH, 0, 0);
    block_drain(blk->block);
}

static void
blk_stop(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    if (!blk->block)
        return;
    block_drain(blk->block);
    flush_writes(blk);
    block_detach(blk->block);
}

/* Configuration, 5.2.4 */

static void
fill_geometry(struct virtio_blk_config *config, uint64_t sectors)
{
    uint64_t cylinders = sectors / (16 * 63);

    config->geometry.cylinders = htole16(cylinders < 16383 ? cylinders : 16383);
    config->geometry.heads = 16;
    config->geometry.sectors = 63;
}

static void
fill_config(Blk *blk, bool writeback)
{
    struct virtio_blk_config *config = &blk->config;
    uint64_t sectors = geometry(blk).size / BLOCK_SECTOR;
    uint32_t per_physical = blk->physical_size / blk->logical_size;

    *config = (struct virtio_blk_config){
        .capacity = htole64(sectors),
        .seg_max = htole32(blk->vdev.queue_size - 2), /* beside the header and the status */
        .blk_size = htole32(blk->logical_size),
        .physical_block_exp = __builtin_ctz(per_physical),
        .min_io_size = htole16(per_physical),
        .wce = writeback,
        .num_queues = htole16(blk->n_queues),
        .max_discard_sectors = htole32(RANGE_SECTORS),
        .max_discard_seg = htole32(1),
        .discard_sector_alignment = htole32(blk->physical_size / BLOCK_SECTOR),
        .max_write_zeroes_sectors = htole32(RANGE_SECTORS),
        .max_write_zeroes_seg = htole32(1),
        .write_zeroes_may_unmap = blk->discard,
    };
    fill_geometry(config, sectors);
}

static void
set_features(Blk *blk)
{
    const uint64_t always = 1u << VIRTIO_BLK_F_SEG_MAX | 1u << VIRTIO_BLK_F_GEOMETRY |
                            1u << VIRTIO_BLK_F_BLK_SIZE | 1u << VIRTIO_BLK_F_FLUSH |
                            1u << VIRTIO_BLK_F_TOPOLOGY | 1u << VIRTIO_BLK_F_MQ;
    const uint64_t writable = 1u << VIRTIO_BLK_F_CONFIG_WCE | 1u << VIRTIO_BLK_F_WRITE_ZEROES;

    blk->vdev.features = always;
    if (!geometry(blk).writable)
        blk->vdev.features |= 1u << VIRTIO_BLK_F_RO;
    else
        blk->vdev.features |= writable | (blk->discard ? 1u << VIRTIO_BLK_F_DISCARD : 0);
}

/* The cache is all that a driver may change; whatever else it wrote is put back. */
static void
blk_config_written(VirtioDevice *vdev, unsigned offset, unsigned size)
{
    Blk *blk = (Blk *)vdev;
    bool had = blk->block && block_writeback(blk->block), wants = blk->config.wce;

    if (!virtio_has(vdev, VIRTIO_BLK_F_CONFIG_WCE))
        wants = had;
    fill_config(blk, wants);
    if (blk->block)
        block_set_writeback(blk->block, wants);
    if (!had || wants)
        return;
    blk->must_flush = true;
    virtio_kick(vdev, 0);
}

/* The image grew or shrank on the host; somebody who knows says when to look. */
static void
resize(Blk *blk)
{
    if (!blk->block || !block_resize(blk->block))
        return;
    fill_config(blk, blk->config.wce);
    virtio_config_changed(&blk->vdev);
}

/* Media */

static Block *
open_block(Blk *blk, VmmMsg *params, VmmError *err)
{
    const BlockOwner owner = {
        .name = blk->vdev.dev->id,
        .lock = &blk->vdev.dev->lock,
        .reaped = flush_queues,
        .data = blk,
    };

    return block_open(params, &owner, err);
}

static bool
check_medium(const Blk *blk, const Block *block, VmmError *err)
{
    if (blk->removable && block && block_geometry(block).writable)
        return vmm_error(err, VMM_ERROR_INVALID, "The medium of drive '%s' is not read-only",
                         blk->vdev.dev->id);
    return true;
}

/* What waits for the old medium will not get it any more. */
static void
fail_stalled(Blk *blk)
{
    BlkRequest *req = blk->stalled;

    blk->stalled = NULL;
    blk->stalled_end = &blk->stalled;
    while (req) {
        BlkRequest *next = req->next;

        finish(req, VIRTIO_BLK_S_IOERR);
        req = next;
    }
}

/* The driver sees another capacity, none where there is no medium, and looks again (5.2.5): there is no
 * other word in virtio-blk for a medium that came or went. */
static void
insert(Blk *blk, Block *block)
{
    VirtioDevice *vdev = &blk->vdev;

    if (blk->block && vdev->started) {
        block_drain(blk->block);
        block_detach(blk->block);
    }
    fail_stalled(blk);
    if (vdev->started)
        flush_queues(blk);
    block_close(blk->block);
    blk->block = block;
    if (blk->block && vdev->started)
        block_attach(blk->block, vdev->loop);
    fill_config(blk, blk->config.wce);
    virtio_config_changed(vdev);
}

static bool
change_medium(Blk *blk, bool medium, VmmMsg *request, VmmError *err)
{
    Block *block = NULL;

    if (!blk->removable)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "Disk '%s' has no medium that could change",
                         blk->vdev.dev->id);
    if (medium && !(block = open_block(blk, request, err)))
        return false;
    if (!check_medium(blk, block, err)) {
        block_close(block);
        return false;
    }
    insert(blk, block);
    return true;
}

static void
put_counters(const Blk *blk, VmmMsg *reply)
{
    vmm_msg_put_u64(reply, "rd-requests", blk->done[BLOCK_READ].requests);
    vmm_msg_put_u64(reply, "rd-bytes", blk->done[BLOCK_READ].bytes);
    vmm_msg_put_u64(reply, "wr-requests", blk->done[BLOCK_WRITE].requests);
    vmm_msg_put_u64(reply, "wr-bytes", blk->done[BLOCK_WRITE].bytes);
    vmm_msg_put_u64(reply, "fl-requests", blk->done[BLOCK_FLUSH].requests);
    vmm_msg_put_u64(reply, "errors", blk->errors);
}

static bool
blk_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    Blk *blk = (Blk *)vdev;
    bool wants_resize = false, medium;

    vmm_msg_get_bool(request, "resize", &wants_resize);
    if (vmm_msg_get_bool(request, "medium", &medium) && !change_medium(blk, medium, request, err))
        return false;
    if (wants_resize)
        resize(blk);
    vmm_msg_put_u64(reply, "size", geometry(blk).size);
    put_counters(blk, reply);
    return true;
}

static void
forget_stalled(Blk *blk)
{
    while (blk->stalled) {
        BlkRequest *req = blk->stalled;

        blk->stalled = req->next;
        give_back(req);
    }
    blk->stalled_end = &blk->stalled;
    blk->n_again = 0;
}

static void
blk_reset(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    forget_stalled(blk);
    blk->must_flush = false;
    fill_config(blk, blk->writeback);
}

/* Parameters */

/* A number from @min to @max, or what @ret was before. */
static bool
read_number(Blk *blk, VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
            VmmError *err)
{
    if (!vmm_msg_get_u64(params, key, ret) || (*ret >= min && *ret <= max))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Disk '%s' has a %s of %" PRIu64 ", which is not from %" PRIu64 " to %" PRIu64,
                     blk->vdev.dev->id, key, *ret, min, max);
}

static bool
read_power(Blk *blk, VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
           VmmError *err)
{
    if (!read_number(blk, params, key, min, max, ret, err))
        return false;
    if ((*ret & (*ret - 1)) == 0)
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Disk '%s' has a %s of %" PRIu64 ", which is no power of two",
                     blk->vdev.dev->id, key, *ret);
}

static bool
read_policy(Blk *blk, VmmMsg *params, const char *key, ErrorPolicy otherwise, ErrorPolicy *ret,
            VmmError *err)
{
    static const char *const names[] = {
        [POLICY_REPORT] = "report",
        [POLICY_STOP] = "stop",
        [POLICY_ENOSPACE] = "enospace",
    };
    const char *name = names[otherwise];

    vmm_msg_get_string(params, key, &name);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = i;
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no %s '%s'", blk->vdev.dev->id, key,
                     name);
}

static bool
read_serial(Blk *blk, VmmMsg *params, VmmError *err)
{
    const char *serial = "";

    vmm_msg_get_string(params, "serial", &serial);
    if (strlen(serial) > sizeof(blk->serial))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The serial number of disk '%s' is longer than %zu bytes",
                         blk->vdev.dev->id, sizeof(blk->serial));
    memcpy(blk->serial, serial, strlen(serial));
    return true;
}

static bool
read_queues(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t n = 1, size = QUEUE_SIZE;

    if (!read_number(blk, params, "queues", 1, VIRTIO_QUEUES_MAX, &n, err) ||
        !read_power(blk, params, "queue-size", 4, QUEUE_SIZE_MAX, &size, err))
        return false;
    blk->n_queues = n;
    blk->vdev.n_queues = n;
    blk->vdev.queue_size = size;
    return true;
}

static bool
read_block_sizes(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t logical = BLOCK_SECTOR, physical = 0;

    if (!read_power(blk, params, "logical-block-size", BLOCK_SECTOR, BLOCK_SIZE_MAX, &logical, err))
        return false;
    physical = geometry(blk).physical_size;
    if (physical < logical)
        physical = logical;
    if (!read_power(blk, params, "physical-block-size", logical, PHYSICAL_MAX, &physical, err))
        return false;
    blk->logical_size = logical;
    blk->physical_size = physical;
    return true;
}

static bool
read_iothread(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t number;

    if (!vmm_msg_get_u64(params, "iothread", &number))
        return true;
    blk->thread = iothread_pool_get(number, err);
    if (!blk->thread)
        return false;
    blk->vdev.loop = iothread_loop(blk->thread);
    return true;
}

static bool
open_disk(Blk *blk, VmmMsg *params, VmmError *err)
{
    vmm_msg_get_bool(params, "removable", &blk->removable);
    if (blk->removable && !vmm_msg_has(params, "fd"))
        return true;
    blk->block = open_block(blk, params, err);
    return blk->block && check_medium(blk, blk->block, err);
}

static bool
blk_create(VirtioDevice *vdev, VmmMsg *params, VmmError *err)
{
    Blk *blk = (Blk *)vdev;

    blk->stalled_end = &blk->stalled;
    vdev->config = &blk->config;
    vdev->config_size = sizeof(blk->config);
    vmm_msg_get_bool(params, "discard", &blk->discard);
    if (!read_queues(blk, params, err) || !read_serial(blk, params, err) ||
        !read_policy(blk, params, "on-write-error", POLICY_ENOSPACE, &blk->on_write, err) ||
        !read_policy(blk, params, "on-read-error", POLICY_REPORT, &blk->on_read, err) ||
        !read_iothread(blk, params, err) || !open_disk(blk, params, err) ||
        !read_block_sizes(blk, params, err))
        return false;
    blk->writeback = blk->block && block_writeback(blk->block);
    set_features(blk);
    fill_config(blk, blk->writeback);
    return true;
}

static void
blk_destroy(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    forget_stalled(blk);
    free(blk->again);
    block_close(blk->block);
    iothread_pool_put(blk->thread);
    while (blk->free) {
        BlkRequest *req = blk->free;

        blk->free = req->next;
        free(req->iov);
        free(req);
    }
}

/* State. A disk's contents are the image's. */

static uint64_t
get_size(const void *object)
{
    return block_geometry(((const Blk *)object)->block).size;
}

/* An image may have grown; a smaller one is another one. */
static bool
set_size(void *object, uint64_t value)
{
    Blk *blk = object;

    if (value < get_size(blk))
        virtio_config_changed(&blk->vdev);
    return value <= get_size(blk);
}

static uint64_t
get_wce(const void *object)
{
    return ((const Blk *)object)->config.wce;
}

static bool
set_wce(void *object, uint64_t value)
{
    fill_config(object, value);
    return value <= 1;
}

static uint64_t
get_must_flush(const void *object)
{
    const Blk *blk = object;
    bool stalled = false;

    for (const BlkRequest *req = blk->stalled; req; req = req->next)
        stalled |= !req->status;
    return blk->must_flush || stalled;
}

static bool
set_must_flush(void *object, uint64_t value)
{
    ((Blk *)object)->must_flush = value;
    return value <= 1;
}

/* A flush that was nobody's is in must_flush instead. */
static void
save_stalled(const void *object, StateOut *out)
{
    const Blk *blk = object;

    for (const BlkRequest *req = blk->stalled; req; req = req->next) {
        BlkPlace place = { req->queue, req->head };

        if (req->status)
            state_put_bytes(out, &place, sizeof(place));
    }
    state_put_bytes(out, blk->again, blk->n_again * sizeof(BlkPlace));
}

static bool
load_stalled(void *object, const void *data, size_t size, VmmError *err)
{
    Blk *blk = object;

    if (size % sizeof(BlkPlace) || size / sizeof(BlkPlace) > QUEUE_SIZE_MAX * VIRTIO_QUEUES_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "The requests of the saved disk '%s' are damaged",
                         blk->vdev.dev->id);
    blk->n_again = size / sizeof(BlkPlace);
    blk->again = vmm_must(realloc(blk->again, size + 1));
    memcpy(blk->again, data, size);
    for (unsigned i = 0; i < blk->n_again; i++) {
        if (blk->again[i].queue >= blk->vdev.n_queues)
            return vmm_error(err, VMM_ERROR_INVALID, "The saved disk '%s' had more queues",
                             blk->vdev.dev->id);
    }
    return true;
}

static const StateField blk_fields[] = {
    STATE_VALUE("size", get_size, set_size),
    STATE_VALUE("wce", get_wce, set_wce),
    STATE_VALUE("must_flush", get_must_flush, set_must_flush),
    STATE_BLOB("stalled", save_stalled, load_stalled),
    STATE_END,
};

static const StateTable blk_state = { .version = 1, .fields = blk_fields };

const VirtioClass virtio_blk_class = {
    .name = "blk",
    .id = 2,
    .pci_class = 0x010000, /* SCSI storage, as QEMU has it: firmware looks for nothing else */
    .size = sizeof(Blk),
    .create = blk_create,
    .config_written = blk_config_written,
    .start = blk_start,
    .stop = blk_stop,
    .reset = blk_reset,
    .tell = blk_tell,
    .kick = blk_kick,
    .destroy = blk_destroy,
    .state = &blk_state,
};
