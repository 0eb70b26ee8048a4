#include "qemu-kvm-backend/block/qcow2-refcount.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-full.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"
#include "qemu-kvm-backend/log.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void
qcow2_set_corrupt(Qcow2 *q, const char *why)
{
    if (q->corrupt)
        return;
    q->corrupt = true;
    q->mark_corrupt = q->image.file->writable && q->header.version >= 3;
    log_line("Disk '%s': its qcow2 image is corrupt: %s", q->image.name, why);
}

/* Counts of 1 to 64 bits: below a byte from its lowest bit on, above big-endian. */

uint64_t
refcount_get(const uint8_t *data, unsigned order, uint32_t index)
{
    unsigned bits = 1u << order;
    uint64_t value = 0;

    if (bits < 8)
        return data[index * bits / 8] >> (index * bits % 8) & ((1u << bits) - 1);
    for (unsigned i = 0; i < bits / 8; i++)
        value = value << 8 | data[(size_t)index * (bits / 8) + i];
    return value;
}

void
refcount_set(uint8_t *data, unsigned order, uint32_t index, uint64_t value)
{
    unsigned bits = 1u << order;

    if (bits < 8) {
        unsigned shift = index * bits % 8;
        uint8_t mask = ((1u << bits) - 1) << shift;

        data[index * bits / 8] = (data[index * bits / 8] & ~mask) | (value << shift & mask);
        return;
    }
    for (unsigned i = bits / 8; i-- > 0; value >>= 8)
        data[(size_t)index * (bits / 8) + i] = value;
}

uint64_t
refcount_per_block(const Qcow2 *q)
{
    return (uint64_t)q->cluster_size * 8 >> q->header.refcount_order;
}

static uint32_t
per_slice(const Qcow2 *q)
{
    return q->cache.slice_size * 8 >> q->header.refcount_order;
}

static uint64_t
block_offset(const Qcow2 *q, uint64_t block)
{
    const Qcow2Table *table = &q->reftable;

    return block < table->n_loaded ? be64toh(table->entries[block]) & QCOW2_REFTABLE_OFFSET : 0;
}

/* The slice that has the count of @cluster, whose block exists at @offset. */
static Slice *
get_slice(Qcow2 *q, uint64_t offset, uint64_t cluster, Waiter *waiter)
{
    uint64_t in_block = cluster % refcount_per_block(q);

    return cache_get(q, SLICE_REFCOUNTS, offset + in_block / per_slice(q) * q->cache.slice_size,
                     waiter);
}

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Two equal ones next to each other, of @n sorted numbers; zeros do not count. */
static bool
have_twins(const uint64_t *sorted, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        if (sorted[i] && sorted[i] == sorted[i - 1])
            return true;
    }
    return false;
}

bool
refcount_shares_blocks(const Qcow2 *q)
{
    uint32_t n = q->reftable.n_loaded;
    uint64_t *offsets = vmm_must(malloc(((size_t)n + 1) * sizeof(*offsets)));
    bool shares;

    for (uint32_t i = 0; i < n; i++)
        offsets[i] = block_offset(q, i);
    qsort(offsets, n, sizeof(*offsets), compare);
    shares = have_twins(offsets, n);
    free(offsets);
    return shares;
}

/* Allocating */

static bool
overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
    return a < b + b_size && b < a + a_size;
}

bool
refcount_is_reserved(const Qcow2 *q, uint64_t offset, uint64_t size)
{
    return overlaps(offset, size, 0, q->cluster_size) ||
           overlaps(offset, size, q->l1.offset, (uint64_t)q->l1.n * 8) ||
           overlaps(offset, size, q->reftable.offset, (uint64_t)q->reftable.n * 8);
}

/* The first free clusters of the slice from @at on become used; none are left where *ret_n is 0. */
static uint32_t
take(Qcow2 *q, Slice *slice, uint32_t at, uint32_t want, uint32_t *ret_n)
{
    unsigned order = q->header.refcount_order;
    uint32_t end = per_slice(q), n = 0;

    while (at < end && refcount_get(slice->data, order, at) != 0)
        at++;
    while (n < want && at + n < end && refcount_get(slice->data, order, at + n) == 0)
        refcount_set(slice->data, order, at + n++, 1);
    if (n > 0)
        cache_soil(slice);
    *ret_n = n;
    return at;
}

static AllocateResult
report_run(Qcow2 *q, uint64_t first, uint32_t n, ClusterRun *ret)
{
    ClusterRun run = { first * q->cluster_size, n, first >= q->virgin_from };

    q->free_hint = first + n;
    if (q->virgin_from < first + n)
        q->virgin_from = first + n;
    if (refcount_is_reserved(q, run.offset, (uint64_t)n * q->cluster_size)) {
        qcow2_set_corrupt(q, "what is in use is counted as free");
        return ALLOCATE_FAILED;
    }
    *ret = run;
    return ALLOCATE_DONE;
}

static void
skip_full(Qcow2 *q)
{
    uint64_t slice = q->free_hint / per_slice(q), next = full_skip(&q->full, slice);

    if (next != slice)
        q->free_hint = next * per_slice(q);
}

AllocateResult
refcount_allocate(Qcow2 *q, uint32_t want, Waiter *waiter, ClusterRun *ret, uint64_t *ret_block)
{
    for (;;) {
        uint64_t block, offset;
        uint32_t at, first, n;
        Slice *slice;

        skip_full(q);
        block = q->free_hint / refcount_per_block(q);
        offset = block_offset(q, block);
        at = q->free_hint % per_slice(q);
        *ret_block = block;
        if (block >= q->reftable.n)
            return ALLOCATE_NEEDS_TABLE;
        if (!offset)
            return ALLOCATE_NEEDS_BLOCK;
        if (offset % q->cluster_size) {
            qcow2_set_corrupt(q, "a refcount block is at an odd place");
            return ALLOCATE_FAILED;
        }
        slice = get_slice(q, offset, q->free_hint, waiter);
        if (!slice)
            return ALLOCATE_WAITS;
        first = take(q, slice, at, want, &n);
        q->free_hint += first - at;
        if (n > 0)
            return report_run(q, q->free_hint, n, ret);
        full_mark(&q->full, q->free_hint / per_slice(q) - 1);
    }
}

/* Freeing */

static FreeRange *
add_range(FreeList *list)
{
    if (list->n == list->room) {
        list->room = list->room ? list->room * 2 : 16;
        list->ranges = vmm_must(realloc(list->ranges, list->room * sizeof(FreeRange)));
    }
    return &list->ranges[list->n++];
}

void
free_list_add(Qcow2 *q, FreeList *list, uint64_t offset, uint64_t n, bool punch)
{
    FreeRange *last = list->n > 0 ? &list->ranges[list->n - 1] : NULL;
    uint64_t first = offset / q->cluster_size;

    if (last && last->punch == punch && last->first + last->n == first)
        last->n += n;
    else
        *add_range(list) = (FreeRange){ first, n, punch };
}

void
free_list_move(FreeList *from, FreeList *to)
{
    for (size_t i = 0; i < from->n; i++)
        *add_range(to) = from->ranges[i];
    free(from->ranges);
    *from = (FreeList){ 0 };
}

static void
note_free(Qcow2 *q, uint64_t cluster)
{
    q->free_hint = least(q->free_hint, cluster);
    full_clear(&q->full, cluster / per_slice(q));
}

/* Lowers those counts of the range that one slice has; false where it has to wait. */
static bool
lower_some(Qcow2 *q, FreeRange *range)
{
    uint64_t offset = block_offset(q, range->first / refcount_per_block(q));
    unsigned order = q->header.refcount_order;
    uint32_t at = range->first % per_slice(q), end = per_slice(q);
    Slice *slice;

    if (!offset || offset % q->cluster_size) {
        qcow2_set_corrupt(q, "what is in use has no count");
        range->n = 0;
        return true;
    }
    slice = get_slice(q, offset, range->first, &q->freer);
    if (!slice)
        return false;
    for (; at < end && range->n > 0; at++, range->first++, range->n--) {
        uint64_t count = refcount_get(slice->data, order, at);

        if (count == 0) {
            qcow2_set_corrupt(q, "what is in use is counted as free");
            continue;
        }
        refcount_set(slice->data, order, at, count - 1);
        if (count == 1)
            note_free(q, range->first);
    }
    cache_soil(slice);
    return true;
}

static void
punched(BlockRequest *io, int error)
{
    Qcow2 *q = (Qcow2 *)((char *)io - offsetof(Qcow2, punch));

    q->current.punch = false; /* a hole is nice to have, no more */
    q->freeing = false;
    q->advance(q);
}

/* While the clusters still count as used, so that nobody writes to them before the hole is there. */
static void
punch(Qcow2 *q)
{
    q->punch = (BlockRequest){
        .op = BLOCK_DISCARD,
        .offset = q->current.first * q->cluster_size,
        .size = q->current.n * q->cluster_size,
        .done = punched,
        .image = q->lower,
    };
    q->unsynced = true;
    q->lower->format->submit(q->lower, &q->punch);
}

/* The slice that it waited for is there. What cannot be read stays counted. */
static void
go_on(Waiter *waiter, int error)
{
    Qcow2 *q = (Qcow2 *)((char *)waiter - offsetof(Qcow2, freer));

    if (error)
        q->current.n = 0;
    q->freeing = false;
}

void
refcount_free_ready(Qcow2 *q)
{
    q->freer.go = go_on;
    while (!q->freeing && refcount_has_ready(q) && cache_has_room(q)) {
        if (q->current.n == 0)
            q->current = q->ready.ranges[--q->ready.n];
        q->freeing = true;
        if (q->current.punch)
            punch(q);
        else
            q->freeing = !lower_some(q, &q->current);
    }
}

bool
refcount_has_ready(const Qcow2 *q)
{
    return q->current.n > 0 || q->ready.n > 0;
}

void
refcount_close(Qcow2 *q)
{
    free(q->pending.ranges);
    free(q->committing.ranges);
    free(q->ready.ranges);
    full_close(&q->full);
}
