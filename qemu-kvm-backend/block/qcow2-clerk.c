#include "qemu-kvm-backend/block/qcow2-clerk.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REFTABLE_SIZE_MAX (8u << 20) /* bytes, as QEMU has it */

/* Work in steps */

static void
step_done(BlockRequest *io, int error)
{
    Qcow2 *q = ((Clerk *)io)->q;

    q->unsynced |= io->op != BLOCK_FLUSH || error;
    q->clerk.then(q, error);
    q->advance(q);
}

void
clerk_step(Qcow2 *q, BlockOp op, uint64_t offset, void *data, size_t size,
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

void
clerk_begin(Qcow2 *q, Waiter *client)
{
    assert(!q->clerk.busy);
    q->clerk.busy = true;
    q->clerk.client = client;
}

void
clerk_end(Qcow2 *q, int error)
{
    free(q->clerk.buffer);
    q->clerk.buffer = NULL;
    q->clerk.busy = false;
    if (q->clerk.client)
        waiter_wake(q, q->clerk.client, error);
    wait_list_wake(q, &q->starved, 0);
    qcow2_wake_parked(q);
}

/* False where the work has ended for want of memory. */
static bool
get_buffer(Qcow2 *q, size_t size)
{
    q->clerk.buffer = calloc(1, size);
    if (!q->clerk.buffer)
        clerk_end(q, ENOMEM);
    return q->clerk.buffer != NULL;
}

/* A refcount block: none of the clusters that it counts was used, for they had no counts. */

static void
block_written(Qcow2 *q, int error)
{
    if (error && q->clerk.allocated) {
        free_list_add(q, &q->ready, q->clerk.host, 1, false);
    } else if (!error) {
        cache_forget(q, q->clerk.host);
        table_set(&q->reftable, q->clerk.index, q->clerk.host);
    }
    clerk_end(q, error);
}

static void
mark_used(Qcow2 *q, uint64_t host, uint64_t n)
{
    if (q->virgin_from < host / q->cluster_size + n)
        q->virgin_from = host / q->cluster_size + n;
}

static void
write_block(Qcow2 *q, uint64_t block, uint64_t host)
{
    q->clerk.index = block;
    q->clerk.host = host;
    clerk_step(q, BLOCK_WRITE, host, q->clerk.buffer, q->cluster_size, block_written);
}

void
clerk_add_block_at(Qcow2 *q, uint64_t block, uint64_t host, Waiter *client)
{
    clerk_begin(q, client);
    q->clerk.allocated = true;
    q->clerk.buffer = calloc(1, q->cluster_size);
    if (q->clerk.buffer) {
        write_block(q, block, host);
        return;
    }
    q->clerk.host = host;
    block_written(q, ENOMEM);
}

void
clerk_add_block(Qcow2 *q, uint64_t block, Waiter *client)
{
    uint64_t host = block * refcount_per_block(q) * q->cluster_size;

    clerk_begin(q, client);
    q->clerk.allocated = false;
    if (refcount_is_reserved(q, host, q->cluster_size)) {
        qcow2_set_corrupt(q, "the refcount block of its header is missing");
        clerk_end(q, EIO);
        return;
    }
    if (!get_buffer(q, q->cluster_size))
        return;
    mark_used(q, host, 1);
    refcount_set(q->clerk.buffer, q->header.refcount_order, 0, 1);
    write_block(q, block, host);
}

/* The refcount table: a longer one comes right behind all that the old one could count, with the blocks
 * that count it. The header then switches from one to the other at once. */

static void
table_switched(Qcow2 *q, int error)
{
    Qcow2Table *table = &q->reftable;

    if (error) {
        clerk_end(q, error);
        return;
    }
    free_list_add(q, &q->pending, table->offset, q->header.reftable_clusters, false);
    free(table->entries);
    *table = (Qcow2Table){ .offset = q->clerk.host, .n = q->clerk.index };
    q->header.reftable_clusters = (uint64_t)q->clerk.index * 8 / q->cluster_size;
    table_load_until(table, q->clerk.n_filled);
    memcpy(table->entries, q->clerk.buffer + q->clerk.table_at, (size_t)table->n_loaded * 8);
    clerk_end(q, 0);
}

static void
switch_table(Qcow2 *q, int error)
{
    static const unsigned size = 12;
    uint64_t offset = htobe64(q->clerk.host);
    uint32_t clusters = htobe32((uint64_t)q->clerk.index * 8 / q->cluster_size);

    if (error) {
        clerk_end(q, error);
        return;
    }
    memcpy(q->clerk.header, &offset, sizeof(offset));
    memcpy(q->clerk.header + sizeof(offset), &clusters, sizeof(clusters));
    clerk_step(q, BLOCK_WRITE, QCOW2_AT_REFTABLE, q->clerk.header, size, table_switched);
}

static void
table_written(Qcow2 *q, int error)
{
    if (error)
        clerk_end(q, error);
    else
        clerk_step(q, BLOCK_FLUSH, 0, NULL, 0, switch_table);
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
clerk_grow_table(Qcow2 *q, uint64_t block, Waiter *client)
{
    uint64_t per_block = refcount_per_block(q), per_cluster = q->cluster_size / 8;
    uint64_t first = q->reftable.n * per_block, n_blocks = 1, n_table, entries;

    clerk_begin(q, client);
    do { /* until the blocks count all that is new */
        entries = q->reftable.n + q->reftable.n / 2 + n_blocks;
        n_table = divide_up(entries, per_cluster);
        if (divide_up(n_blocks + n_table, per_block) <= n_blocks)
            break;
        n_blocks = divide_up(n_blocks + n_table, per_block);
    } while (n_table * q->cluster_size <= REFTABLE_SIZE_MAX);
    if (block > q->reftable.n || n_table * q->cluster_size > REFTABLE_SIZE_MAX) {
        clerk_end(q, EFBIG);
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
    clerk_step(q, BLOCK_WRITE, first * q->cluster_size, q->clerk.buffer,
               (n_blocks + n_table) * q->cluster_size, table_written);
}

/* An L2 table */

static void
l2_written(Qcow2 *q, int error)
{
    Clerk *clerk = &q->clerk;

    if (error) {
        free_list_add(q, &q->ready, clerk->host, 1, false);
        clerk_end(q, error);
        return;
    }
    cache_forget(q, clerk->host);
    table_set(&q->l1, clerk->index, clerk->host | QCOW2_COPIED);
    if (clerk->old)
        free_list_add(q, &q->pending, clerk->old, 1, false);
    clerk_end(q, 0);
}

static void
write_l2(Qcow2 *q, int error)
{
    if (error)
        l2_written(q, error);
    else
        clerk_step(q, BLOCK_WRITE, q->clerk.host, q->clerk.buffer, q->cluster_size, l2_written);
}

void
clerk_add_l2(Qcow2 *q, uint32_t index, uint64_t host, Waiter *client)
{
    uint64_t old = table_get(&q->l1, index) & QCOW2_OFFSET;

    clerk_begin(q, client);
    q->clerk.index = index;
    q->clerk.host = host;
    q->clerk.old = old;
    q->clerk.buffer = calloc(1, q->cluster_size);
    if (!q->clerk.buffer)
        l2_written(q, ENOMEM);
    else if (old)
        clerk_step(q, BLOCK_READ, old, q->clerk.buffer, q->cluster_size, write_l2);
    else
        write_l2(q, 0);
}

/* The mark of a corrupt image */

void
clerk_mark_corrupt(Qcow2 *q)
{
    uint64_t features = htobe64(q->header.incompatible | QCOW2_INCOMPATIBLE_CORRUPT);

    clerk_begin(q, NULL);
    q->mark_corrupt = false;
    memcpy(q->clerk.header, &features, sizeof(features));
    clerk_step(q, BLOCK_WRITE, QCOW2_AT_INCOMPATIBLE, q->clerk.header, sizeof(features), clerk_end);
}

void
clerk_close(Qcow2 *q)
{
    assert(!q->clerk.busy);
    free(q->l1.entries);
    free(q->reftable.entries);
}
