#include "qemu-kvm-backend/block/uring.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_OPS 8
/* What the code below relies on: one mapping for both rings, and completions that are never dropped. */
#define FEATURES (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP)

#define BREATH_MS 1 /* until there may be memory */

static bool
ring_register(int fd, unsigned what, const void *arg, unsigned n)
{
    return syscall(SYS_io_uring_register, fd, what, arg, n) == 0;
}

/* COOP_TASKRUN (5.19) spares the thread an interrupt for each completion: it looks by itself. */
static int
setup(unsigned entries, struct io_uring_params *params)
{
    int fd;

    *params =
        (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED | IORING_SETUP_COOP_TASKRUN };
    fd = syscall(SYS_io_uring_setup, entries, params);
    if (fd >= 0 || errno != EINVAL)
        return fd;
    *params = (struct io_uring_params){ .flags = IORING_SETUP_R_DISABLED };
    return syscall(SYS_io_uring_setup, entries, params);
}

/* No seccomp filter sees what a ring is asked to do, so the ring itself is told what it may. */
static bool
restrict_to(Uring *ring, const unsigned char *ops, unsigned n)
{
    struct io_uring_restriction rules[MAX_OPS + 2] = { 0 };

    for (unsigned i = 0; i < n; i++) {
        rules[i].opcode = IORING_RESTRICTION_SQE_OP;
        rules[i].sqe_op = ops[i];
    }
    rules[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    rules[n].sqe_flags = IOSQE_FIXED_FILE;
    rules[n + 1].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    rules[n + 1].sqe_flags = IOSQE_FIXED_FILE;
    return ring_register(ring->fd, IORING_REGISTER_RESTRICTIONS, rules, n + 2);
}

static bool
map(Uring *ring, const struct io_uring_params *params)
{
    size_t sq_end = params->sq_off.array + params->sq_entries * sizeof(unsigned);
    size_t cq_end = params->cq_off.cqes + params->cq_entries * sizeof(struct io_uring_cqe);
    void *mapped;

    ring->rings_size = sq_end > cq_end ? sq_end : cq_end;
    mapped = mmap(NULL, ring->rings_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
                  IORING_OFF_SQ_RING);
    if (mapped == MAP_FAILED)
        return false;
    ring->rings = mapped;
    ring->sqes_size = params->sq_entries * sizeof(struct io_uring_sqe);
    mapped =
        mmap(NULL, ring->sqes_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
    if (mapped == MAP_FAILED)
        return false;
    ring->sqes_map = mapped;
    return true;
}

/* Entry i of the submission ring is always slot i of the array. */
static void
point(Uring *ring, const struct io_uring_params *params)
{
    uint8_t *at = ring->rings;
    unsigned *array = (unsigned *)(at + params->sq_off.array);

    ring->entries = params->sq_entries;
    ring->sq_head = (unsigned *)(at + params->sq_off.head);
    ring->sq_tail = (unsigned *)(at + params->sq_off.tail);
    ring->sq_mask = params->sq_entries - 1;
    ring->cq_head = (unsigned *)(at + params->cq_off.head);
    ring->cq_tail = (unsigned *)(at + params->cq_off.tail);
    ring->cq_mask = params->cq_entries - 1;
    ring->sqes = ring->sqes_map;
    ring->cqes = (struct io_uring_cqe *)(at + params->cq_off.cqes);
    for (unsigned i = 0; i < params->sq_entries; i++)
        array[i] = i;
}

bool
uring_open(Uring *ring, unsigned entries, const int *fds, unsigned n_fds, const unsigned char *ops,
           unsigned n)
{
    struct io_uring_params params;
    int code;

    *ring = (Uring){ .fd = setup(entries, &params) };
    if (ring->fd < 0)
        return false;
    errno = EINVAL;
    if ((params.features & FEATURES) == FEATURES && map(ring, &params) &&
        ring_register(ring->fd, IORING_REGISTER_FILES, fds, n_fds) && restrict_to(ring, ops, n) &&
        ring_register(ring->fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0)) {
        point(ring, &params);
        return true;
    }
    code = errno;
    uring_close(ring);
    errno = code;
    return false;
}

void
uring_close(Uring *ring)
{
    if (ring->sqes_map)
        munmap(ring->sqes_map, ring->sqes_size);
    if (ring->rings)
        munmap(ring->rings, ring->rings_size);
    close(ring->fd);
}

struct io_uring_sqe *
uring_get(Uring *ring)
{
    unsigned head = __atomic_load_n(ring->sq_head, __ATOMIC_ACQUIRE);
    unsigned tail = *ring->sq_tail + ring->unsubmitted;
    struct io_uring_sqe *sqe = &ring->sqes[tail & ring->sq_mask];

    if (tail - head >= ring->entries)
        return NULL;
    ring->unsubmitted++;
    memset(sqe, 0, sizeof(*sqe));
    return sqe;
}

/* EINTR: nothing was lost, the call is made again. EAGAIN and EBUSY: the kernel is out of memory, or
 * has completions that do not fit; it flushes those when it is asked for events. */
static int
enter(Uring *ring, unsigned n, unsigned wait)
{
    unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;

    for (;;) {
        int done = syscall(SYS_io_uring_enter, ring->fd, n, wait, flags, NULL, 0);

        if (done >= 0)
            return done;
        if (errno == EAGAIN || errno == EBUSY) {
            flags |= IORING_ENTER_GETEVENTS;
            poll(NULL, 0, BREATH_MS);
        } else if (errno != EINTR) {
            abort();
        }
    }
}

void
uring_enter(Uring *ring, unsigned wait)
{
    unsigned left = ring->unsubmitted;

    /* The kernel reads an entry when it sees the tail beyond it. */
    __atomic_store_n(ring->sq_tail, *ring->sq_tail + left, __ATOMIC_RELEASE);
    ring->unsubmitted = 0;
    do
        left -= enter(ring, left, wait);
    while (left > 0);
}

bool
uring_take(Uring *ring, struct io_uring_cqe *ret)
{
    unsigned head = *ring->cq_head;

    if (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
        return false;
    *ret = ring->cqes[head & ring->cq_mask];
    __atomic_store_n(ring->cq_head, head + 1,
                     __ATOMIC_RELEASE); /* the slot is the kernel's again */
    return true;
}
