#include "qemu-kvm-backend/block/qcow2-cache.h"

#include "qemu-kvm-backend/block/qcow2-wait.h"
#include "qemu-kvm-backend/error.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* The oldest and the newest */

static void
unlink_age(SliceCache *cache, Slice *slice)
{
    *(slice->newer ? &slice->newer->older : &cache->newest) = slice->older;
    *(slice->older ? &slice->older->newer : &cache->oldest) = slice->newer;
}

static void
make_newest(SliceCache *cache, Slice *slice)
{
    slice->newer = NULL;
    slice->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = slice;
    cache->newest = slice;
}

/* By offset */

static Slice **
hash_place(SliceCache *cache, uint64_t offset)
{
    uint64_t number = offset / cache->slice_size;

    return &cache->by_hash[(number ^ number / QCOW2_N_HASHES) % QCOW2_N_HASHES];
}

static Slice *
find(SliceCache *cache, uint64_t offset)
{
    Slice *slice = *hash_place(cache, offset);

    while (slice && slice->offset != offset)
        slice = slice->next;
    return slice;
}

static void
put_hash(SliceCache *cache, Slice *slice)
{
    Slice **place = hash_place(cache, slice->offset);

    slice->next = *place;
    *place = slice;
    slice->used = true;
}

static void
drop(SliceCache *cache, Slice *slice)
{
    Slice **place = hash_place(cache, slice->offset);

    while (*place != slice)
        place = &(*place)->next;
    *place = slice->next;
    slice->used = false;
}

/* Room */

static Slice *
touch_another(Qcow2 *q)
{
    SliceCache *cache = &q->cache;
    Slice *slice = &cache->slices[cache->n_touched];

    slice->q = q;
    slice->data = cache->memory + (size_t)cache->n_touched * cache->slice_size;
    cache->n_touched++;
    make_newest(cache, slice);
    return slice;
}

/* Until it is written, or somebody is done with it. */
static bool
stays(const Slice *slice)
{
    return slice->dirty || slice->pins > 0;
}

static bool
can_go(const Slice *slice)
{
    return !slice->used || (!slice->loading && !stays(slice));
}

static Slice *
make_room(Qcow2 *q)
{
    SliceCache *cache = &q->cache;
    Slice *slice = cache->oldest;

    if (cache->n_touched < cache->n_slices)
        return touch_another(q);
    while (slice && !can_go(slice))
        slice = slice->newer;
    if (slice && slice->used)
        drop(cache, slice);
    if (slice) {
        unlink_age(cache, slice);
        make_newest(cache, slice);
    }
    return slice;
}

/* Loading */

static void
loaded(BlockRequest *io, int error)
{
    Slice *slice = (Slice *)io;
    Qcow2 *q = slice->q;

    slice->loading = false;
    if (error)
        drop(&q->cache, slice);
    wait_list_wake(q, &slice->waiters, error);
    qcow2_wake_parked(q);
    q->advance(q);
}

static void
load(Qcow2 *q, Slice *slice)
{
    slice->iov = (struct iovec){ slice->data, q->cache.slice_size };
    slice->io = (BlockRequest){
        .op = BLOCK_READ,
        .offset = slice->offset,
        .size = q->cache.slice_size,
        .iov = &slice->iov,
        .n_iov = 1,
        .done = loaded,
        .image = q->lower,
    };
    q->lower->format->submit(q->lower, &slice->io);
}

Slice *
cache_get(Qcow2 *q, SliceKind kind, uint64_t offset, Waiter *waiter)
{
    SliceCache *cache = &q->cache;
    uint64_t start = offset & ~(uint64_t)(cache->slice_size - 1);
    Slice *slice = find(cache, start);

    if (!slice) {
        slice = make_room(q);
        if (!slice) { /* others are loading all that changes have left */
            qcow2_park(q, waiter);
            return NULL;
        }
        slice->kind = kind;
        slice->offset = start;
        put_hash(cache, slice);
        slice->loading = true;
        wait_list_put(&slice->waiters, waiter);
        load(q, slice);
        return NULL;
    }
    unlink_age(cache, slice);
    make_newest(cache, slice);
    if (!slice->loading)
        return slice;
    wait_list_put(&slice->waiters, waiter);
    return NULL;
}

/* Staying */

static void
keep(Slice *slice, bool dirty, unsigned pins)
{
    SliceCache *cache = &slice->q->cache;

    cache->n_dirty -= slice->dirty;
    cache->n_staying -= stays(slice);
    slice->dirty = dirty;
    slice->pins = pins;
    cache->n_dirty += slice->dirty;
    cache->n_staying += stays(slice);
}

void
cache_pin(Slice *slice)
{
    keep(slice, slice->dirty, slice->pins + 1);
}

void
cache_unpin(Slice *slice)
{
    assert(slice->pins > 0);
    keep(slice, slice->dirty, slice->pins - 1);
}

void
cache_soil(Slice *slice)
{
    assert(!slice->q->frozen);
    keep(slice, true, slice->pins);
}

void
cache_clean(Slice *slice)
{
    keep(slice, false, slice->pins);
}

bool
cache_has_room(const Qcow2 *q)
{
    return q->cache.n_staying < q->cache.n_slices / 4 * 3;
}

void
cache_forget(Qcow2 *q, uint64_t offset)
{
    for (uint64_t at = offset; at < offset + q->cluster_size; at += q->cache.slice_size) {
        Slice *slice = find(&q->cache, at);

        if (!slice || slice->loading || slice->pins > 0)
            continue;
        keep(slice, false, 0);
        drop(&q->cache, slice);
    }
}

uint32_t
cache_at(const Slice *slice, uint64_t offset)
{
    return offset - slice->offset;
}

static void *
map(size_t size)
{
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return vmm_must(mapped == MAP_FAILED ? NULL : mapped);
}

/* Mapped rather than allocated: what is not used costs nothing, and O_DIRECT gets its alignment. */
void
cache_open(Qcow2 *q)
{
    SliceCache *cache = &q->cache;

    cache->slice_size = q->cluster_size < QCOW2_SLICE_MAX ? q->cluster_size : QCOW2_SLICE_MAX;
    cache->n_slices = QCOW2_CACHE_SIZE / cache->slice_size;
    cache->memory = map(QCOW2_CACHE_SIZE);
    cache->slices = map(cache->n_slices * sizeof(Slice));
}

void
cache_close(Qcow2 *q)
{
    SliceCache *cache = &q->cache;

    if (cache->memory)
        munmap(cache->memory, QCOW2_CACHE_SIZE);
    if (cache->slices)
        munmap(cache->slices, cache->n_slices * sizeof(Slice));
}
