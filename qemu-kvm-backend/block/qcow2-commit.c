#include "qemu-kvm-backend/block/qcow2-commit.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-clerk.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Clusters that wait for the next commit to be free, at most; each is a few bytes. */
#define PENDING_MAX 4096

static void next_stage(Qcow2 *q);

static void
slice_written(BlockRequest *io, int error)
{
    Slice *slice = (Slice *)io;
    Qcow2 *q = slice->q;

    q->unsynced = true;
    cache_unpin(slice);
    if (error)
        q->clerk.error = error;
    else
        cache_clean(slice);
    if (--q->clerk.outstanding == 0)
        next_stage(q);
    q->advance(q);
}

static void
write_slice(Qcow2 *q, Slice *slice)
{
    cache_pin(slice);
    q->clerk.outstanding++;
    slice->iov = (struct iovec){ slice->data, q->cache.slice_size };
    slice->io = (BlockRequest){
        .op = BLOCK_WRITE,
        .offset = slice->offset,
        .size = q->cache.slice_size,
        .iov = &slice->iov,
        .n_iov = 1,
        .done = slice_written,
        .image = q->lower,
    };
    q->lower->format->submit(q->lower, &slice->io);
}

/* One is outstanding from the beginning, so that the stage ends once. */
static void
write_slices(Qcow2 *q, SliceKind kind)
{
    q->clerk.outstanding = 1;
    for (unsigned i = 0; i < q->cache.n_touched; i++) {
        Slice *slice = &q->cache.slices[i];

        if (slice->used && slice->dirty && slice->kind == kind)
            write_slice(q, slice);
    }
    if (--q->clerk.outstanding == 0)
        next_stage(q);
}

static void
stage_done(Qcow2 *q, int error)
{
    q->clerk.error = error;
    next_stage(q);
}

static void
table_part_written(Qcow2 *q, Qcow2Table *table, int error)
{
    if (!error)
        table->dirty_first = table->dirty_end = 0;
    stage_done(q, error);
}

static bool
moves_l1(const Qcow2 *q)
{
    return q->clerk.shape.l1_offset != q->l1.offset;
}

static void
reftable_written(Qcow2 *q, int error)
{
    table_part_written(q, &q->reftable, error);
}

static void
l1_written(Qcow2 *q, int error)
{
    table_part_written(q, &q->l1, error);
}

/* The sectors with changes; what is behind the table in the last one are its cluster's zeros. */
static void
write_table(Qcow2 *q, const Qcow2Table *table, void (*then)(Qcow2 *q, int error))
{
    const uint32_t per_sector = BLOCK_SECTOR / 8;
    uint32_t first = table->dirty_first / per_sector * per_sector;
    uint32_t end = (table->dirty_end + per_sector - 1) / per_sector * per_sector;

    if (!table_is_dirty(table))
        next_stage(q);
    else
        clerk_step(q, BLOCK_WRITE, table->offset + (uint64_t)first * 8, table->entries + first,
                   (size_t)(end - first) * 8, then);
}

static void
sync_now(Qcow2 *q)
{
    if (q->unsynced)
        clerk_step(q, BLOCK_FLUSH, 0, NULL, 0, stage_done);
    else
        next_stage(q);
}

/* Before what depends on what was written up to here, if there is any. */

static void
write_refcounts(Qcow2 *q)
{
    write_slices(q, SLICE_REFCOUNTS);
}

static void
sync_before_reftable(Qcow2 *q)
{
    if (table_is_dirty(&q->reftable))
        sync_now(q);
    else
        next_stage(q);
}

static void
write_reftable(Qcow2 *q)
{
    write_table(q, &q->reftable, reftable_written);
}

static void
sync_before_l2(Qcow2 *q)
{
    if (q->cache.n_dirty > 0)
        sync_now(q);
    else
        next_stage(q);
}

static void
write_l2s(Qcow2 *q)
{
    write_slices(q, SLICE_L2);
}

static void
sync_before_l1(Qcow2 *q)
{
    if (table_is_dirty(&q->l1) && !moves_l1(q))
        sync_now(q);
    else
        next_stage(q);
}

/* Whole, in a new place, which the header does not know yet. */
static void
write_new_l1(Qcow2 *q)
{
    size_t size = (size_t)table_clusters(q, q->clerk.shape.l1_entries) * q->cluster_size;

    q->clerk.buffer = calloc(1, size);
    if (!q->clerk.buffer) {
        stage_done(q, ENOMEM);
        return;
    }
    if (q->l1.n_loaded > 0)
        memcpy(q->clerk.buffer, q->l1.entries, (size_t)q->l1.n_loaded * 8);
    clerk_step(q, BLOCK_WRITE, q->clerk.shape.l1_offset, q->clerk.buffer, size, stage_done);
}

static void
write_l1(Qcow2 *q)
{
    if (moves_l1(q))
        write_new_l1(q);
    else
        write_table(q, &q->l1, l1_written);
}

static void
sync_before_header(Qcow2 *q)
{
    if (q->header_dirty)
        sync_now(q);
    else
        next_stage(q);
}

/* From the size to the place of L1 in one piece; between them is the method of encryption, which is none. */
static void
write_header(Qcow2 *q)
{
    const Qcow2Shape *shape = &q->clerk.shape;
    const struct {
        uint64_t size;
        uint32_t encryption, l1_entries;
        uint64_t l1_offset;
    } header = { htobe64(shape->size), 0, htobe32(shape->l1_entries), htobe64(shape->l1_offset) };

    if (!q->header_dirty) {
        next_stage(q);
        return;
    }
    _Static_assert(sizeof(header) == sizeof(q->clerk.header), "three fields and what is between");
    memcpy(q->clerk.header, &header, sizeof(header));
    clerk_step(q, BLOCK_WRITE, QCOW2_AT_SIZE, q->clerk.header, sizeof(header), stage_done);
}

static void
thaw(Qcow2 *q)
{
    q->frozen = false;
    qcow2_wake_parked(q);
    sync_now(q);
}

static void (*const stages[])(Qcow2 *q) = {
    write_refcounts, sync_before_reftable,
    write_reftable,  sync_before_l2,
    write_l2s,       sync_before_l1,
    write_l1,        sync_before_header,
    write_header,    thaw,
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

/* The header has said so for good. */
static void
take_shape(Qcow2 *q)
{
    const Qcow2Shape *shape = &q->clerk.shape;

    if (moves_l1(q)) {
        if (q->l1.n > 0)
            free_list_add(q, &q->ready, q->l1.offset, table_clusters(q, q->l1.n), false);
        q->l1.offset = shape->l1_offset;
        q->l1.n = shape->l1_entries;
        q->l1.dirty_first = q->l1.dirty_end = 0;
    }
    if (q->clerk.reshapes)
        q->image.size = shape->size;
    q->shape = *shape;
    q->header_dirty = false;
}

static void
end_commit(Qcow2 *q)
{
    int error = q->clerk.error;

    q->frozen = false;
    if (!error)
        take_shape(q);
    q->settling &= !error;
    free_list_move(&q->committing, error ? &q->pending : &q->ready);
    wait_list_wake(q, &q->committers, error);
    clerk_end(q, error);
}

static void
next_stage(Qcow2 *q)
{
    if (q->clerk.error || q->clerk.stage == N_STAGES)
        end_commit(q);
    else
        stages[q->clerk.stage++](q);
}

void
qcow2_commit(Qcow2 *q)
{
    clerk_begin(q, NULL);
    q->committers = q->flushers;
    q->flushers = (WaitList){ 0 };
    free_list_move(&q->pending, &q->committing);
    q->clerk.stage = 0;
    q->clerk.error = q->corrupt ? EIO : 0;
    q->clerk.reshapes = q->wants_shape;
    q->clerk.shape = q->wants_shape ? q->next_shape : q->shape;
    q->header_dirty |= q->wants_shape;
    q->wants_shape = false;
    q->frozen = true;
    next_stage(q);
}

bool
qcow2_has_changes(const Qcow2 *q)
{
    return q->cache.n_dirty > 0 || table_is_dirty(&q->l1) || table_is_dirty(&q->reftable) ||
           q->header_dirty || q->pending.n > 0;
}

bool
qcow2_may_change(Qcow2 *q, Waiter *waiter)
{
    if (!q->frozen && cache_has_room(q) && q->pending.n < PENDING_MAX)
        return true;
    if (q->frozen)
        qcow2_starve(q, waiter);
    else if (qcow2_has_changes(q))
        wait_list_put(&q->flushers, waiter);
    else /* jobs that are not done yet have all the room */
        qcow2_park(q, waiter);
    return false;
}
