#include "qemu-kvm-backend/block/qcow2-write.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-clerk.h"
#include "qemu-kvm-backend/block/qcow2-compressed.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-read.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <errno.h>
#include <string.h>

/* Changes that wait for the next commit at most; each is a few bytes. */
#define PENDING_MAX 4096

/* The end of a part */

static void
end_well(Qcow2Job *job)
{
    job_end(job, 0);
}

void
flush_step(Qcow2Job *job)
{
    job->step = end_well;
    wait_list_put(&job->q->flushers, &job->waiter);
}

static void
go_on(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (job->req->size > 0)
        job_next(job, job->op_step);
    else if (q->image.file->sync_writes)
        flush_step(job);
    else
        job_end(job, 0);
}

/* A part needs nothing done. */
static void
pass_over(Qcow2Job *job, uint64_t size)
{
    block_request_skip(job->req, size);
    go_on(job);
}

/* Whether the tables may be changed now. */
static bool
may_change(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (q->corrupt) {
        job_end(job, EIO);
        return false;
    }
    if (q->frozen || q->pending.n >= PENDING_MAX) {
        q->cache.full_of_changes |= !q->frozen;
        qcow2_starve(q, &job->waiter);
        return false;
    }
    return true;
}

/* Clusters and tables of its own */

/* False: it goes on later, or has ended. */
static bool
allocate(Qcow2Job *job, uint32_t want, ClusterRun *ret)
{
    Qcow2 *q = job->q;
    AllocateResult result;
    uint64_t block;

    if (!may_change(job))
        return false;
    result = refcount_allocate(q, want, &job->waiter, ret, &block);
    switch (result) {
    case ALLOCATE_DONE:
        return true;
    case ALLOCATE_WAITS:
        return false;
    case ALLOCATE_FAILED:
        job_end(job, EIO);
        return false;
    case ALLOCATE_NEEDS_BLOCK:
    case ALLOCATE_NEEDS_TABLE:
        break;
    }
    qcow2_starve(q, &job->waiter);
    if (q->clerk.busy)
        return false;
    if (result == ALLOCATE_NEEDS_BLOCK)
        clerk_add_block(q, block);
    else
        clerk_grow_table(q, block);
    return false;
}

static void
add_l2(Qcow2Job *job)
{
    Qcow2 *q = job->q;
    ClusterRun run;

    if (q->clerk.busy) {
        qcow2_starve(q, &job->waiter);
        return;
    }
    if (!allocate(job, 1, &run))
        return;
    qcow2_starve(q, &job->waiter);
    clerk_add_l2(q, map_l1_index(q, job->req->offset), run.offset);
}

/* The slice for the request's next byte, of a table that may be changed. NULL: it goes on later, or has
 * ended. */
static Slice *
own_slice(Qcow2Job *job)
{
    Qcow2 *q = job->q;
    uint64_t entry = table_get(&q->l1, map_l1_index(q, job->req->offset));
    uint64_t table = entry & QCOW2_OFFSET;

    if (table % q->cluster_size) {
        qcow2_set_corrupt(q, "an L2 table is at an odd place");
        job_end(job, EIO);
        return NULL;
    }
    if (table && (entry & QCOW2_COPIED))
        return map_slice(q, table, job->req->offset, &job->waiter);
    add_l2(job);
    return NULL;
}

/* What an entry pointed to is not used by this table any more, after the next commit. */
static void
free_old(Qcow2 *q, uint64_t entry, uint64_t host, bool punch)
{
    uint64_t first, n;

    if (entry & QCOW2_COMPRESSED) {
        compressed_clusters(q, entry, &first, &n);
        free_list_add(q, &q->pending, first * q->cluster_size, n, false);
    } else if (map_host(q, entry) && map_host(q, entry) != host) {
        free_list_add(q, &q->pending, map_host(q, entry), 1, punch && (entry & QCOW2_COPIED));
    }
}

/* The end of a write that got clusters */

static void
undo(Qcow2Job *job, int error)
{
    Qcow2 *q = job->q;

    if (job->allocated)
        free_list_add(q, &q->ready, job->run.offset, job->run.n, false);
    cache_unpin(job->slice);
    job_end(job, error);
}

/* The data is in the file: now the table says so. */
static void
link_run(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (q->frozen) {
        qcow2_park(q, &job->waiter);
        return;
    }
    for (uint32_t i = 0; i < job->run.n; i++) {
        uint64_t offset = (job->first + i) * q->cluster_size;
        uint64_t host = job->run.offset + (uint64_t)i * q->cluster_size;

        free_old(q, map_entry(q, job->slice, offset), host, false);
        map_set_entry(q, job->slice, offset, host | QCOW2_COPIED);
    }
    cache_unpin(job->slice);
    job_put_copy(job);
    job_release(job);
    go_on(job);
}

/* In place */

static void
moved_in_place(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    q->unsynced = true;
    job_moved(job, error);
    job_release(job);
    if (error)
        job_end(job, error);
    else
        go_on(job);
    q->advance(q);
}

static void
write_in_place(Qcow2Job *job, const Slice *slice, uint64_t size)
{
    Qcow2 *q = job->q;
    uint64_t offset = job->req->offset, in_cluster = offset % q->cluster_size;
    uint64_t host = map_host(q, map_entry(q, slice, offset));
    uint32_t n = 1, most = map_slice_rest(q, offset);

    for (; n < most && (uint64_t)n * q->cluster_size < in_cluster + size; n++) {
        uint64_t entry = map_entry(q, slice, offset + (uint64_t)n * q->cluster_size);

        if (!map_is_own(q, entry) || map_host(q, entry) != host + (uint64_t)n * q->cluster_size)
            break;
    }
    size = least(size, (uint64_t)n * q->cluster_size - in_cluster);
    if (job_hold(job, offset, n, false))
        job_move(job, q->lower, host + in_cluster, size, moved_in_place);
}

/* Fresh */

/* Whether the part has all of the cluster that it reaches @n clusters on. What is behind the disk's end does not
 * count, unless that moves. */
static bool
covers(const Qcow2Job *job, uint64_t size, uint32_t n)
{
    const Qcow2 *q = job->q;
    uint64_t start =
        job->req->offset / q->cluster_size * q->cluster_size + (uint64_t)n * q->cluster_size;
    uint64_t end = job->req->offset + size;

    return job->req->offset <= start &&
           (end >= start + q->cluster_size || (end >= q->image.size && !q->resize.req));
}

/* Whether what @entry has for the cluster @n clusters on is zeros. */
static bool
was_zero(const Qcow2Job *job, uint64_t entry, uint32_t n)
{
    const Qcow2 *q = job->q;
    uint64_t start =
        job->req->offset / q->cluster_size * q->cluster_size + (uint64_t)n * q->cluster_size;

    switch (map_kind(q, entry)) {
    case MAP_ZERO:
        return true;
    case MAP_BACKING:
        return read_backing_size(q, start, q->cluster_size) == 0;
    default:
        return false;
    }
}

/* Version 3 keeps a cluster for what reads as zeros, where it was told so. */
static bool
is_kept(const Qcow2 *q, uint64_t entry)
{
    return (entry & QCOW2_COPIED) && map_kind(q, entry) == MAP_ZERO && map_host(q, entry) != 0;
}

static uint32_t
count_fresh(const Qcow2Job *job, const Slice *slice, uint64_t size)
{
    const Qcow2 *q = job->q;
    uint64_t offset = job->req->offset, in_cluster = offset % q->cluster_size;
    uint32_t n = 1, most = map_slice_rest(q, offset);

    for (; n < most && (uint64_t)n * q->cluster_size < in_cluster + size; n++) {
        uint64_t entry = map_entry(q, slice, offset + (uint64_t)n * q->cluster_size);

        if (!map_is_sane(q, entry) || map_is_own(q, entry) || is_kept(q, entry) ||
            !(covers(job, size, n) || was_zero(job, entry, n)))
            break;
    }
    return n;
}

static void
data_written(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    q->unsynced = true;
    if (error) { /* whatever was written: the clusters are given back */
        job_not_moved(job);
        undo(job, error);
    } else {
        job_moved(job, error);
        job_next(job, link_run);
    }
    q->advance(q);
}

static void
write_data(Qcow2Job *job)
{
    uint64_t in_cluster = job->req->offset % job->q->cluster_size;

    job_move(job, job->q->lower, job->run.offset + in_cluster, job->size, data_written);
}

static void
zeros_written(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    q->unsynced = true;
    if (error)
        undo(job, error);
    else
        write_data(job);
    q->advance(q);
}

/* @n clusters of the disk that the part changes, as many as there are free ones in a row; or the one that
 * was kept. The slice is pinned from here on. False: it goes on later, or has ended. */
static bool
get_run(Qcow2Job *job, Slice *slice, uint32_t n)
{
    Qcow2 *q = job->q;
    uint64_t entry = map_entry(q, slice, job->req->offset);
    bool good;

    if (is_kept(q, entry)) {
        if (!may_change(job))
            return false;
        job->run = (ClusterRun){ map_host(q, entry), 1, false };
        job->allocated = false;
    } else {
        cache_pin(slice); /* the counts come through the same cache */
        good = allocate(job, n, &job->run);
        cache_unpin(slice);
        if (!good)
            return false;
        job->allocated = true;
    }
    cache_pin(slice);
    job->slice = slice;
    return job_hold(job, job->req->offset, job->run.n, true);
}

static void
write_fresh(Qcow2Job *job, Slice *slice, uint64_t size)
{
    Qcow2 *q = job->q;
    uint64_t entry = map_entry(q, slice, job->req->offset);
    uint64_t in_cluster = job->req->offset % q->cluster_size;
    uint32_t n = is_kept(q, entry) ? 1 : count_fresh(job, slice, size);

    if (!job_can_hold(job, job->req->offset, n, true) || !get_run(job, slice, n))
        return;
    job->size = least(size, (uint64_t)job->run.n * q->cluster_size - in_cluster);
    if (job->run.virgin || (covers(job, job->size, 0) && covers(job, job->size, job->run.n - 1)))
        write_data(job);
    else
        job_ask(job, q->lower, BLOCK_ZERO, job->run.offset, NULL,
                (uint64_t)job->run.n * q->cluster_size, zeros_written);
}

/* By copy */

static void
copy_written(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    q->unsynced = true;
    if (error) {
        undo(job, error);
    } else {
        block_request_skip(job->req, job->size);
        job_next(job, link_run);
    }
    q->advance(q);
}

static void
write_copy(Qcow2Job *job)
{
    uint8_t *data = job->copy + job->req->offset % job->q->cluster_size;

    if (job->req->op == BLOCK_WRITE)
        block_request_copy(job->req, data, job->size);
    else
        memset(data, 0, job->size);
    job->copy_iov = (struct iovec){ job->copy, job->q->cluster_size };
    job_ask(job, job->q->lower, BLOCK_WRITE, job->run.offset, &job->copy_iov, job->q->cluster_size,
            copy_written);
}

static void
copy_read(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    if (error)
        undo(job, error);
    else
        write_copy(job);
    q->advance(q);
}

static void
read_copy(Qcow2Job *job, uint64_t entry)
{
    Qcow2 *q = job->q;
    uint64_t start = job->req->offset / q->cluster_size * q->cluster_size;
    uint64_t there = q->cluster_size;
    BlockImage *from = q->lower;

    if (map_kind(q, entry) == MAP_BACKING) {
        from = q->image.backing;
        there = read_backing_size(q, start, q->cluster_size);
        memset(job->copy + there, 0, q->cluster_size - there);
    } else {
        start = map_host(q, entry);
    }
    job->copy_iov = (struct iovec){ job->copy, there };
    job_ask(job, from, BLOCK_READ, start, &job->copy_iov, there, copy_read);
}

static void
write_by_copy(Qcow2Job *job, Slice *slice, uint64_t entry, uint64_t size)
{
    Qcow2 *q = job->q;
    bool wants_old = !covers(job, size, 0) && !was_zero(job, entry, 0);
    const uint8_t *data = NULL;

    if (!job_can_hold(job, job->req->offset, 1, true))
        return;
    if (wants_old && (entry & QCOW2_COMPRESSED)) {
        data = compressed_get(q, entry, &job->waiter);
        if (!data)
            return;
    }
    if (!job_get_copy(job))
        return;
    if (data)
        memcpy(job->copy, data, q->cluster_size);
    else if (!wants_old)
        memset(job->copy, 0, q->cluster_size);
    job->size = least(size, q->cluster_size - job->req->offset % q->cluster_size);
    if (!get_run(job, slice, 1)) {
        job_put_copy(job);
        return;
    }
    if (data || !wants_old)
        write_copy(job);
    else
        read_copy(job, entry);
}

/* The next part of a write, or of zeros that have to be written, of at most @size bytes */
static void
write_part(Qcow2Job *job, uint64_t size)
{
    Qcow2 *q = job->q;
    Slice *slice;
    uint64_t entry;

    if (q->corrupt) {
        job_end(job, EIO);
        return;
    }
    slice = own_slice(job);
    if (!slice)
        return;
    entry = map_entry(q, slice, job->req->offset);
    if (!map_is_sane(q, entry)) {
        qcow2_set_corrupt(q, "a cluster is at an odd place");
        job_end(job, EIO);
    } else if (map_is_own(q, entry)) {
        write_in_place(job, slice, size);
    } else if (job->req->op == BLOCK_WRITE && (covers(job, size, 0) || was_zero(job, entry, 0))) {
        write_fresh(job, slice, size);
    } else {
        write_by_copy(job, slice, entry, size);
    }
}

void
write_step(Qcow2Job *job)
{
    write_part(job, job->req->size);
}

/* Zeros and discards: of whole clusters the table can say it, if it has a word for that. */

/* What is not zero yet. */
static void
zero_bytes(Qcow2Job *job, uint64_t size)
{
    MapExtent extent;

    switch (map_find(job->q, job->req->offset, size, &job->waiter, &extent)) {
    case MAP_WAITS:
        return;
    case MAP_BROKEN:
        job_end(job, EIO);
        return;
    case MAP_FOUND:
        break;
    }
    if (extent.kind == MAP_ZERO)
        pass_over(job, extent.size);
    else
        write_part(job, size);
}

static uint64_t
zero_entry(const Qcow2 *q, uint64_t old, bool unmap)
{
    bool has_word = q->header.version >= 3;

    if (!unmap && has_word && (old & QCOW2_COPIED) && map_host(q, old))
        return map_host(q, old) | QCOW2_COPIED | QCOW2_ZERO;
    return has_word && q->image.backing ? QCOW2_ZERO : 0;
}

/* @n clusters of the slice; their old ones are free after the next commit. */
static void
zero_entries(Qcow2Job *job, Slice *slice, uint32_t n, bool unmap)
{
    Qcow2 *q = job->q;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t offset = job->req->offset + (uint64_t)i * q->cluster_size;
        uint64_t old = map_entry(q, slice, offset), entry = zero_entry(q, old, unmap);

        if (!map_is_sane(q, old) || old == entry)
            continue;
        free_old(q, old, map_host(q, entry), unmap);
        map_set_entry(q, slice, offset, entry);
    }
}

static void
zero_clusters(Qcow2Job *job, uint64_t n, bool unmap)
{
    Qcow2 *q = job->q;
    Slice *slice;

    if (!may_change(job))
        return;
    slice = own_slice(job);
    if (!slice)
        return;
    n = least(n, map_slice_rest(q, job->req->offset));
    if (!job_can_hold(job, job->req->offset, n, true))
        return;
    zero_entries(job, slice, n, unmap);
    pass_over(job, least(job->req->size, n * q->cluster_size));
}

/* Whole clusters that begin at the request's next byte; the disk's last one may be a part. */
static uint64_t
whole_clusters(const Qcow2Job *job)
{
    const Qcow2 *q = job->q;
    uint64_t size = job->req->size;

    if (job->req->offset % q->cluster_size)
        return 0;
    if (job->req->offset + size == q->image.size)
        size += q->cluster_size - 1;
    return size / q->cluster_size;
}

/* Bytes to the next whole cluster, or the end. */
static uint64_t
to_next_cluster(const Qcow2Job *job)
{
    uint32_t size = job->q->cluster_size;

    return least(job->req->size, size - job->req->offset % size);
}

/* Nothing is there, and nothing behind. */
static bool
has_no_table(const Qcow2Job *job)
{
    const Qcow2 *q = job->q;

    return !q->image.backing &&
           !(table_get(&q->l1, map_l1_index(q, job->req->offset)) & QCOW2_OFFSET);
}

static uint64_t
rest_of_table(const Qcow2Job *job)
{
    return least(job->req->size, map_l1_rest(job->q, job->req->offset));
}

void
zero_step(Qcow2Job *job)
{
    Qcow2 *q = job->q;
    bool has_word = q->header.version >= 3 || (!q->image.backing && job->req->may_unmap);
    uint64_t n = whole_clusters(job);

    if (has_no_table(job))
        pass_over(job, rest_of_table(job));
    else if (n == 0)
        zero_bytes(job, to_next_cluster(job));
    else if (has_word)
        zero_clusters(job, n, job->req->may_unmap);
    else
        zero_bytes(job, least(job->req->size, n * q->cluster_size));
}

/* Version 2 has no word for what does not show the backing image: there nothing is done. */
void
discard_step(Qcow2Job *job)
{
    Qcow2 *q = job->q;
    uint64_t n = whole_clusters(job);

    if (q->header.version < 3 && q->image.backing)
        pass_over(job, job->req->size);
    else if (has_no_table(job))
        pass_over(job, rest_of_table(job));
    else if (n == 0)
        pass_over(job, to_next_cluster(job));
    else
        zero_clusters(job, n, true);
}
