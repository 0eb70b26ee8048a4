#include "qemu-kvm-backend/block/qcow2-zero.h"

#include "qemu-kvm-backend/block/qcow2-change.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-write.h"

/* What is not zero yet. */
static void
zero_bytes(Qcow2Job *job, uint64_t size)
{
    MapExtent extent;

    if (!job_find(job, size, &extent))
        return;
    if (extent.kind == MAP_ZERO)
        change_pass_over(job, extent.size);
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
        change_free_old(q, old, map_host(q, entry), unmap);
        map_set_entry(q, slice, offset, entry);
    }
}

static void
zero_clusters(Qcow2Job *job, uint64_t n, bool unmap)
{
    Qcow2 *q = job->q;
    Slice *slice;

    if (!change_may_begin(job))
        return;
    slice = change_own_slice(job);
    if (!slice)
        return;
    n = least(n, map_slice_rest(q, job->req->offset));
    if (!job_can_hold(job, job->req->offset, n, true))
        return;
    zero_entries(job, slice, n, unmap);
    change_pass_over(job, least(job->req->size, n * q->cluster_size));
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
        change_pass_over(job, rest_of_table(job));
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
        change_pass_over(job, job->req->size);
    else if (has_no_table(job))
        change_pass_over(job, rest_of_table(job));
    else if (n == 0)
        change_pass_over(job, to_next_cluster(job));
    else
        zero_clusters(job, n, true);
}
