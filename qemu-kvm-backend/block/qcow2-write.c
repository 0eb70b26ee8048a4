#include "qemu-kvm-backend/block/qcow2-write.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-change.h"
#include "qemu-kvm-backend/block/qcow2-compressed.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-read.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <errno.h>
#include <string.h>

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

        change_free_old(q, map_entry(q, job->slice, offset), host, false);
        map_set_entry(q, job->slice, offset, host | QCOW2_COPIED);
    }
    cache_unpin(job->slice);
    job_put_copy(job);
    job_release(job);
    change_end_part(job);
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
        change_end_part(job);
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

/* Whether the part has all of the cluster that it reaches @n clusters on ... */
static bool
fills(const Qcow2Job *job, uint64_t size, uint32_t n)
{
    uint64_t cluster = job->q->cluster_size, start = (job->req->offset / cluster + n) * cluster;

    return job->req->offset <= start && job->req->offset + size >= start + cluster;
}

/* ... or all that the disk has of it, unless its end moves. */
static bool
covers(const Qcow2Job *job, uint64_t size, uint32_t n)
{
    const Qcow2 *q = job->q;
    uint64_t start = (job->req->offset / q->cluster_size + n) * q->cluster_size;

    return fills(job, size, n) ||
           (job->req->offset <= start && job->req->offset + size >= q->image.size && !q->resize.req);
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
    job_tried(job, error);
    if (error) /* whatever was written: the clusters are given back */
        undo(job, error);
    else
        job_next(job, link_run);
    q->advance(q);
}

static void
write_data(Qcow2Job *job)
{
    uint64_t in_cluster = job->req->offset % job->q->cluster_size;

    job_try(job, job->q->lower, job->run.offset + in_cluster, job->size, data_written);
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
        if (!change_may_begin(job))
            return false;
        job->run = (ClusterRun){ map_host(q, entry), 1, false };
        job->allocated = false;
    } else {
        cache_pin(slice); /* the counts come through the same cache */
        good = change_allocate(job, n, &job->run);
        cache_unpin(slice);
        if (!good)
            return false;
        job->allocated = true;
    }
    cache_pin(slice);
    job->slice = slice;
    return job_hold(job, job->req->offset, job->run.n, true);
}

/* What the host has had there before is not seen behind the disk's end either, which somebody may move. */
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
    if (job->run.virgin || (fills(job, job->size, 0) && fills(job, job->size, job->run.n - 1)))
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

void
write_part(Qcow2Job *job, uint64_t size)
{
    Qcow2 *q = job->q;
    Slice *slice;
    uint64_t entry;

    if (q->corrupt) {
        job_end(job, EIO);
        return;
    }
    slice = change_own_slice(job);
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
