/* engine: how operations on the open files of one disk are started without waiting for them.
 *
 * An engine belongs to one owner, who serializes all calls (by a lock or by being one thread). Operations
 * of a file run in any order: what has to follow something is submitted when that is done.
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct Engine Engine;
typedef struct EngineOp EngineOp;

#define ENGINE_WORKERS     8 /* that an engine has which makes its calls in threads, where nobody says how many */
#define ENGINE_WORKERS_MAX 64
#define ENGINE_FILES_MAX   15 /* what fits in a message: VMM_MSG_FDS_MAX, a file and its lock */

typedef enum EngineOpKind {
    ENGINE_READ,     /* preadv2 */
    ENGINE_WRITE,    /* pwritev2; @mode are its RWF flags */
    ENGINE_SYNC,     /* fdatasync */
    ENGINE_ALLOCATE, /* fallocate; @mode is its mode */
    ENGINE_DISCARD,  /* BLKDISCARD, where the engine can */
} EngineOpKind;

/* The submitter's, with what it points to, until done() is called. */
struct EngineOp {
    EngineOpKind kind;
    unsigned file; /* of those that the engine was opened for */
    int mode;
    unsigned n_iov; /* at most IOV_MAX */
    const struct iovec *iov;
    uint64_t offset, size; /* bytes; @size is of what moves nothing */
    int64_t result;        /* bytes moved, or -errno; of what moves nothing: 0 or -errno */
    void (*done)(EngineOp *op);
    EngineOp *next; /* the engine's */
};

typedef struct EngineClass {
    const char *name; /* libvirt's driver/@io */
    /* For the @n files @fds, at most ENGINE_FILES_MAX, which stay the caller's and open; @workers, from 1 to
     * ENGINE_WORKERS_MAX, are for one that works in threads; @discards: block devices among them are asked for
     * ENGINE_DISCARD, if the result can do it, which goes without where not, with @err. NULL with @err. */
    Engine *(*open)(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err);
    void (*submit)(Engine *engine, EngineOp *op); /* queues; nothing is called from here */
    void (*start)(Engine *engine);                /* sets what is queued going */
    /* Calls done() of each operation that has ended; with @wait after at least one has, and there
     * must be one under way. done() may submit; the caller starts that. */
    void (*reap)(Engine *engine, bool wait);
    void (*close)(Engine *engine); /* nothing is under way */
} EngineClass;

struct Engine {
    const EngineClass *class;
    int wake_fd;   /* readable while there is something to reap */
    bool discards; /* it can be asked for ENGINE_DISCARD */
};

extern const EngineClass engine_uring_class;
extern const EngineClass engine_threads_class;

/* Operations in the order in which they came. */
typedef struct EngineQueue {
    EngineOp *first, *last;
} EngineQueue;

static inline void
engine_queue_put(EngineQueue *queue, EngineOp *op)
{
    op->next = NULL;
    if (queue->first)
        queue->last->next = op;
    else
        queue->first = op;
    queue->last = op;
}

static inline EngineOp *
engine_queue_take(EngineQueue *queue)
{
    EngineOp *op = queue->first;

    if (op)
        queue->first = op->next;
    return op;
}
