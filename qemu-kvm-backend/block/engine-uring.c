/* The engine on io_uring: one system call for any number of operations, no threads of ours but for what a ring does not
 * do, discards on block devices (before Linux 6.12). A helper makes those, an engine of one thread; the ring waits for
 * its word, so that there is still one place to wait at. */
#include "qemu-kvm-backend/block/engine.h"
#include "qemu-kvm-backend/block/uring.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Operations that the kernel holds at a time; the completion ring is twice as large, so it never
 * overflows. What comes beyond waits here. */
#define ENTRIES 128

typedef struct UringEngine {
    Engine engine;
    Uring ring;
    EngineQueue queued;
    unsigned under_way;
    Engine *helper; /* NULL: no discards */
    EngineOp word;  /* under way where there is a helper: it has ended something */
} UringEngine;

static const unsigned char opcodes[] = {
    [ENGINE_READ] = IORING_OP_READV,
    [ENGINE_WRITE] = IORING_OP_WRITEV,
    [ENGINE_SYNC] = IORING_OP_FSYNC,
    [ENGINE_ALLOCATE] = IORING_OP_FALLOCATE,
    [ENGINE_DISCARD] = IORING_OP_POLL_ADD, /* of the helper */
};

static void
fill(struct io_uring_sqe *sqe, EngineOp *op)
{
    sqe->opcode = opcodes[op->kind];
    sqe->flags = IOSQE_FIXED_FILE;
    sqe->fd = op->file;
    sqe->user_data = (uintptr_t)op;
    switch (op->kind) {
    case ENGINE_READ:
    case ENGINE_WRITE:
        sqe->off = op->offset;
        sqe->addr = (uintptr_t)op->iov;
        sqe->len = op->n_iov;
        sqe->rw_flags = op->mode;
        break;
    case ENGINE_SYNC:
        sqe->fsync_flags = IORING_FSYNC_DATASYNC;
        break;
    case ENGINE_ALLOCATE: /* io_uring_enter(2): the length is in addr, the mode in len */
        sqe->off = op->offset;
        sqe->addr = op->size;
        sqe->len = op->mode;
        break;
    case ENGINE_DISCARD:
        sqe->poll32_events = POLLIN;
        break;
    }
}

static void
helper_spoke(EngineOp *word)
{
    UringEngine *ue = (UringEngine *)((char *)word - offsetof(UringEngine, word));

    ue->helper->class->reap(ue->helper, false);
    engine_queue_put(&ue->queued, word);
}

/* Discards are advice: where there is no helper it goes on without. */
static void
open_helper(UringEngine *ue, const int *fds, unsigned n, VmmError *err)
{
    ue->helper = engine_threads_class.open(fds, n, 1, true, err);
    if (!ue->helper)
        return;
    ue->engine.discards = true;
    ue->word = (EngineOp){ .kind = ENGINE_DISCARD, .file = n, .done = helper_spoke };
    engine_queue_put(&ue->queued, &ue->word);
}

static void
close_helper(UringEngine *ue)
{
    if (ue->helper)
        ue->helper->class->close(ue->helper);
}

/* What the helper wakes us by is one more file. */
static bool
open_ring(UringEngine *ue, const int *fds, unsigned n, VmmError *err)
{
    int files[ENGINE_FILES_MAX + 1];

    memcpy(files, fds, n * sizeof(*fds));
    if (ue->helper)
        files[n++] = ue->helper->wake_fd;
    return uring_open(&ue->ring, ENTRIES, files, n, opcodes, sizeof(opcodes)) ||
           vmm_error_errno(err, "Cannot set up io_uring");
}

static Engine *
uring_engine_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    UringEngine *ue = vmm_must(calloc(1, sizeof(*ue)));

    ue->engine.class = &engine_uring_class;
    if (discards)
        open_helper(ue, fds, n, err);
    if (open_ring(ue, fds, n, err)) {
        ue->engine.wake_fd = ue->ring.fd;
        return &ue->engine;
    }
    close_helper(ue);
    free(ue);
    return NULL;
}

static void
uring_engine_submit(Engine *engine, EngineOp *op)
{
    UringEngine *ue = (UringEngine *)engine;

    assert(op->kind != ENGINE_DISCARD || ue->helper);
    if (op->kind == ENGINE_DISCARD)
        ue->helper->class->submit(ue->helper, op);
    else
        engine_queue_put(&ue->queued, op);
}

/* Whether there is something to tell the kernel. */
static bool
fill_ring(UringEngine *ue)
{
    while (ue->queued.first && ue->under_way < ENTRIES) {
        struct io_uring_sqe *sqe = uring_get(&ue->ring);

        if (!sqe)
            break;
        fill(sqe, engine_queue_take(&ue->queued));
        ue->under_way++;
    }
    return ue->ring.unsubmitted > 0;
}

static void
start_helper(UringEngine *ue)
{
    if (ue->helper)
        ue->helper->class->start(ue->helper);
}

static void
uring_engine_start(Engine *engine)
{
    UringEngine *ue = (UringEngine *)engine;

    start_helper(ue);
    if (fill_ring(ue))
        uring_enter(&ue->ring, 0);
}

/* The kernel may say so of an operation that has only to be asked for again, as some SCSI disks have it do. */
static bool
is_to_be_done_again(int result)
{
    return result == -EAGAIN || result == -EINTR;
}

static void
uring_engine_reap(Engine *engine, bool wait)
{
    UringEngine *ue = (UringEngine *)engine;
    struct io_uring_cqe cqe;

    if (wait) {
        fill_ring(ue);
        uring_enter(&ue->ring, 1);
    }
    while (uring_take(&ue->ring, &cqe)) {
        EngineOp *op = (EngineOp *)(uintptr_t)cqe.user_data;

        ue->under_way--;
        op->result = cqe.res;
        if (is_to_be_done_again(cqe.res))
            engine_queue_put(&ue->queued, op);
        else
            op->done(op);
    }
}

static void
uring_engine_close(Engine *engine)
{
    UringEngine *ue = (UringEngine *)engine;

    uring_close(&ue->ring);
    close_helper(ue);
    free(ue);
}

const EngineClass engine_uring_class = {
    .name = "io_uring",
    .open = uring_engine_open,
    .submit = uring_engine_submit,
    .start = uring_engine_start,
    .reap = uring_engine_reap,
    .close = uring_engine_close,
};
