#include "qemu-kvm-backend/block/qcow2-resize.h"

#include "qemu-kvm-backend/block/qcow2-clerk.h"
#include "qemu-kvm-backend/block/qcow2-commit.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-read.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"
#include "qemu-kvm-backend/block/qcow2-zero.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <stddef.h>

/* In whole clusters. */
static uint64_t
round_up(const Qcow2 *q, uint64_t size)
{
    return (size + q->cluster_size - 1) & ~(uint64_t)(q->cluster_size - 1);
}

/* Steps */

static void
end(Qcow2 *q, int error)
{
    Qcow2Resize *resize = &q->resize;
    BlockRequest *req = resize->req;

    free_list_move(&resize->wasted, &q->ready);
    resize->req = NULL;
    q->image.ended(&q->image, req, error);
}

/* A table that was to come is free after the next commit: that says in the header which one counts. */
static void
fail(Qcow2 *q, int error)
{
    if (q->resize.n_table > 0)
        free_list_add(q, &q->pending, q->resize.table, q->resize.n_table, false);
    q->image.size = q->shape.size;
    end(q, error);
}

static void
go_on(Waiter *waiter, int error)
{
    Qcow2 *q = (Qcow2 *)((char *)waiter - offsetof(Qcow2, resize.waiter));

    if (!error && q->corrupt)
        error = EIO;
    if (error)
        fail(q, error);
    else
        q->resize.step(q);
}

static void
next(Qcow2 *q, void (*step)(Qcow2 *q))
{
    q->resize.step = step;
    wait_list_put(&q->runnable, &q->resize.waiter);
}

/* The next commit makes the image what @shape says, and @step follows it. */
static void
commit(Qcow2 *q, Qcow2Shape shape, void (*step)(Qcow2 *q))
{
    q->next_shape = shape;
    q->wants_shape = true;
    q->resize.step = step;
    wait_list_put(&q->flushers, &q->resize.waiter);
}

/* The size */

static void
finish(Qcow2 *q)
{
    end(q, 0);
}

static void
say_size(Qcow2 *q)
{
    Qcow2Shape shape = q->shape;

    shape.size = q->resize.size;
    commit(q, shape, finish);
}

/* What comes or goes */

static void
cleared(Qcow2 *q, int error)
{
    if (error)
        fail(q, error);
    else
        next(q, say_size);
}

static void
clear(Qcow2 *q, BlockOp op, uint64_t offset, uint64_t end, void (*step)(Qcow2Job *job))
{
    BlockRequest *req = &q->resize.clearing;
    Qcow2Job *job;

    if (offset >= end) {
        say_size(q);
        return;
    }
    *req = (BlockRequest){ .op = op, .may_unmap = true, .offset = offset, .size = end - offset };
    job = job_new(q, req, step);
    job->ended = cleared;
    job_next(job, step);
}

/* @size bytes need nothing. */
static void
pass_over(Qcow2Job *job, uint64_t size)
{
    block_request_skip(job->req, size);
    if (job->req->size > 0)
        job_next_part(job);
    else
        job_end(job, 0);
}

static bool
reads_as_zeros(const Qcow2 *q, uint64_t offset, const MapExtent *extent)
{
    return extent->kind == MAP_ZERO ||
           (extent->kind == MAP_BACKING && read_backing_size(q, offset, extent->size) == 0);
}

/* Behind the disk's end there may be the rest of its last cluster, what the backing image has, and what whoever had the
 * image before has left there. Who began to write to the last cluster when it was the last one ends first. */
static void
clear_new(Qcow2Job *job)
{
    MapExtent extent;

    if (!job_can_hold(job, job->req->offset, 1, true))
        return;
    if (!job_find(job, job->req->size, &extent))
        return;
    if (reads_as_zeros(job->q, job->req->offset, &extent))
        pass_over(job, extent.size);
    else
        zero_step(job);
}

static void
clear_what_comes(Qcow2 *q)
{
    uint64_t end = q->resize.covered;

    if (q->image.backing && q->image.backing->size > end)
        end = q->image.backing->size;
    clear(q, BLOCK_ZERO, q->image.size, round_up(q, least(end, q->resize.size)), clear_new);
}

static void
clear_old(Qcow2Job *job)
{
    const Qcow2 *q = job->q;
    uint64_t offset = job->req->offset;

    if (table_get(&q->l1, map_l1_index(q, offset)) & QCOW2_OFFSET)
        discard_step(job);
    else
        pass_over(job, least(job->req->size, map_l1_rest(q, offset)));
}

/* From here on nobody asks for what goes. */
static void
clear_what_goes(Qcow2 *q)
{
    uint64_t end = round_up(q, q->image.size);

    q->image.size = q->resize.size;
    clear(q, BLOCK_DISCARD, round_up(q, q->resize.size), end, clear_old);
}

/* A larger L1 table needs clusters that follow each other. */

static void
table_moved(Qcow2 *q)
{
    q->resize.n_table = 0; /* it is the image's */
    next(q, clear_what_comes);
}

static void
take_run(Qcow2 *q, const ClusterRun *run)
{
    Qcow2Resize *resize = &q->resize;

    if (resize->n_table > 0 && run->offset == resize->table + resize->n_table * q->cluster_size) {
        resize->n_table += run->n;
        return;
    }
    if (resize->n_table > 0)
        free_list_add(q, &resize->wasted, resize->table, resize->n_table, false);
    resize->table = run->offset;
    resize->n_table = run->n;
}

/* Where the block would lie in the way, the first of the clusters before becomes its place. */
static void
add_block(Qcow2 *q, uint64_t block)
{
    Qcow2Resize *resize = &q->resize;
    uint64_t host = resize->table;
    uint64_t counted = block * refcount_per_block(q) * q->cluster_size;

    if (resize->n_table == 0 || host + resize->n_table * q->cluster_size != counted) {
        clerk_add_block(q, block, &resize->waiter);
        return;
    }
    resize->table += q->cluster_size;
    resize->n_table--;
    clerk_add_block_at(q, block, host, &resize->waiter);
}

static void
add_counts(Qcow2 *q, AllocateResult lack, uint64_t block)
{
    if (q->clerk.busy)
        qcow2_starve(q, &q->resize.waiter);
    else if (lack == ALLOCATE_NEEDS_BLOCK)
        add_block(q, block);
    else
        clerk_grow_table(q, block, &q->resize.waiter);
}

static void
allocate_table(Qcow2 *q)
{
    Qcow2Resize *resize = &q->resize;
    uint64_t want = table_clusters(q, resize->l1_entries);

    while (resize->n_table < want) {
        ClusterRun run;
        uint64_t block;
        AllocateResult result;

        if (!qcow2_may_change(q, &resize->waiter))
            return;
        result = refcount_allocate(q, want - resize->n_table, &resize->waiter, &run, &block);
        if (result == ALLOCATE_FAILED)
            fail(q, EIO);
        else if (result != ALLOCATE_DONE && result != ALLOCATE_WAITS)
            add_counts(q, result, block);
        if (result != ALLOCATE_DONE)
            return;
        take_run(q, &run);
    }
    commit(q, (Qcow2Shape){ q->shape.size, resize->table, resize->l1_entries }, table_moved);
}

static void
make_room(Qcow2 *q)
{
    uint64_t entries = qcow2_l1_entries(q->resize.size, q->header.cluster_bits);

    q->resize.l1_entries = entries;
    if (entries > QCOW2_L1_SIZE_MAX / 8)
        fail(q, EFBIG);
    else if (entries > q->l1.n)
        allocate_table(q);
    else
        clear_what_comes(q);
}

bool
qcow2_set_size(BlockImage *image, BlockRequest *req, uint64_t size, VmmError *err)
{
    Qcow2 *q = (Qcow2 *)image;

    if (q->resize.req)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is getting another size already",
                         image->name);
    /* The size that a snapshot was made at is in none of version 2. */
    if (q->header.version < 3 && q->header.n_snapshots > 0)
        return vmm_error(err, VMM_ERROR_FAILED, "Can't resize a v2 image which has snapshots");
    q->resize = (Qcow2Resize){ .waiter.go = go_on, .req = req, .size = size };
    q->resize.covered = (uint64_t)q->l1.n << (q->header.cluster_bits + q->l2_bits);
    next(q, size > image->size ? make_room : size < image->size ? clear_what_goes : finish);
    q->advance(q);
    return true;
}
