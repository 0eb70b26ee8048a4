#include "qemu-kvm-backend/block/qcow2-read.h"

#include "qemu-kvm-backend/block/qcow2-compressed.h"
#include "qemu-kvm-backend/block/qcow2-map.h"

#include <string.h>

uint64_t
read_backing_size(const Qcow2 *q, uint64_t offset, uint64_t size)
{
    uint64_t end = q->image.backing->size;

    return offset < end ? least(size, end - offset) : 0;
}

static void
go_on(Qcow2Job *job)
{
    if (job->req->size == 0)
        job_end(job, 0);
    else
        job_next_part(job);
}

static void
moved(BlockRequest *part, int error)
{
    Qcow2Job *job = (Qcow2Job *)part;
    Qcow2 *q = job->q;

    job_moved(job, error);
    job_release(job);
    if (error)
        job_end(job, error);
    else
        go_on(job);
    q->advance(q);
}

static void
move(Qcow2Job *job, BlockImage *image, uint64_t offset, uint64_t size)
{
    uint64_t in_cluster = job->req->offset % job->q->cluster_size;
    uint64_t n = (in_cluster + size + job->q->cluster_size - 1) / job->q->cluster_size;

    if (job_hold(job, job->req->offset, n, false))
        job_move(job, image, offset, size, moved);
}

static void
read_backing(Qcow2Job *job, uint64_t size)
{
    uint64_t there = read_backing_size(job->q, job->req->offset, size);

    if (there > 0) {
        move(job, job->q->image.backing, job->req->offset, there);
        return;
    }
    block_request_clear(job->req, size);
    go_on(job);
}

static void
read_compressed(Qcow2Job *job, const MapExtent *extent)
{
    uint32_t at = job->req->offset % job->q->cluster_size;
    const uint8_t *data = compressed_get(job->q, extent->entry, &job->waiter);

    if (!data)
        return;
    block_request_copy(job->req, (uint8_t *)data + at, extent->size);
    block_request_skip(job->req, extent->size);
    go_on(job);
}

void
read_step(Qcow2Job *job)
{
    Qcow2 *q = job->q;
    MapExtent extent;

    if (!job_find(job, job->req->size, &extent))
        return;
    switch (extent.kind) {
    case MAP_ZERO:
        block_request_clear(job->req, extent.size);
        go_on(job);
        break;
    case MAP_BACKING:
        read_backing(job, extent.size);
        break;
    case MAP_HOST:
        move(job, q->lower, extent.host, extent.size);
        break;
    case MAP_COMPRESSED:
        read_compressed(job, &extent);
        break;
    }
}
