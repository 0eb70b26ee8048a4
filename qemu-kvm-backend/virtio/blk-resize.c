/* A disk gets another size while the guest has it: the image does, or has, and the driver is told. */
#include "qemu-kvm-backend/virtio/blk.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* 5.2.5: the driver looks at the capacity again. */
static void
tell_guest(Blk *blk)
{
    blk_fill_config(blk, blk->config.wce);
    virtio_config_changed(&blk->vdev);
}

/* The image grew or shrank on the host; somebody who knows says when to look. */
static void
look_again(Blk *blk)
{
    if (blk->block && block_resize(blk->block))
        tell_guest(blk);
}

static void
tell_driver(Blk *blk, int error)
{
    Board *board = blk->vdev.dev->board;
    VmmMsg *event = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_RESIZED);

    vmm_msg_put_string(event, "device", blk->vdev.dev->id);
    vmm_msg_put_u64(event, "size", blk_geometry(blk).size);
    if (error)
        vmm_msg_put_string(event, "text", strerrordesc_np(error));
    board->notify(board, event);
}

static void
resized(BlockRequest *req, int error)
{
    Blk *blk = (Blk *)((char *)req - offsetof(Blk, resize));

    blk->resizing = false;
    if (error)
        log_line("Disk '%s' keeps its size: %s", blk->vdev.dev->id, strerrordesc_np(error));
    else
        tell_guest(blk);
    tell_driver(blk, error);
}

/* A disk that is not started has nobody who waits for it, and completions are not reported: they are waited for. */
static bool
begin(Blk *blk, uint64_t size, VmmError *err)
{
    const char *name = blk->vdev.dev->id;

    if (!blk->block)
        return vmm_error(err, VMM_ERROR_STATE, "Drive '%s' has no medium", name);
    if (blk->resizing)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is getting another size already", name);
    if (size % blk->logical_size)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Disk '%s' cannot have %" PRIu64 " bytes: its blocks have %" PRIu32, name,
                         size, blk->logical_size);
    blk->resize = (BlockRequest){ .done = resized };
    blk->resizing = true;
    if (!block_set_size(blk->block, &blk->resize, size, err))
        return blk->resizing = false;
    block_start(blk->block);
    if (!blk->vdev.started)
        block_drain(blk->block);
    return true;
}

bool
blk_resize_read(Blk *blk, VmmMsg *request, VmmError *err)
{
    bool wants_look = false;
    uint64_t size;

    vmm_msg_get_bool(request, "resize", &wants_look);
    if (wants_look)
        look_again(blk);
    return !vmm_msg_get_u64(request, "new-size", &size) || begin(blk, size, err);
}
