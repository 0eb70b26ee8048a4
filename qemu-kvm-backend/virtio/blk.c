/* virtio-blk (virtio 1.2, section 5.2): a disk. */
#include "qemu-kvm-backend/virtio/blk.h"

#include "qemu-kvm-backend/iothread-pool.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A drive without a medium has no sectors, so that nothing gets as far as the block layer. */
BlockGeometry
blk_geometry(const Blk *blk)
{
    return blk->block ? block_geometry(blk->block)
                      : (BlockGeometry){ .physical_size = BLOCK_SECTOR };
}

/* Queues */

void
blk_flush_queues(Blk *blk)
{
    for (unsigned i = 0; i < blk->vdev.n_queues; i++)
        queue_flush(blk->vdev.queues[i]);
}

static void
reaped(void *blk)
{
    blk_flush_queues(blk);
}

/* What was written with the cache on is made stable, for the guest sends no flush any more: what is still on its way, too,
 * which a flush beside it would not cover. */
static void
flush_for_guest(Blk *blk)
{
    BlkRequest *req;

    if (!blk->must_flush)
        return;
    blk->must_flush = false;
    if (blk->block)
        block_drain(blk->block);
    req = blk_request_take(blk);
    req->status = NULL;
    req->block.n_iov = 0;
    blk_request_submit(req, BLOCK_FLUSH, 0, 0);
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
            blk_serve(blk, index, &chain);
            n++;
        }
        if (blk->block) {
            block_start(blk->block);
            block_reap(blk->block);
        }
        blk_flush_queues(blk);
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
            blk_serve(blk, place->queue, &chain);
    }
    blk->n_again = 0;
}

static void
blk_start(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;
    BlkRequest *req = blk->stalled;

    blk->asked_to_stop = false;
    blk->stop_error = 0;
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

static void
blk_stop(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    if (!blk->block)
        return;
    blk_limits_release(blk);
    block_drain(blk->block);
    block_detach(blk->block);
}

/* Requests that have stalled have not been answered: they are saved, and made again. */
static bool
blk_flush(VirtioDevice *vdev, VmmError *err)
{
    Blk *blk = (Blk *)vdev;

    errno = blk_geometry(blk).writable ? block_flush(blk->block) : 0;
    return errno == 0 ||
           vmm_error_errno(err, "What the guest has written to disk '%s' cannot be brought to its image",
                           vdev->dev->id);
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

void
blk_fill_config(Blk *blk, bool writeback)
{
    struct virtio_blk_config *config = &blk->config;
    uint64_t sectors = blk_geometry(blk).size / BLOCK_SECTOR;
    uint32_t per_physical = blk->physical_size / blk->logical_size;

    *config = (struct virtio_blk_config){
        .capacity = htole64(sectors),
        .seg_max = htole32(blk->vdev.queue_size - 2), /* beside the header and the status */
        .blk_size = htole32(blk->logical_size),
        .physical_block_exp = __builtin_ctz(per_physical),
        .min_io_size = htole16(per_physical),
        .wce = writeback,
        .num_queues = htole16(blk->n_queues),
        .max_discard_sectors = htole32(BLK_RANGE_SECTORS),
        .max_discard_seg = htole32(1),
        .discard_sector_alignment = htole32(blk->physical_size / BLOCK_SECTOR),
        .max_write_zeroes_sectors = htole32(BLK_RANGE_SECTORS),
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
    if (!blk_geometry(blk).writable)
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
    blk_fill_config(blk, wants);
    if (blk->block)
        block_set_writeback(blk->block, wants);
    if (!had || wants)
        return;
    blk->must_flush = true;
    virtio_kick(vdev, 0);
}

/* Media */

static Block *
open_block(Blk *blk, VmmMsg *params, VmmError *err)
{
    const BlockOwner owner = {
        .name = blk->vdev.dev->id,
        .lock = &blk->vdev.dev->lock,
        .reaped = reaped,
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

        blk_request_finish(req, VIRTIO_BLK_S_IOERR);
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
        blk_limits_release(blk);
        block_drain(blk->block);
        block_detach(blk->block);
    }
    fail_stalled(blk);
    block_close(blk->block);
    blk->block = NULL;
    serve_again(blk); /* likewise: without a medium they fail */
    blk_flush_queues(blk); /* of a paused guest, too: what is in its memory is what is saved */
    blk->block = block;
    if (blk->block && vdev->started)
        block_attach(blk->block, vdev->loop);
    blk_fill_config(blk, blk->config.wce);
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
    vmm_msg_put_u64(reply, "rd-time", blk->done[BLOCK_READ].time_ns);
    vmm_msg_put_u64(reply, "wr-requests", blk->done[BLOCK_WRITE].requests);
    vmm_msg_put_u64(reply, "wr-bytes", blk->done[BLOCK_WRITE].bytes);
    vmm_msg_put_u64(reply, "wr-time", blk->done[BLOCK_WRITE].time_ns);
    vmm_msg_put_u64(reply, "fl-requests", blk->done[BLOCK_FLUSH].requests);
    vmm_msg_put_u64(reply, "fl-time", blk->done[BLOCK_FLUSH].time_ns);
    vmm_msg_put_u64(reply, "errors", blk->errors);
    vmm_msg_put_string(reply, "io-status",
                       blk->stop_error == 0        ? "ok"
                       : blk->stop_error == ENOSPC ? "nospace"
                                                   : "failed");
}

static void
put_use(const Blk *blk, VmmMsg *reply)
{
    BlockUse use;

    if (!blk->block)
        return;
    use = block_use(blk->block);
    vmm_msg_put_u64(reply, "file-size", use.file_size);
    vmm_msg_put_u64(reply, "allocated", use.allocated);
    vmm_msg_put_u64(reply, "written-to", use.written_to);
    vmm_msg_put_u64(reply, "threshold", block_threshold(blk->block));
}

static bool
blk_tell(VirtioDevice *vdev, VmmMsg *request, VmmMsg *reply, VmmError *err)
{
    Blk *blk = (Blk *)vdev;
    bool medium;

    if (vmm_msg_get_u64(request, "threshold", &blk->threshold) && blk->block)
        block_set_threshold(blk->block, blk->threshold);
    if (!blk_limits_read(blk, request, err))
        return false;
    if (vmm_msg_get_bool(request, "medium", &medium) && !change_medium(blk, medium, request, err))
        return false;
    if (!blk_resize_read(blk, request, err))
        return false;
    vmm_msg_put_u64(reply, "size", blk_geometry(blk).size);
    vmm_msg_put_bool(reply, "resizing", blk->resizing);
    put_counters(blk, reply);
    put_use(blk, reply);
    return true;
}

static void
forget_stalled(Blk *blk)
{
    while (blk->stalled) {
        BlkRequest *req = blk->stalled;

        blk->stalled = req->next;
        blk_request_give_back(req);
    }
    blk->stalled_end = &blk->stalled;
    blk->n_again = 0;
}

static void
blk_reset(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    forget_stalled(blk);
    blk->stop_error = 0;
    blk->must_flush = false;
    blk_fill_config(blk, blk->writeback);
}

static bool
open_disk(Blk *blk, VmmMsg *params, VmmError *err)
{
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
    if (!blk_read_params(blk, params, err) || !open_disk(blk, params, err) ||
        !blk_read_block_sizes(blk, params, err))
        return false;
    blk->writeback = blk->block && block_writeback(blk->block);
    set_features(blk);
    blk_fill_config(blk, blk->writeback);
    return true;
}

static void
blk_destroy(VirtioDevice *vdev)
{
    Blk *blk = (Blk *)vdev;

    forget_stalled(blk);
    blk_limits_clear(blk);
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
    .quick = true,
    .kick = blk_kick,
    .flush = blk_flush,
    .destroy = blk_destroy,
    .state = &blk_state,
};
