#include "qemu-kvm-backend/backlog.h"

#include "qemu-kvm-backend/error.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>

/* Pages of its own, given back as soon as somebody has read everything: a guest whose console is
 * watched, or silent, pays nothing, and one that wrote a little pays for the pages it filled. */
static void
allocate(Backlog *backlog)
{
    void *ring =
        mmap(NULL, BACKLOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    backlog->ring = vmm_must(ring == MAP_FAILED ? NULL : ring);
}

void
backlog_clear(Backlog *backlog)
{
    if (backlog->ring)
        munmap(backlog->ring, BACKLOG_SIZE);
    *backlog = (Backlog){ 0 };
}

static size_t
make_room(Backlog *backlog, size_t size)
{
    size_t room = BACKLOG_SIZE - backlog->used;
    size_t gone = size > room ? size - room : 0;

    backlog->head = (backlog->head + gone) % BACKLOG_SIZE;
    backlog->used -= gone;
    return gone;
}

static void
append(Backlog *backlog, const uint8_t *bytes, size_t size)
{
    size_t tail = (backlog->head + backlog->used) % BACKLOG_SIZE;
    size_t first = size < BACKLOG_SIZE - tail ? size : BACKLOG_SIZE - tail;

    memcpy(backlog->ring + tail, bytes, first);
    memcpy(backlog->ring, bytes + first, size - first);
    backlog->used += size;
}

size_t
backlog_put(Backlog *backlog, const uint8_t *bytes, size_t size)
{
    size_t skipped = size > BACKLOG_SIZE ? size - BACKLOG_SIZE : 0;
    size_t gone;

    if (size == 0)
        return 0;
    if (!backlog->ring)
        allocate(backlog);
    gone = make_room(backlog, size - skipped);
    append(backlog, bytes + skipped, size - skipped);
    return skipped + gone;
}

const uint8_t *
backlog_peek(const Backlog *backlog, size_t *ret_size)
{
    size_t straight = BACKLOG_SIZE - backlog->head;

    if (backlog->used == 0)
        return NULL;
    *ret_size = backlog->used < straight ? backlog->used : straight;
    return backlog->ring + backlog->head;
}

void
backlog_take(Backlog *backlog, size_t size)
{
    assert(size <= backlog->used);
    backlog->head = (backlog->head + size) % BACKLOG_SIZE;
    backlog->used -= size;
    if (backlog->used == 0)
        backlog_clear(backlog);
}
