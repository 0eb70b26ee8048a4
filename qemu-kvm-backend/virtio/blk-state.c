/* A disk's state. Its contents are the image's. */
#include "qemu-kvm-backend/virtio/blk.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
get_size(const void *object)
{
    return blk_geometry(object).size;
}

/* An image may have grown; a smaller one is another one. A drive can be empty now, which the guest is told. */
static bool
set_size(void *object, uint64_t value)
{
    Blk *blk = object;

    if (value != get_size(blk))
        virtio_config_changed(&blk->vdev);
    return value <= get_size(blk) || !blk->block;
}

static uint64_t
get_wce(const void *object)
{
    return ((const Blk *)object)->config.wce;
}

static bool
set_wce(void *object, uint64_t value)
{
    blk_fill_config(object, value);
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

const StateTable blk_state = { .version = 1, .fields = blk_fields };
