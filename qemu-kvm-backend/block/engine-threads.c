/* The engine for hosts without io_uring: a few threads that make the ordinary calls. */
#include "qemu-kvm-backend/block/engine.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STACK_SIZE (256u << 10) /* of which a few KiB are touched */

typedef struct ThreadEngine {
    Engine engine;
    int fds[ENGINE_FILES_MAX];
    EngineQueue queued; /* submitted, not started: the owner's alone */
    pthread_t threads[ENGINE_WORKERS_MAX];
    unsigned n_threads;
    pthread_cond_t work;
    pthread_cond_t ended;
    pthread_mutex_t lock; /* guards what follows; nothing else is locked while it is held */
    EngineQueue started;
    EngineQueue done;
    bool quit;
} ThreadEngine;

static int64_t
call(int fd, const EngineOp *op)
{
    switch (op->kind) {
    case ENGINE_READ:
        return preadv2(fd, op->iov, op->n_iov, op->offset, 0);
    case ENGINE_WRITE:
        return pwritev2(fd, op->iov, op->n_iov, op->offset, op->mode);
    case ENGINE_SYNC:
        return fdatasync(fd);
    case ENGINE_ALLOCATE:
        return fallocate(fd, op->mode, op->offset, op->size);
    case ENGINE_DISCARD:
        return ioctl(fd, BLKDISCARD, (uint64_t[]){ op->offset, op->size });
    }
    errno = ENOSYS;
    return -1;
}

static int64_t
perform(int fd, const EngineOp *op)
{
    int64_t result;

    do
        result = call(fd, op);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : result;
}

/* The owner is woken by the first of the operations that it has not heard of. */
static void
report(ThreadEngine *te, EngineOp *op)
{
    if (!te->done.first)
        eventfd_write(te->engine.wake_fd, 1);
    engine_queue_put(&te->done, op);
    pthread_cond_signal(&te->ended);
}

static void *
work(void *data)
{
    ThreadEngine *te = data;

    pthread_setname_np(pthread_self(), "block");
    confine_thread(CONFINE_IO);
    pthread_mutex_lock(&te->lock);
    while (!te->quit) {
        EngineOp *op = engine_queue_take(&te->started);

        if (!op) {
            pthread_cond_wait(&te->work, &te->lock);
            continue;
        }
        pthread_mutex_unlock(&te->lock);
        op->result = perform(te->fds[op->file], op);
        pthread_mutex_lock(&te->lock);
        report(te, op);
    }
    pthread_mutex_unlock(&te->lock);
    return NULL;
}

/* All are there from the start: only the main thread may make threads. */
static int
start_threads(ThreadEngine *te, unsigned n)
{
    pthread_attr_t attr;
    int code = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    while (code == 0 && te->n_threads < n) {
        code = pthread_create(&te->threads[te->n_threads], &attr, work, te);
        te->n_threads += code == 0;
    }
    pthread_attr_destroy(&attr);
    return code;
}

/* Signals are for the main thread and the vCPUs. */
static int
start_deaf_threads(ThreadEngine *te, unsigned n)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = start_threads(te, n);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static void
threads_close(Engine *engine)
{
    ThreadEngine *te = (ThreadEngine *)engine;

    pthread_mutex_lock(&te->lock);
    te->quit = true;
    pthread_cond_broadcast(&te->work);
    pthread_mutex_unlock(&te->lock);
    while (te->n_threads > 0)
        pthread_join(te->threads[--te->n_threads], NULL);
    pthread_cond_destroy(&te->work);
    pthread_cond_destroy(&te->ended);
    pthread_mutex_destroy(&te->lock);
    close(te->engine.wake_fd);
    free(te);
}

static Engine *
threads_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    ThreadEngine *te = vmm_must(calloc(1, sizeof(*te)));

    te->engine.class = &engine_threads_class;
    te->engine.discards = discards;
    assert(n <= ENGINE_FILES_MAX);
    memcpy(te->fds, fds, n * sizeof(*fds));
    te->engine.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&te->lock, NULL);
    pthread_cond_init(&te->work, NULL);
    pthread_cond_init(&te->ended, NULL);
    if (te->engine.wake_fd >= 0)
        errno = start_deaf_threads(te, workers);
    if (te->n_threads == workers)
        return &te->engine;
    vmm_error_errno(err, "Cannot start the threads of a disk");
    threads_close(&te->engine);
    return NULL;
}

static void
threads_submit(Engine *engine, EngineOp *op)
{
    engine_queue_put(&((ThreadEngine *)engine)->queued, op);
}

static void
threads_start(Engine *engine)
{
    ThreadEngine *te = (ThreadEngine *)engine;
    EngineOp *op;

    if (!te->queued.first)
        return;
    pthread_mutex_lock(&te->lock);
    while ((op = engine_queue_take(&te->queued))) {
        engine_queue_put(&te->started, op);
        pthread_cond_signal(&te->work);
    }
    pthread_mutex_unlock(&te->lock);
}

/* The eventfd is emptied while the lock keeps the threads from writing to it. */
static EngineQueue
take_done(ThreadEngine *te, bool wait)
{
    EngineQueue done;
    eventfd_t count;

    pthread_mutex_lock(&te->lock);
    while (wait && !te->done.first)
        pthread_cond_wait(&te->ended, &te->lock);
    done = te->done;
    te->done = (EngineQueue){ 0 };
    if (done.first)
        eventfd_read(te->engine.wake_fd, &count);
    pthread_mutex_unlock(&te->lock);
    return done;
}

static void
threads_reap(Engine *engine, bool wait)
{
    EngineQueue done = take_done((ThreadEngine *)engine, wait);
    EngineOp *op;

    while ((op = engine_queue_take(&done)))
        op->done(op);
}

const EngineClass engine_threads_class = {
    .name = "threads",
    .open = threads_open,
    .submit = threads_submit,
    .start = threads_start,
    .reap = threads_reap,
    .close = threads_close,
};
