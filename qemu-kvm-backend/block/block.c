#include "qemu-kvm-backend/block/block-private.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>

/* Requests */

/* The first byte is compared with zero, each other one with the one before. */
static bool
is_zero(const BlockRequest *req)
{
    for (unsigned i = 0; i < req->n_iov; i++) {
        const char *data = req->iov[i].iov_base;
        size_t size = req->iov[i].iov_len;

        if (size > 0 && (data[0] || memcmp(data, data + 1, size - 1) != 0))
            return false;
    }
    return true;
}

static void
detect_zeros(const Block *block, BlockRequest *req)
{
    if (req->op != BLOCK_WRITE || block->zeros == ZEROS_WRITE || !is_zero(req))
        return;
    req->op = BLOCK_ZERO;
    req->may_unmap = block->zeros == ZEROS_UNMAP;
}

void
block_submit(Block *block, BlockRequest *req)
{
    /* Of one that failed behind its data, that it is on the disk is all that is left. */
    if (req->size == 0)
        req->op = BLOCK_FLUSH;
    detect_zeros(block, req);
    req->image = block->image;
    block->under_way++;
    block->image->format->submit(block->image, req);
}

void
block_start(Block *block)
{
    block->engine->class->start(block->engine);
}

void
block_reap(Block *block)
{
    block->engine->class->reap(block->engine, false);
    block->engine->class->start(block->engine);
}

static bool
is_busy(const Block *block)
{
    const BlockFormat *format = block->image->format;

    return block->under_way > 0 || (format->busy && format->busy(block->image));
}

void
block_wait(Block *block)
{
    if (!is_busy(block))
        return;
    block->engine->class->start(block->engine);
    block->engine->class->reap(block->engine, true);
}

/* The same without the lock, which is for who is served meanwhile. A signal is as good as a completion. */
static void
wait_unlocked(Block *block)
{
    struct pollfd wake = { .fd = block->engine->wake_fd, .events = POLLIN };

    block->engine->class->start(block->engine);
    pthread_mutex_unlock(block->owner.lock);
    poll(&wake, 1, -1);
    pthread_mutex_lock(block->owner.lock);
    block->engine->class->reap(block->engine, false);
}

static bool
wait_while_busy(Block *block, void (*wait)(Block *block))
{
    bool was_busy = is_busy(block);

    while (is_busy(block))
        wait(block);
    return was_busy;
}

static void
drain(Block *block, void (*wait)(Block *block))
{
    bool reaped = wait_while_busy(block, wait);

    if (block->image->format->settle)
        block->image->format->settle(block->image);
    if (wait_while_busy(block, wait) || reaped)
        block->owner.reaped(block->owner.data);
}

void
block_drain(Block *block)
{
    assert(!block->flushing);
    drain(block, block_wait);
}

typedef struct Flush {
    BlockRequest request; /* first */
    int error;
} Flush;

static void
flushed(BlockRequest *request, int error)
{
    ((Flush *)request)->error = error;
}

/* A format that cannot write what it holds back fails the flush; what settling leaves then is room that nobody uses. */
int
block_flush(Block *block)
{
    Flush flush = { .request = { .op = BLOCK_FLUSH, .done = flushed } };

    assert(!block->source && !block->flushing); /* another one who reaps would leave us waiting */
    block->flushing = true;
    block_submit(block, &flush.request);
    drain(block, wait_unlocked);
    block->flushing = false;
    return flush.error;
}

static void
on_wake(void *data, uint32_t events)
{
    Block *block = data;

    pthread_mutex_lock(block->owner.lock);
    block_reap(block);
    block->owner.reaped(block->owner.data);
    pthread_mutex_unlock(block->owner.lock);
}

void
block_attach(Block *block, Loop *loop)
{
    block->source = vmm_must(loop_add_fd(loop, block->engine->wake_fd, EPOLLIN, on_wake, block));
    loop_source_set_quick(block->source);
}

void
block_detach(Block *block)
{
    loop_source_free(block->source);
    block->source = NULL;
}

/* The whole */

BlockGeometry
block_geometry(const Block *block)
{
    return (BlockGeometry){
        .size = block->image->size,
        .physical_size = block->links[0].file.block_size,
        .writable = block->links[0].file.writable,
    };
}

void
block_set_writeback(Block *block, bool writeback)
{
    block->links[0].file.sync_writes = !writeback;
}

bool
block_writeback(const Block *block)
{
    return !block->links[0].file.sync_writes;
}

BlockUse
block_use(const Block *block)
{
    const BlockFile *file = &block->links[0].file;
    BlockUse use = { .file_size = block_file_size(file), .written_to = file->written_to };
    struct stat st;

    use.allocated = use.file_size;
    if (!file->is_device && fstat(file->fd, &st) == 0)
        use.allocated = st.st_blocks * 512ull;
    return use;
}

void
block_set_threshold(Block *block, uint64_t offset)
{
    block->links[0].file.threshold = offset;
}

uint64_t
block_threshold(const Block *block)
{
    return block->links[0].file.threshold;
}

uint64_t
block_take_exceeded(Block *block)
{
    uint64_t excess = block->links[0].file.exceeded;

    block->links[0].file.exceeded = 0;
    return excess;
}

bool
block_resize(Block *block)
{
    uint64_t size = block->image->size;

    block->links[0].file.size = block_file_size(&block->links[0].file);
    block->image->format->resize(block->image);
    return block->image->size != size;
}

bool
block_set_size(Block *block, BlockRequest *req, uint64_t size, VmmError *err)
{
    BlockImage *image = block->image;

    if (!image->file->writable)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is read-only", block->owner.name);
    if (block->flushing)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is being brought to stable storage",
                         block->owner.name);
    if (!image->format->set_size)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Disk '%s' is as long as its file, for its format is '%s'",
                         block->owner.name, image->format->name);
    block->under_way++;
    if (image->format->set_size(image, req, size, err))
        return true;
    block->under_way--;
    return false;
}
