#include "qemu-kvm-backend/block/qcow2-change.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-clerk.h"
#include "qemu-kvm-backend/block/qcow2-commit.h"
#include "qemu-kvm-backend/block/qcow2-compressed.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <errno.h>

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

void
change_end_part(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (job->req->size > 0)
        job_next_part(job);
    else if (q->image.file->sync_writes)
        flush_step(job);
    else
        job_end(job, 0);
}

void
change_pass_over(Qcow2Job *job, uint64_t size)
{
    block_request_skip(job->req, size);
    change_end_part(job);
}

/* Clusters and tables of its own */

bool
change_may_begin(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (q->corrupt) {
        job_end(job, EIO);
        return false;
    }
    return qcow2_may_change(q, &job->waiter);
}

bool
change_allocate(Qcow2Job *job, uint32_t want, ClusterRun *ret)
{
    Qcow2 *q = job->q;
    AllocateResult result;
    uint64_t block;

    if (!change_may_begin(job))
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
    if (q->clerk.busy)
        qcow2_starve(q, &job->waiter);
    else if (result == ALLOCATE_NEEDS_BLOCK)
        clerk_add_block(q, block, &job->waiter);
    else
        clerk_grow_table(q, block, &job->waiter);
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
    if (change_allocate(job, 1, &run))
        clerk_add_l2(q, map_l1_index(q, job->req->offset), run.offset, &job->waiter);
}

Slice *
change_own_slice(Qcow2Job *job)
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

void
change_free_old(Qcow2 *q, uint64_t entry, uint64_t host, bool punch)
{
    uint64_t first, n;

    if (entry & QCOW2_COMPRESSED) {
        compressed_clusters(q, entry, &first, &n);
        free_list_add(q, &q->pending, first * q->cluster_size, n, false);
    } else if (map_host(q, entry) && map_host(q, entry) != host) {
        free_list_add(q, &q->pending, map_host(q, entry), 1, punch && (entry & QCOW2_COPIED));
    }
}
