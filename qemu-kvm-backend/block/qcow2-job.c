#include "qemu-kvm-backend/block/qcow2-job.h"

#include "qemu-kvm-backend/block/qcow2-wait.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

static void
go(Waiter *waiter, int error)
{
    Qcow2Job *job = (Qcow2Job *)((char *)waiter - offsetof(Qcow2Job, waiter));

    if (error)
        job_end(job, error);
    else
        job->step(job);
}

Qcow2Job *
job_new(Qcow2 *q, BlockRequest *req, void (*step)(Qcow2Job *job))
{
    Qcow2Job *job = q->free_jobs;

    if (job)
        q->free_jobs = job->next_free;
    else
        job = vmm_must(malloc(sizeof(*job)));
    *job = (Qcow2Job){ .q = q, .req = req, .step = step, .op_step = step, .waiter.go = go };
    return job;
}

void
job_end(Qcow2Job *job, int error)
{
    Qcow2 *q = job->q;
    BlockRequest *req = job->req;
    void (*own)(Qcow2 * q, int error) = job->ended;

    job_put_copy(job);
    job_release(job);
    job->next_free = q->free_jobs;
    q->free_jobs = job;
    if (own)
        own(q, error);
    else
        q->image.ended(&q->image, req, error);
}

bool
job_find(Qcow2Job *job, uint64_t size, MapExtent *ret)
{
    MapResult found = map_find(job->q, job->req->offset, size, &job->waiter, ret);

    if (found == MAP_BROKEN)
        job_end(job, EIO);
    return found == MAP_FOUND;
}

void
job_next(Qcow2Job *job, void (*step)(Qcow2Job *job))
{
    job->step = step;
    wait_list_put(&job->q->runnable, &job->waiter);
}

static void
had_turn(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    job_next(job, job->op_step);
    q->advance(q);
}

/* To read nothing takes its turn among all that the VMM does. */
static void
give_way(Qcow2Job *job)
{
    job_ask(job, job->q->lower, BLOCK_READ, 0, NULL, 0, had_turn);
}

void
job_next_part(Qcow2Job *job)
{
    if (++job->n_parts % QCOW2_PARTS_MAX == 0)
        give_way(job);
    else
        job_next(job, job->op_step);
}

/* Holding */

static bool
conflicts(const Qcow2Job *job, uint64_t first, uint64_t last, bool exclusive)
{
    return (exclusive || job->exclusive) && first <= job->last && job->first <= last;
}

static bool
is_free(const Qcow2 *q, uint64_t first, uint64_t last, bool exclusive)
{
    if (!exclusive && q->n_exclusive == 0)
        return true;
    for (const Qcow2Job *job = q->active; job; job = job->next) {
        if (conflicts(job, first, last, exclusive))
            return false;
    }
    return true;
}

bool
job_can_hold(Qcow2Job *job, uint64_t offset, uint64_t n, bool exclusive)
{
    uint64_t first = offset / job->q->cluster_size;

    if (is_free(job->q, first, first + n - 1, exclusive))
        return true;
    qcow2_park(job->q, &job->waiter);
    return false;
}

bool
job_hold(Qcow2Job *job, uint64_t offset, uint64_t n, bool exclusive)
{
    Qcow2 *q = job->q;
    uint64_t first = offset / q->cluster_size, last = first + n - 1;

    assert(!job->holds);
    if (!job_can_hold(job, offset, n, exclusive))
        return false;
    job->holds = true;
    job->exclusive = exclusive;
    job->first = first;
    job->last = last;
    job->previous = NULL;
    job->next = q->active;
    if (q->active)
        q->active->previous = job;
    q->active = job;
    q->n_exclusive += exclusive;
    return true;
}

void
job_release(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (!job->holds)
        return;
    job->holds = false;
    q->n_exclusive -= job->exclusive;
    *(job->previous ? &job->previous->next : &q->active) = job->next;
    if (job->next)
        job->next->previous = job->previous;
    qcow2_wake_parked(q);
}

/* Moving: the request's own buffers serve, for they are used up from the front anyway. Where a part ends
 * within one of them, it is cut for the while. */

static bool
has_buffers(const BlockRequest *req)
{
    return req->op == BLOCK_READ || req->op == BLOCK_WRITE;
}

static void
cut_buffers(Qcow2Job *job, uint64_t size)
{
    BlockRequest *req = job->req;
    unsigned n = 0;

    while (n < req->n_iov && size >= req->iov[n].iov_len)
        size -= req->iov[n++].iov_len;
    job->cut = size > 0 ? &req->iov[n] : NULL;
    if (job->cut) {
        job->rest =
            (struct iovec){ (uint8_t *)job->cut->iov_base + size, job->cut->iov_len - size };
        job->cut->iov_len = size;
    }
    job->part.iov = req->iov;
    job->part.n_iov = n + (job->cut != NULL);
}

void
job_move(Qcow2Job *job, BlockImage *image, uint64_t offset, uint64_t size,
         void (*done)(BlockRequest *part, int error))
{
    BlockRequest *part = &job->part;

    *part = (BlockRequest){
        .op = job->req->op,
        .may_unmap = job->req->may_unmap,
        .offset = offset,
        .size = size,
        .done = done,
        .image = image,
    };
    job->cut = NULL;
    if (has_buffers(job->req))
        cut_buffers(job, size);
    job->moved = size;
    image->format->submit(image, part);
}

void
job_moved(Qcow2Job *job, int error)
{
    BlockRequest *req = job->req;
    struct iovec *end;

    if (!has_buffers(req)) {
        uint64_t left = error ? job->part.size : 0;

        block_request_skip(req, job->moved - left);
        return;
    }
    end = req->iov + req->n_iov;
    req->offset += job->moved - job->part.size;
    req->size -= job->moved - job->part.size;
    req->iov = job->part.iov;
    if (job->cut && job->part.n_iov > 0) {
        job->cut->iov_len += job->rest.iov_len;
    } else if (job->cut) {
        req->iov = job->cut;
        *job->cut = job->rest;
    }
    req->n_iov = end - req->iov;
}

/* With buffers of the part's own, which whoever moves it may use up. */
void
job_try(Qcow2Job *job, BlockImage *image, uint64_t offset, uint64_t size,
        void (*done)(BlockRequest *part, int error))
{
    const BlockRequest *req = job->req;
    unsigned n = 0;

    job->tried = vmm_must(malloc((req->n_iov + 1) * sizeof(*job->tried)));
    for (uint64_t left = has_buffers(req) ? size : 0; left > 0; n++) {
        job->tried[n] = req->iov[n];
        if (job->tried[n].iov_len > left)
            job->tried[n].iov_len = left;
        left -= job->tried[n].iov_len;
    }
    job->part = (BlockRequest){
        .op = req->op,
        .may_unmap = req->may_unmap,
        .offset = offset,
        .size = size,
        .iov = job->tried,
        .n_iov = n,
        .done = done,
        .image = image,
    };
    job->moved = size;
    image->format->submit(image, &job->part);
}

void
job_tried(Qcow2Job *job, int error)
{
    free(job->tried);
    job->tried = NULL;
    if (!error)
        block_request_skip(job->req, job->moved);
}

void
job_ask(Qcow2Job *job, BlockImage *image, BlockOp op, uint64_t offset, struct iovec *iov,
        uint64_t size, void (*done)(BlockRequest *part, int error))
{
    job->part = (BlockRequest){
        .op = op,
        .offset = offset,
        .size = size,
        .iov = iov,
        .n_iov = iov != NULL,
        .done = done,
        .image = image,
    };
    image->format->submit(image, &job->part);
}

/* Copies */

bool
job_get_copy(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (q->n_copies == QCOW2_COPIES_MAX) {
        wait_list_put(&q->copiers, &job->waiter);
        return false;
    }
    q->n_copies++;
    job->copy = q->spare_cluster;
    q->spare_cluster = NULL;
    if (!job->copy)
        job->copy = vmm_must(aligned_alloc(BLOCK_SECTOR, q->cluster_size));
    return true;
}

void
job_put_copy(Qcow2Job *job)
{
    Qcow2 *q = job->q;

    if (!job->copy)
        return;
    if (q->spare_cluster)
        free(job->copy);
    else
        q->spare_cluster = job->copy;
    job->copy = NULL;
    q->n_copies--;
    wait_list_wake(q, &q->copiers, 0);
}

void
job_free_spares(Qcow2 *q)
{
    free(q->spare_cluster);
    q->spare_cluster = NULL;
    while (q->free_jobs) {
        Qcow2Job *job = q->free_jobs;

        q->free_jobs = job->next_free;
        free(job);
    }
}
