/* A qcow2 image of anybody's making: the input is a few bytes that say what is done with it, then the
 * image. Whatever is in it, it is refused or requests end, with errors or without. */
#include "qemu-kvm-backend/block/block.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N_STEPS   8
#define STEP_SIZE 4
#define FILE_MAX  (1u << 20)
#define BUFFER    (256u << 10)
#define WAITS_MAX                                                                                  \
    100000 /* rounds; a request that never ends is found by this rather than by hand */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct FuzzRequest {
    BlockRequest block; /* first */
    struct iovec iov;
    bool ended;
} FuzzRequest;

static uint8_t buffer[BUFFER];

/* An engine without threads or rings: an operation is done when somebody waits. */

typedef struct LazyEngine {
    Engine engine;
    int fds[ENGINE_FILES_MAX];
    EngineQueue queue;
} LazyEngine;

static int64_t
perform(const LazyEngine *lazy, const EngineOp *op)
{
    int fd = lazy->fds[op->file];

    switch (op->kind) {
    case ENGINE_READ:
        return preadv(fd, op->iov, op->n_iov, op->offset);
    case ENGINE_WRITE:
        return pwritev(fd, op->iov, op->n_iov, op->offset);
    case ENGINE_SYNC:
        return 0;
    case ENGINE_ALLOCATE:
        return fallocate(fd, op->mode, op->offset, op->size);
    case ENGINE_DISCARD: /* of devices */
        break;
    }
    return -1;
}

static const EngineClass lazy_class;

static Engine *
lazy_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    static LazyEngine lazy;

    lazy.engine.class = &lazy_class;
    lazy.queue = (EngineQueue){ 0 };
    memcpy(lazy.fds, fds, n * sizeof(*fds));
    return &lazy.engine;
}

static void
lazy_submit(Engine *engine, EngineOp *op)
{
    engine_queue_put(&((LazyEngine *)engine)->queue, op);
}

static void
lazy_nothing(Engine *engine)
{
}

static void
lazy_reap(Engine *engine, bool wait)
{
    EngineOp *op = engine_queue_take(&((LazyEngine *)engine)->queue);

    g_assert_nonnull(op); /* somebody waits for nothing */
    op->result = perform((LazyEngine *)engine, op);
    if (op->result < 0)
        op->result = -errno;
    op->done(op);
}

static const EngineClass lazy_class = {
    .name = "lazy",
    .open = lazy_open,
    .submit = lazy_submit,
    .start = lazy_nothing,
    .reap = lazy_reap,
    .close = lazy_nothing,
};

static void
reaped(void *data)
{
}

static void
ended(BlockRequest *block, int error)
{
    ((FuzzRequest *)block)->ended = true;
}

static Block *
open_image(const BlockOwner *owner, const uint8_t *data, size_t size, bool read_only)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    int fd = memfd_create("image", MFD_CLOEXEC), backing = memfd_create("backing", MFD_CLOEXEC);
    VmmError err = { 0 };

    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_assert_cmpint(ftruncate(backing, 65536 + 512), ==, 0);
    vmm_msg_put_fd(params, "fd", fd);
    vmm_msg_put_string(params, "format", "qcow2");
    vmm_msg_put_bool(params, "read-only", read_only);
    vmm_msg_put_fd(params, "backing-1-fd", backing);
    return block_open_with(&lazy_class, params, owner, &err);
}

/* Another size: a few thirty-seconds of the old one, and sectors. */
static void
resize(Block *block, const uint8_t *step, FuzzRequest *req)
{
    uint64_t size = block_geometry(block).size / 32 * step[1] + (uint64_t)step[2] * BLOCK_SECTOR;
    VmmError err;

    req->block = (BlockRequest){ .done = ended };
    req->ended = false;
    if (!block_set_size(block, &req->block, size & ~(uint64_t)(BLOCK_SECTOR - 1), &err))
        req->ended = true;
}

/* One byte each: what; where, in sixteenths of the disk; how far behind that; how much. */
static void
do_step(Block *block, const uint8_t *step, FuzzRequest *req)
{
    uint64_t size = block_geometry(block).size;
    uint64_t offset = size / 16 * (step[1] & 15) + (uint64_t)step[2] * BLOCK_SECTOR;
    uint64_t n = ((uint64_t)step[3] + 1) * BLOCK_SECTOR;

    if (step[0] & 64) {
        resize(block, step, req);
        return;
    }
    offset &= ~(uint64_t)(BLOCK_SECTOR - 1);
    if (offset >= size)
        return;
    n = MIN(n, size - offset);
    req->iov = (struct iovec){ buffer, n };
    req->block = (BlockRequest){
        .op = step[0] % (BLOCK_ZERO + 1),
        .may_unmap = step[0] & 128,
        .offset = offset,
        .size = n,
        .iov = &req->iov,
        .n_iov = 1,
        .done = ended,
    };
    req->ended = false;
    block_submit(block, &req->block);
}

static void
wait_all(Block *block, const FuzzRequest *reqs)
{
    unsigned waits = 0;

    for (unsigned i = 0; i < N_STEPS; i++) {
        while (!reqs[i].ended && waits++ < WAITS_MAX)
            block_wait(block);
    }
    g_assert_cmpuint(waits, <, WAITS_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const BlockOwner owner = { "disk", &lock, reaped, NULL };
    FuzzRequest reqs[N_STEPS];
    const size_t head = N_STEPS * STEP_SIZE + 1;
    Block *block;

    if (size < head || size > FILE_MAX)
        return 0;
    block = open_image(&owner, data + head, size - head, data[0] & 1);
    if (!block)
        return 0;
    for (unsigned i = 0; i < N_STEPS; i++) {
        reqs[i].ended = true;
        do_step(block, data + 1 + (size_t)i * STEP_SIZE, &reqs[i]);
        if (data[0] & 2)
            wait_all(block,
                     (const FuzzRequest[N_STEPS]){ [0 ... N_STEPS - 1] = { .ended = true } });
    }
    wait_all(block, reqs);
    block_drain(block);
    block_close(block);
    return 0;
}
