#include "qemu-kvm-backend/state-job.h"

#include "qemu-kvm-backend/confine.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE          4096u
#define RUN_MAX       (4u << 20)  /* bytes of RAM in a section */
#define BATCH_RUNS    256u        /* sections in a call ... */
#define BATCH_MAX     (8u << 20)  /* ... and bytes */
#define HEAD_ROOM     64u         /* bytes of a "ram" section's head and address */
#define BUFFER_SIZE   (64u << 10) /* what is read ahead for the small parts of a stream */
#define SECTIONS_MAX  4096u       /* other than RAM, in a stream */
#define SECTIONS_SIZE (64u << 20) /* and their bytes */

struct StateJob {
    Loop *loop;
    StateJobOwner owner;
    Memory *memory;
    int fd;
    pthread_t thread;
    bool (*work)(StateJob *job, VmmError *err);
    int cancel_fd; /* eventfd: somebody wants the end */
    int done_fd;   /* eventfd: the thread is done */
    LoopSource *done;
    atomic_bool cancelled;
    _Atomic uint64_t progress, total, transferred;
    bool good; /* these two are the thread's until it is done */
    VmmError err;

    StateOut *before, *after; /* saving */
    StateSection *sections;   /* restoring */
    size_t n_sections, sections_size;
    uint8_t *buffer;
    size_t at, filled; /* what is left in it */
};

/* Waiting for the descriptor, or for the end. */

static bool
wait_for(StateJob *job, short events, VmmError *err)
{
    struct pollfd fds[] = { { .fd = job->fd, .events = events },
                            { .fd = job->cancel_fd, .events = POLLIN } };

    while (poll(fds, 2, -1) < 0) {
        if (errno != EINTR)
            return vmm_error_errno(err, "Cannot wait for the saved state's file");
    }
    return true;
}

static bool
is_wanted(StateJob *job, VmmError *err)
{
    return !atomic_load(&job->cancelled) ||
           vmm_error(err, VMM_ERROR_STATE, "The job was cancelled");
}

/* Saving. */

/* @iov is used up. */
static bool
write_all(StateJob *job, struct iovec *iov, int n, VmmError *err)
{
    while (n > 0) {
        ssize_t done;

        if (!is_wanted(job, err))
            return false;
        done = writev(job->fd, iov, n);
        if (done < 0 && errno == EAGAIN && wait_for(job, POLLOUT, err))
            continue;
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return vmm_error_errno(err, "Cannot write the guest's state");
        atomic_fetch_add(&job->transferred, done);
        while (n > 0 && (size_t)done >= iov->iov_len) {
            done -= iov->iov_len;
            iov++;
            n--;
        }
        if (n > 0)
            *iov = (struct iovec){ (uint8_t *)iov->iov_base + done, iov->iov_len - done };
    }
    return true;
}

static bool
write_out(StateJob *job, const StateOut *out, VmmError *err)
{
    struct iovec iov;

    iov.iov_base = (void *)state_out_bytes(out, &iov.iov_len);
    return write_all(job, &iov, 1, err);
}

/* Sections of RAM on their way: each has two pieces, what comes before the pages and the pages. */
typedef struct Batch {
    uint8_t heads[BATCH_RUNS][HEAD_ROOM];
    struct iovec iov[2 * BATCH_RUNS];
    unsigned n; /* pieces */
    size_t size;
} Batch;

static bool
flush(StateJob *job, Batch *batch, VmmError *err)
{
    unsigned n = batch->n;

    batch->n = 0;
    batch->size = 0;
    return write_all(job, batch->iov, n, err);
}

static bool
add_run(StateJob *job, Batch *batch, uint64_t gpa, void *host, size_t size, VmmError *err)
{
    uint8_t *head = batch->heads[batch->n / 2];
    StateOut *out = state_out_new();
    const void *bytes;
    size_t length;

    state_put_head(out, STATE_SECTION_RAM, "", 1, sizeof(gpa) + size);
    state_put_bytes(out, &gpa, sizeof(gpa));
    bytes = state_out_bytes(out, &length);
    memcpy(head, bytes, length);
    state_out_free(out);
    batch->iov[batch->n++] = (struct iovec){ head, length };
    batch->iov[batch->n++] = (struct iovec){ host, size };
    batch->size += size;
    return (batch->n < 2 * BATCH_RUNS && batch->size < BATCH_MAX) || flush(job, batch, err);
}

/* The first word is zero, and each equals the next. */
static bool
is_zero(const uint8_t *page)
{
    uint64_t first;

    memcpy(&first, page, sizeof(first));
    return first == 0 && memcmp(page, page + sizeof(first), PAGE - sizeof(first)) == 0;
}

/* Bytes from @at on that are all of zeroes, or all to be written. */
static size_t
run_length(const uint8_t *at, size_t left, bool zero)
{
    size_t size = PAGE;

    while (size < left && size < RUN_MAX && is_zero(at + size) == zero)
        size += PAGE;
    return size;
}

static bool
save_data(StateJob *job, Batch *batch, const MemoryRegion *data, VmmError *err)
{
    uint8_t *host = data->host;

    for (uint64_t at = 0; at < data->size;) {
        bool zero = is_zero(host + at);
        size_t size = run_length(host + at, data->size - at, zero);

        if (!is_wanted(job, err) ||
            (!zero && !add_run(job, batch, data->gpa + at, host + at, size, err)))
            return false;
        at += size;
        atomic_fetch_add(&job->progress, size);
    }
    return true;
}

static bool
save_region(StateJob *job, Batch *batch, unsigned i, VmmError *err)
{
    MemoryRegion region, data;

    memory_region(job->memory, i, &region);
    for (uint64_t at = 0; at < region.size; at = data.gpa - region.gpa + data.size) {
        data = memory_next_data(job->memory, i, at);
        atomic_fetch_add(&job->progress, data.gpa - region.gpa - at);
        if (!save_data(job, batch, &data, err))
            return false;
    }
    return true;
}

/* Each may take long. */
static bool
flush_outside(StateJob *job, VmmError *err)
{
    for (size_t i = 0; i < job->owner.n_outside; i++) {
        if (!is_wanted(job, err) || !job->owner.flush(job->owner.data, i, err))
            return false;
    }
    return true;
}

static bool
save(StateJob *job, VmmError *err)
{
    Batch *batch = vmm_must(calloc(1, sizeof(*batch)));
    bool good = flush_outside(job, err) && write_out(job, job->before, err);
    MemoryRegion region;

    for (unsigned i = 0; good && memory_region(job->memory, i, &region); i++)
        good = save_region(job, batch, i, err);
    good = good && flush(job, batch, err) && write_out(job, job->after, err);
    free(batch);
    return good;
}

/* Restoring. */

/* Some bytes, at least one. */
static ssize_t
read_some(StateJob *job, void *to, size_t size, VmmError *err)
{
    for (;;) {
        ssize_t n;

        if (!is_wanted(job, err))
            return -1;
        n = read(job->fd, to, size);
        if (n > 0) {
            atomic_fetch_add(&job->transferred, n);
            atomic_fetch_add(&job->progress, n);
            return n;
        }
        if (n == 0) {
            vmm_error(err, VMM_ERROR_INVALID, "The saved state is cut short");
            return -1;
        }
        if (errno != EINTR && (errno != EAGAIN || !wait_for(job, POLLIN, err))) {
            vmm_error_errno(err, "Cannot read the guest's state");
            return -1;
        }
    }
}

/* Large parts go where they belong at once. */
static bool
read_exactly(StateJob *job, void *to, size_t size, VmmError *err)
{
    size_t ready = job->filled - job->at < size ? job->filled - job->at : size;
    uint8_t *at = to;

    memcpy(at, job->buffer + job->at, ready);
    job->at += ready;
    for (size_t done = ready; done < size;) {
        ssize_t n = read_some(job, at + done, size - done, err);

        if (n < 0)
            return false;
        done += n;
    }
    return true;
}

/* Has some more bytes in the buffer, behind those that are there. */
static bool
read_ahead(StateJob *job, VmmError *err)
{
    ssize_t n;

    memmove(job->buffer, job->buffer + job->at, job->filled - job->at);
    job->filled -= job->at;
    job->at = 0;
    n = read_some(job, job->buffer + job->filled, BUFFER_SIZE - job->filled, err);
    if (n < 0)
        return false;
    job->filled += n;
    return true;
}

static bool
read_head(StateJob *job, StateSection *section, VmmError *err)
{
    for (;;) {
        int size = state_read_head(job->buffer + job->at, job->filled - job->at, section, err);

        if (size < 0)
            return false;
        job->at += size;
        if (size > 0)
            return true;
        if (!read_ahead(job, err))
            return false;
    }
}

static bool
read_ram(StateJob *job, const StateSection *section, VmmError *err)
{
    uint64_t gpa, size = section->length - sizeof(gpa);
    void *to;

    if (section->version != 1)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The saved memory has a version %" PRIu32 ", of which this VMM reads 1",
                         section->version);
    if (section->length <= sizeof(gpa) || size % PAGE)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved state is damaged: its memory is not in pages");
    if (!read_exactly(job, &gpa, sizeof(gpa), err))
        return false;
    to = gpa % PAGE ? NULL : memory_at(job->memory, gpa, size);
    if (!to)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved state has memory at 0x%" PRIx64 ", where this machine has none",
                         gpa);
    return read_exactly(job, to, size, err);
}

static bool
keep(StateJob *job, StateSection *section, VmmError *err)
{
    void *data;

    if (section->length > STATE_SECTION_MAX || job->n_sections == SECTIONS_MAX ||
        section->length > SECTIONS_SIZE - job->sections_size)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The saved state is damaged: its section '%s' is too long",
                         section->class);
    data = vmm_must(malloc(section->length + 1));
    job->sections_size += section->length;
    job->sections = vmm_must(realloc(job->sections, (job->n_sections + 1) * sizeof(StateSection)));
    section->data = data;
    job->sections[job->n_sections++] = *section;
    return read_exactly(job, data, section->length, err);
}

static bool
read_section(StateJob *job, bool *ret_end, VmmError *err)
{
    bool first = job->n_sections == 0;
    StateSection section;

    if (!read_head(job, &section, err))
        return false;
    if (!first && strcmp(section.class, STATE_SECTION_RAM) == 0)
        return read_ram(job, &section, err);
    *ret_end = strcmp(section.class, STATE_SECTION_END) == 0;
    return keep(job, &section, err) &&
           (!first || job->owner.check(job->owner.data, &job->sections[0], err));
}

static bool
restore(StateJob *job, VmmError *err)
{
    uint8_t header[STATE_HEADER_SIZE];
    bool end = false;

    if (!read_exactly(job, header, sizeof(header), err) ||
        !state_check_header(header, sizeof(header), err))
        return false;
    while (!end) {
        if (!read_section(job, &end, err))
            return false;
    }
    return true;
}

/* The thread. */

static void *
job_thread(void *data)
{
    StateJob *job = data;

    pthread_setname_np(pthread_self(), "state");
    confine_thread(CONFINE_IO);
    job->good = job->work(job, &job->err);
    eventfd_write(job->done_fd, 1);
    return NULL;
}

static void
on_done(void *data, uint32_t events)
{
    StateJob *job = data;
    eventfd_t n;

    if (eventfd_read(job->done_fd, &n) == 0)
        job->owner.ended(job->owner.data);
}

static bool
start(StateJob *job, VmmError *err)
{
    sigset_t all, old;

    job->cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    job->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (job->cancel_fd < 0 || job->done_fd < 0 ||
        fcntl(job->fd, F_SETFL, fcntl(job->fd, F_GETFL) | O_NONBLOCK) < 0)
        return vmm_error_errno(err, "Cannot use the descriptor for the guest's state");
    job->done = loop_add_fd(job->loop, job->done_fd, EPOLLIN, on_done, job);
    if (!job->done)
        return vmm_error_errno(err, "Cannot watch a job");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&job->thread, NULL, job_thread, job);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return errno == 0 || vmm_error_errno(err, "Cannot start a thread for the guest's state");
}

static void
dispose(StateJob *job)
{
    loop_source_free(job->done);
    if (job->cancel_fd >= 0)
        close(job->cancel_fd);
    if (job->done_fd >= 0)
        close(job->done_fd);
    close(job->fd);
    state_out_free(job->before);
    state_out_free(job->after);
    for (size_t i = 0; i < job->n_sections; i++)
        free((void *)job->sections[i].data);
    free(job->sections);
    free(job->buffer);
    free(job);
}

static StateJob *
job_new(Loop *loop, int fd, Memory *memory, const StateJobOwner *owner)
{
    StateJob *job = vmm_must(calloc(1, sizeof(*job)));

    job->loop = loop;
    job->fd = fd;
    job->memory = memory;
    job->owner = *owner;
    job->cancel_fd = job->done_fd = -1;
    return job;
}

StateJob *
state_job_save(Loop *loop, int fd, Memory *memory, StateOut *before, StateOut *after,
               const StateJobOwner *owner, VmmError *err)
{
    StateJob *job = job_new(loop, fd, memory, owner);

    job->before = before;
    job->after = after;
    job->work = save;
    job->total = memory_size(memory);
    if (start(job, err))
        return job;
    dispose(job);
    return NULL;
}

StateJob *
state_job_restore(Loop *loop, int fd, Memory *memory, const StateJobOwner *owner, VmmError *err)
{
    StateJob *job = job_new(loop, fd, memory, owner);
    struct stat file;

    job->buffer = vmm_must(malloc(BUFFER_SIZE));
    job->work = restore;
    if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
        job->total = file.st_size;
    if (start(job, err))
        return job;
    dispose(job);
    return NULL;
}

void
state_job_free(StateJob *job)
{
    if (!job)
        return;
    state_job_cancel(job);
    pthread_join(job->thread, NULL);
    dispose(job);
}

void
state_job_cancel(StateJob *job)
{
    atomic_store(&job->cancelled, true);
    eventfd_write(job->cancel_fd, 1);
}

StateProgress
state_job_progress(const StateJob *job)
{
    return (StateProgress){ atomic_load(&job->progress), atomic_load(&job->total),
                            atomic_load(&job->transferred) };
}

bool
state_job_result(const StateJob *job, bool *ret_cancelled, VmmError *err)
{
    *ret_cancelled = !job->good && atomic_load(&job->cancelled);
    if (!job->good)
        *err = job->err;
    return job->good;
}

const StateSection *
state_job_section(const StateJob *job, size_t i)
{
    return i < job->n_sections ? &job->sections[i] : NULL;
}
