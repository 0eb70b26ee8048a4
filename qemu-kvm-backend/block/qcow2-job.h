/* qcow2-job: a request on its way through format qcow2.
 *
 * A request is done part by part, each in one piece of the file (or of the backing image). While a part is
 * under way its clusters are held: with others where contents are moved, alone where the table changes, so
 * that nothing is written to a cluster that is somebody else's by then.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"
#include "qemu-kvm-backend/block/qcow2-map.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"

#define QCOW2_COPIES_MAX 8   /* clusters in memory, to be copied, at a time */
#define QCOW2_PARTS_MAX  256 /* of one request, each a slice or nothing, without a turn for others */

struct Qcow2Job {
    BlockRequest part; /* first: what the lower image, or the backing one, is asked for */
    Waiter waiter;
    Qcow2 *q;
    BlockRequest *req;
    void (*step)(Qcow2Job *job);    /* what to do when it goes on */
    void (*op_step)(Qcow2Job *job); /* the next part's first */
    unsigned n_parts;               /* that are done */
    void (*ended)(Qcow2 *q,
                  int error); /* the request is the format's own; NULL: it is somebody's */
    Qcow2Job *next_free;

    bool holds, exclusive;
    uint64_t first, last; /* clusters of the disk */
    Qcow2Job *previous, *next;

    struct iovec *cut;   /* the buffer that the part ends in; NULL: between two */
    struct iovec rest;   /* of it */
    struct iovec *tried; /* job_try()'s, owned; else NULL */

    /* The part that gets clusters of its own. */
    Slice *slice; /* pinned */
    ClusterRun run;
    bool allocated; /* the run is not in any table yet */
    uint64_t size;  /* bytes of the request that the part is */
    uint64_t moved; /* of job_move() */
    uint8_t *copy;
    struct iovec copy_iov;
};

Qcow2Job *job_new(Qcow2 *q, BlockRequest *req, void (*step)(Qcow2Job *job));
/* The request has ended. */
void job_end(Qcow2Job *job, int error);
/* Makes @step the next thing that the job does, after what is running. */
void job_next(Qcow2Job *job, void (*step)(Qcow2Job *job));
/* The same for the first step of the next part; of many that need no I/O, after whatever else there is to do. */
void job_next_part(Qcow2Job *job);

/* What the request is about from its next byte on, at most @size bytes. False: it goes on when that is known, or it has ended,
 * for the tables are broken. */
bool job_find(Qcow2Job *job, uint64_t size, MapExtent *ret);

/* Clusters from the one of byte @offset on, @n of them. False: others have them, and it goes on when
 * something changes. */
bool job_hold(Qcow2Job *job, uint64_t offset, uint64_t n, bool exclusive);
/* Whether it could; where not, the same. */
bool job_can_hold(Qcow2Job *job, uint64_t offset, uint64_t n, bool exclusive);
void job_release(Qcow2Job *job);

/* Moves the next @size bytes of the request from or to @offset of @image, then calls @done. */
void job_move(Qcow2Job *job, BlockImage *image, uint64_t offset, uint64_t size,
              void (*done)(BlockRequest *part, int error));
/* To be called first in that @done: the request has what was moved behind it, also where some is left. */
void job_moved(Qcow2Job *job, int error);
/* The same of what counts as moved whole or not at all: after an error the request is what it was before. */
void job_try(Qcow2Job *job, BlockImage *image, uint64_t offset, uint64_t size,
             void (*done)(BlockRequest *part, int error));
void job_tried(Qcow2Job *job, int error);
/* Asks @image for something with another buffer, or none. */
void job_ask(Qcow2Job *job, BlockImage *image, BlockOp op, uint64_t offset, struct iovec *iov,
             uint64_t size, void (*done)(BlockRequest *part, int error));

/* A buffer for one cluster as job->copy. False: there are too many, and it goes on when one is put back. */
bool job_get_copy(Qcow2Job *job);
void job_put_copy(Qcow2Job *job);
/* Buffers and jobs that nobody uses. */
void job_free_spares(Qcow2 *q);
