#include "qemu-kvm-backend/block/qcow2-clerk.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REFTABLE_SIZE_MAX (8u << 20) /* bytes, as QEMU has it */

/* Tables in memory */

uint64_t
table_get(const Qcow2Table *table, uint32_t index)
{
    return index < table->n_loaded ? be64toh(table->entries[index]) : 0;
}

/* In whole sectors, for that is what is written. */
void
table_load_until(Qcow2Table *table, uint32_t n)
{
    const uint32_t per_sector = BLOCK_SECTOR / 8;
    uint32_t rounded = (n + per_sector - 1) / per_sector * per_sector;

    if (rounded <= table->n_loaded)
        return;
    table->entries = vmm_must(realloc(table->entries, (size_t)rounded * 8));
    memset(table->entries + table->n_loaded, 0, (size_t)(rounded - table->n_loaded) * 8);
    table->n_loaded = rounded;
}

void
table_set(Qcow2Table *table, uint32_t index, uint64_t value)
{
    table_load_until(table, index + 1);
    table->entries[index] = htobe64(value);
    if (table->dirty_first == table->dirty_end) {
        table->dirty_first = index;
        table->dirty_end = index + 1;
    } else if (index < table->dirty_first) {
        table->dirty_first = index;
    } else if (index >= table->dirty_end) {
        table->dirty_end = index + 1;
    }
}

static bool
table_is_dirty(const Qcow2Table *table)
{
    return table->dirty_first != table->dirty_end;
}

/* Work in steps */

static void
step_done(BlockRequest *io, int error)
{
    Qcow2 *q = ((Clerk *)io)->q;

    q->unsynced |= io->op != BLOCK_FLUSH || error;
    q->clerk.then(q, error);
    q->advance(q);
}

static void
step(Qcow2 *q, BlockOp op, uint64_t offset, void *data, size_t size,
     void (*then)(Qcow2 *q, int error))
{
    Clerk *clerk = &q->clerk;

    clerk->q = q;
    clerk->then = then;
    clerk->iov = (struct iovec){ data, size };
    clerk->io = (BlockRequest){
        .op = op,
        .offset = offset,
        .size = size,
        .iov = &clerk->iov,
        .n_iov = op == BLOCK_READ || op == BLOCK_WRITE,
        .done = step_done,
        .image = q->lower,
    };
    if (op == BLOCK_FLUSH)
        q->unsynced = false;
    q->lower->format->submit(q->lower, &clerk->io);
}

static void
begin(Qcow2 *q)
{
    assert(!q->clerk.busy);
    q->clerk.busy = true;
}

static void
end(Qcow2 *q, int error)
{
    free(q->clerk.buffer);
    q->clerk.buffer = NULL;
    q->clerk.busy = false;
    wait_list_wake(q, &q->starved, error);
    qcow2_wake_parked(q);
}

/* False where the work has ended for want of memory. */
static bool
get_buffer(Qcow2 *q, size_t size)
{
    q->clerk.buffer = calloc(1, size);
    if (!q->clerk.buffer)
        end(q, ENOMEM);
    return q->clerk.buffer != NULL;
}

/* A refcount block: it lies in the first cluster that it counts, and none of those was used, for they had
 * no counts. */

static void
block_written(Qcow2 *q, int error)
{
    if (!error) {
        cache_forget(q, q->clerk.host);
        table_set(&q->reftable, q->clerk.index, q->clerk.host);
    }
    end(q, error);
}

static void
mark_used(Qcow2 *q, uint64_t host, uint64_t n)
{
    if (q->virgin_from < host / q->cluster_size + n)
        q->virgin_from = host / q->cluster_size + n;
}

void
clerk_add_block(Qcow2 *q, uint64_t block)
{
    uint64_t host = block * refcount_per_block(q) * q->cluster_size;

    begin(q);
    if (refcount_is_reserved(q, host, q->cluster_size)) {
        qcow2_set_corrupt(q, "the refcount block of its header is missing");
        end(q, EIO);
        return;
    }
    if (!get_buffer(q, q->cluster_size))
        return;
    q->clerk.index = block;
    q->clerk.host = host;
    mark_used(q, host, 1);
    refcount_set(q->clerk.buffer, q->header.refcount_order, 0, 1);
    step(q, BLOCK_WRITE, host, q->clerk.buffer, q->cluster_size, block_written);
}

/* The refcount table: a longer one comes right behind all that the old one could count, with the blocks
 * that count it. The header then switches from one to the other at once. */

static void
table_switched(Qcow2 *q, int error)
{
    Qcow2Table *table = &q->reftable;

    if (error) {
        end(q, error);
        return;
    }
    free_list_add(q, &q->pending, table->offset, q->header.reftable_clusters, false);
    free(table->entries);
    *table = (Qcow2Table){ .offset = q->clerk.host, .n = q->clerk.index };
    q->header.reftable_clusters = (uint64_t)q->clerk.index * 8 / q->cluster_size;
    table_load_until(table, q->clerk.n_filled);
    memcpy(table->entries, q->clerk.buffer + q->clerk.table_at, (size_t)table->n_loaded * 8);
    end(q, 0);
}

static void
switch_table(Qcow2 *q, int error)
{
    static const unsigned size = 12;
    uint64_t offset = htobe64(q->clerk.host);
    uint32_t clusters = htobe32((uint64_t)q->clerk.index * 8 / q->cluster_size);

    if (error) {
        end(q, error);
        return;
    }
    memcpy(q->clerk.header, &offset, sizeof(offset));
    memcpy(q->clerk.header + sizeof(offset), &clusters, sizeof(clusters));
    step(q, BLOCK_WRITE, QCOW2_AT_REFTABLE, q->clerk.header, size, table_switched);
}

static void
table_written(Qcow2 *q, int error)
{
    if (error)
        end(q, error);
    else
        step(q, BLOCK_FLUSH, 0, NULL, 0, switch_table);
}

static uint64_t
divide_up(uint64_t a, uint64_t b)
{
    return (a + b - 1) / b;
}

/* @n_blocks count themselves and @n_table clusters of the table behind them. */
static void
fill_tables(Qcow2 *q, uint64_t first, uint64_t n_blocks, uint64_t n_table)
{
    uint64_t per_block = refcount_per_block(q);
    uint8_t *table = q->clerk.buffer + n_blocks * q->cluster_size;

    for (uint64_t i = 0; i < n_blocks + n_table; i++)
        refcount_set(q->clerk.buffer + i / per_block * q->cluster_size, q->header.refcount_order,
                     i % per_block, 1);
    for (uint32_t i = 0; i < q->reftable.n + n_blocks; i++) {
        uint64_t entry = i < q->reftable.n ? table_get(&q->reftable, i)
                                           : (first + i - q->reftable.n) * q->cluster_size;

        entry = htobe64(entry);
        memcpy(table + (size_t)i * 8, &entry, 8);
    }
}

void
clerk_grow_table(Qcow2 *q, uint64_t block)
{
    uint64_t per_block = refcount_per_block(q), per_cluster = q->cluster_size / 8;
    uint64_t first = q->reftable.n * per_block, n_blocks = 1, n_table, entries;

    begin(q);
    do { /* until the blocks count all that is new */
        entries = q->reftable.n + q->reftable.n / 2 + n_blocks;
        n_table = divide_up(entries, per_cluster);
        if (divide_up(n_blocks + n_table, per_block) <= n_blocks)
            break;
        n_blocks = divide_up(n_blocks + n_table, per_block);
    } while (n_table * q->cluster_size <= REFTABLE_SIZE_MAX);
    if (block > q->reftable.n || n_table * q->cluster_size > REFTABLE_SIZE_MAX) {
        end(q, EFBIG);
        return;
    }
    if (!get_buffer(q, (n_blocks + n_table) * q->cluster_size))
        return;
    fill_tables(q, first, n_blocks, n_table);
    q->clerk.host = (first + n_blocks) * q->cluster_size;
    q->clerk.index = n_table * per_cluster;
    q->clerk.table_at = n_blocks * q->cluster_size;
    q->clerk.n_filled = q->reftable.n + n_blocks;
    mark_used(q, first * q->cluster_size, n_blocks + n_table);
    step(q, BLOCK_WRITE, first * q->cluster_size, q->clerk.buffer,
         (n_blocks + n_table) * q->cluster_size, table_written);
}

/* An L2 table */

static void
l2_written(Qcow2 *q, int error)
{
    Clerk *clerk = &q->clerk;

    if (error) {
        free_list_add(q, &q->ready, clerk->host, 1, false);
        end(q, error);
        return;
    }
    cache_forget(q, clerk->host);
    table_set(&q->l1, clerk->index, clerk->host | QCOW2_COPIED);
    if (clerk->old)
        free_list_add(q, &q->pending, clerk->old, 1, false);
    end(q, 0);
}

static void
write_l2(Qcow2 *q, int error)
{
    if (error)
        l2_written(q, error);
    else
        step(q, BLOCK_WRITE, q->clerk.host, q->clerk.buffer, q->cluster_size, l2_written);
}

void
clerk_add_l2(Qcow2 *q, uint32_t index, uint64_t host)
{
    uint64_t old = table_get(&q->l1, index) & QCOW2_OFFSET;

    begin(q);
    q->clerk.index = index;
    q->clerk.host = host;
    q->clerk.old = old;
    q->clerk.buffer = calloc(1, q->cluster_size);
    if (!q->clerk.buffer)
        l2_written(q, ENOMEM);
    else if (old)
        step(q, BLOCK_READ, old, q->clerk.buffer, q->cluster_size, write_l2);
    else
        write_l2(q, 0);
}

/* The mark of a corrupt image */

void
clerk_mark_corrupt(Qcow2 *q)
{
    uint64_t features = htobe64(q->header.incompatible | QCOW2_INCOMPATIBLE_CORRUPT);

    begin(q);
    q->mark_corrupt = false;
    memcpy(q->clerk.header, &features, sizeof(features));
    step(q, BLOCK_WRITE, QCOW2_AT_INCOMPATIBLE, q->clerk.header, sizeof(features), end);
}

/* The commit */

static void next_stage(Qcow2 *q);

static void
slice_written(BlockRequest *io, int error)
{
    Slice *slice = (Slice *)io;
    Qcow2 *q = slice->q;

    q->unsynced = true;
    slice->pins--;
    if (error) {
        q->clerk.error = error;
    } else {
        slice->dirty = false;
        q->cache.n_dirty--;
    }
    if (--q->clerk.outstanding == 0)
        next_stage(q);
    q->advance(q);
}

static void
write_slice(Qcow2 *q, Slice *slice)
{
    slice->pins++;
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
        step(q, BLOCK_WRITE, table->offset + (uint64_t)first * 8, table->entries + first,
             (size_t)(end - first) * 8, then);
}

static void
sync_now(Qcow2 *q)
{
    if (q->unsynced)
        step(q, BLOCK_FLUSH, 0, NULL, 0, stage_done);
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
    if (table_is_dirty(&q->l1))
        sync_now(q);
    else
        next_stage(q);
}

static void
write_l1(Qcow2 *q)
{
    write_table(q, &q->l1, l1_written);
}

static void
thaw(Qcow2 *q)
{
    q->frozen = false;
    qcow2_wake_parked(q);
    sync_now(q);
}

static void (*const stages[])(Qcow2 *q) = {
    write_refcounts, sync_before_reftable, write_reftable, sync_before_l2,
    write_l2s,       sync_before_l1,       write_l1,       thaw,
};

#define N_STAGES (sizeof(stages) / sizeof(stages[0]))

static void
end_commit(Qcow2 *q)
{
    int error = q->clerk.error;

    q->frozen = false;
    q->settling &= !error;
    free_list_move(&q->committing, error ? &q->pending : &q->ready);
    wait_list_wake(q, &q->committers, error);
    end(q, error);
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
clerk_commit(Qcow2 *q)
{
    begin(q);
    q->cache.full_of_changes = false;
    q->committers = q->flushers;
    q->flushers = (WaitList){ 0 };
    free_list_move(&q->pending, &q->committing);
    q->clerk.stage = 0;
    q->clerk.error = q->corrupt ? EIO : 0;
    q->frozen = true;
    next_stage(q);
}

bool
clerk_has_changes(const Qcow2 *q)
{
    return q->cache.n_dirty > 0 || table_is_dirty(&q->l1) || table_is_dirty(&q->reftable) ||
           q->pending.n > 0;
}

void
clerk_close(Qcow2 *q)
{
    assert(!q->clerk.busy);
    free(q->l1.entries);
    free(q->reftable.entries);
}
