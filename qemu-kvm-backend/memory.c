#include "qemu-kvm-backend/memory.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/memory-map.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ull

struct Memory {
    uint64_t size;
    MemoryMap map;
    bool shared, locked;
    int fd; /* of the file that it comes from, the caller's; -1: none */
    MemoryRegion regions[2];
    unsigned n_regions;
    _Atomic bool tracked;
    _Atomic uint64_t *dirty; /* a bit for each page from @host on; NULL until somebody tracks */
};

static void
lay_out(Memory *memory)
{
    uint64_t low = memory->size < LAYOUT_LOW_RAM_END ? memory->size : LAYOUT_LOW_RAM_END;

    memory->regions[memory->n_regions++] = (MemoryRegion){ 0, low, memory->map.host };
    if (memory->size > low)
        memory->regions[memory->n_regions++] =
            (MemoryRegion){ LAYOUT_HIGH_RAM, memory->size - low, memory->map.host + low };
}

Memory *
memory_new(uint64_t size, VmmError *err)
{
    const MemoryBacking anonymous = { .fd = -1 };

    return memory_new_from(size, &anonymous, err);
}

Memory *
memory_new_from(uint64_t size, const MemoryBacking *backing, VmmError *err)
{
    MemoryMap map;
    Memory *memory;

    if (size == 0 || size % PAGE || size > SIZE_MAX / 2) {
        vmm_error(err, VMM_ERROR_INVALID,
                  "Guest memory of %" PRIu64 " bytes is not a positive multiple of 4096", size);
        return NULL;
    }
    if (!memory_map(backing, size, &map, err))
        return NULL;
    memory = vmm_must(calloc(1, sizeof(*memory)));
    memory->size = size;
    memory->map = map;
    memory->shared = backing->shared;
    memory->locked = backing->locked;
    memory->fd = backing->fd;
    lay_out(memory);
    return memory;
}

void
memory_free(Memory *memory)
{
    if (!memory)
        return;
    memory_unmap(&memory->map);
    free(memory->dirty);
    free(memory);
}

uint64_t
memory_size(const Memory *memory)
{
    return memory->size;
}

bool
memory_region(const Memory *memory, unsigned i, MemoryRegion *ret)
{
    if (i >= memory->n_regions)
        return false;
    *ret = memory->regions[i];
    return true;
}

/* A part of the whole mapping, by its offsets. */
typedef struct Extent {
    uint64_t from, end;
} Extent;

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The first one from @offset on that is no hole of the file; an empty one at the end where there is none. What the host
 * does not tell is none. */
static Extent
next_extent(const Memory *memory, uint64_t offset, bool holes)
{
    off_t from, end;

    if (!holes)
        return (Extent){ offset, memory->size };
    from = lseek(memory->fd, offset, SEEK_DATA);
    if (from < 0)
        return (Extent){ errno == ENXIO ? memory->size : offset, memory->size };
    end = lseek(memory->fd, from, SEEK_HOLE);
    return (Extent){ least(from, memory->size), end < 0 ? memory->size : least(end, memory->size) };
}

/* Of what is private the file knows nothing. */
MemoryRegion
memory_next_data(const Memory *memory, unsigned i, uint64_t offset)
{
    const MemoryRegion *region = &memory->regions[i];
    uint64_t base = (uint8_t *)region->host - memory->map.host;
    Extent data = next_extent(memory, base + offset, memory->map.sparse && memory->shared);
    uint64_t from = least(data.from - base, region->size);
    uint64_t end = least(data.end - base, region->size);

    return (MemoryRegion){ region->gpa + from, end - from, (uint8_t *)region->host + from };
}

uint64_t
memory_low_end(const Memory *memory)
{
    return memory->regions[0].size;
}

void *
memory_at(const Memory *memory, uint64_t gpa, uint64_t len)
{
    for (unsigned i = 0; i < memory->n_regions; i++) {
        const MemoryRegion *region = &memory->regions[i];
        uint64_t offset = gpa - region->gpa;

        if (gpa >= region->gpa && offset <= region->size && len <= region->size - offset)
            return (uint8_t *)region->host + offset;
    }
    return NULL;
}

bool
memory_read(const Memory *memory, uint64_t gpa, void *to, size_t len)
{
    const void *from = memory_at(memory, gpa, len);

    if (from)
        memcpy(to, from, len);
    return from != NULL;
}

bool
memory_write(Memory *memory, uint64_t gpa, const void *from, size_t len)
{
    void *to = memory_at(memory, gpa, len);

    if (to) {
        memcpy(to, from, len);
        memory_mark(memory, to, len);
    }
    return to != NULL;
}

bool
memory_zero(Memory *memory, uint64_t gpa, size_t len)
{
    void *to = memory_at(memory, gpa, len);

    if (to) {
        memset(to, 0, len);
        memory_mark(memory, to, len);
    }
    return to != NULL;
}

/* A shared page is the file's: only a hole in that frees it. */
void
memory_discard(Memory *memory, void *at, size_t len)
{
    uintptr_t mask = memory->map.page - 1;
    uintptr_t first = ((uintptr_t)at + mask) & ~mask;
    uintptr_t end = ((uintptr_t)at + len) & ~mask;
    int advice = memory->shared ? MADV_REMOVE : MADV_DONTNEED;

    if (!memory->locked && first < end && madvise((void *)first, end - first, advice) < 0)
        log_guest("The host does not take guest memory back: %s", strerrordesc_np(errno));
    memory_mark(memory, at, len); /* what is there now is zeros */
}

bool
memory_bind(Memory *memory, const MemoryNodes *nodes, VmmError *err)
{
    return memory_nodes_bind(nodes, memory->map.host, memory->size, err);
}

bool
memory_move(Memory *memory, const MemoryNodes *nodes, uint64_t offset, uint64_t len, VmmError *err)
{
    uint64_t left = offset < memory->size ? memory->size - offset : 0;

    return left == 0 || memory_nodes_move(nodes, memory->map.host + offset, len < left ? len : left, err);
}

/* Of pages that stay, and of a file's, those that are not zero are written: the others need no room. */
static void
zero_what_is_not(Memory *memory, const Extent *part)
{
    static const uint8_t zeros[PAGE];

    for (uint64_t at = part->from; at < part->end; at += PAGE) {
        if (memcmp(memory->map.host + at, zeros, PAGE) != 0)
            memset(memory->map.host + at, 0, PAGE);
    }
}

/* What was discarded shows the file, holes and all. */
void
memory_clear(Memory *memory)
{
    bool holes = memory->map.sparse && (memory->shared || !memory->locked);
    Extent part = { 0, 0 };

    memory_discard(memory, memory->map.host, memory->size);
    while ((memory->fd >= 0 || memory->locked) && part.end < memory->size) {
        part = next_extent(memory, part.end, holes);
        zero_what_is_not(memory, &part);
    }
}

bool
memory_load(Memory *memory, uint64_t gpa, int fd, uint64_t offset, size_t len, VmmError *err)
{
    uint8_t *to = memory_at(memory, gpa, len);

    if (!to)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "%zu bytes at 0x%" PRIx64 " do not fit into the guest's memory", len, gpa);
    while (len > 0) {
        ssize_t n = pread(fd, to, len, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vmm_error_errno(err, "Cannot read the file");
        if (n == 0)
            return vmm_error(err, VMM_ERROR_INVALID, "The file ends %zu bytes early", len);
        memory_mark(memory, to, n);
        to += n;
        offset += n;
        len -= n;
    }
    return true;
}

/* Dirty pages. The bitmap is the whole mapping's; a region's begins in the middle of a word where RAM below 4 GiB has
 * an odd number of pages, so bits are moved one by one where there are any. */

static uint64_t
page_of(const Memory *memory, const void *at)
{
    return (uint64_t)((const uint8_t *)at - (const uint8_t *)memory->regions[0].host) / PAGE;
}

void
memory_track(Memory *memory, bool on)
{
    uint64_t words = (memory->size / PAGE + 63) / 64;

    if (!memory->dirty)
        memory->dirty = vmm_must(calloc(words, sizeof(uint64_t)));
    for (uint64_t i = 0; on && !memory->tracked && i < words; i++)
        atomic_store(&memory->dirty[i], 0);
    atomic_store(&memory->tracked, on);
}

bool
memory_is_tracked(const Memory *memory)
{
    return atomic_load(&memory->tracked);
}

void
memory_mark(const Memory *memory, const void *at, size_t len)
{
    uint64_t first, last;

    if (len == 0 || !atomic_load(&memory->tracked))
        return;
    first = page_of(memory, at);
    last = page_of(memory, (const uint8_t *)at + len - 1);
    for (uint64_t page = first; page <= last; page++)
        atomic_fetch_or(&memory->dirty[page / 64], 1ull << page % 64);
}

size_t
memory_dirty_words(const Memory *memory, unsigned i)
{
    return (memory->regions[i].size / PAGE + 63) / 64;
}

void
memory_take_dirty(Memory *memory, unsigned i, uint64_t *bitmap)
{
    uint64_t first = page_of(memory, memory->regions[i].host);
    uint64_t end = first + memory->regions[i].size / PAGE;

    for (uint64_t page = first; memory->dirty && page < end;) {
        uint64_t next = (page / 64 + 1) * 64 < end ? (page / 64 + 1) * 64 : end;
        uint64_t mask = next - page == 64 ? UINT64_MAX : ((1ull << (next - page)) - 1) << page % 64;
        uint64_t bits = atomic_fetch_and(&memory->dirty[page / 64], ~mask) & mask;

        for (; bits; bits &= bits - 1) {
            uint64_t at = page / 64 * 64 + __builtin_ctzll(bits) - first;

            bitmap[at / 64] |= 1ull << at % 64;
        }
        page = next;
    }
}
