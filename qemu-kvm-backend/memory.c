#include "qemu-kvm-backend/memory.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE      4096ull
#define HUGE_PAGE (2ull << 20)

struct Memory {
    uint64_t size;
    uint8_t *host; /* starts on a huge page, so that the host can back RAM with them */
    void *mapping; /* what was mapped to get there */
    size_t mapping_size;
    MemoryRegion regions[2];
    unsigned n_regions;
};

/* A kernel without huge pages or with core dumps of its own mind still runs guests. */
static void
advise(Memory *memory, int advice, const char *name)
{
    if (madvise(memory->host, memory->size, advice) < 0)
        log_line("madvise(%s) on guest RAM: %s", name, strerrordesc_np(errno));
}

static void
lay_out(Memory *memory)
{
    uint64_t low = memory->size < LAYOUT_LOW_RAM_END ? memory->size : LAYOUT_LOW_RAM_END;

    memory->regions[memory->n_regions++] = (MemoryRegion){ 0, low, memory->host };
    if (memory->size > low)
        memory->regions[memory->n_regions++] =
            (MemoryRegion){ LAYOUT_HIGH_RAM, memory->size - low, memory->host + low };
}

Memory *
memory_new(uint64_t size, VmmError *err)
{
    uint64_t mapping_size;
    Memory *memory;
    void *mapping;

    if (size == 0 || size % PAGE || __builtin_add_overflow(size, HUGE_PAGE, &mapping_size)) {
        vmm_error(err, VMM_ERROR_INVALID,
                  "Guest memory of %" PRIu64 " bytes is not a positive multiple of 4096", size);
        return NULL;
    }
    /* Not reserved: whether the host may promise more than it has is its overcommit policy for the
     * pages that guests do touch, not for what they might. */
    mapping = mmap(NULL, mapping_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) {
        vmm_error_errno(err, "Cannot map %" PRIu64 " bytes of guest memory", size);
        return NULL;
    }
    memory = vmm_must(calloc(1, sizeof(*memory)));
    memory->size = size;
    memory->mapping = mapping;
    memory->mapping_size = mapping_size;
    memory->host = (uint8_t *)(((uintptr_t)mapping + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    advise(memory, MADV_HUGEPAGE, "MADV_HUGEPAGE");
    advise(memory, MADV_DONTDUMP, "MADV_DONTDUMP");
    lay_out(memory);
    return memory;
}

void
memory_free(Memory *memory)
{
    if (!memory)
        return;
    munmap(memory->mapping, memory->mapping_size);
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

    if (to)
        memcpy(to, from, len);
    return to != NULL;
}

bool
memory_zero(Memory *memory, uint64_t gpa, size_t len)
{
    void *to = memory_at(memory, gpa, len);

    if (to)
        memset(to, 0, len);
    return to != NULL;
}

void
memory_discard(Memory *memory, void *at, size_t len)
{
    uintptr_t first = ((uintptr_t)at + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    uintptr_t end = ((uintptr_t)at + len) & ~(uintptr_t)(PAGE - 1);

    if (first < end && madvise((void *)first, end - first, MADV_DONTNEED) < 0)
        log_guest("The host does not take guest memory back: %s", strerrordesc_np(errno));
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
        to += n;
        offset += n;
        len -= n;
    }
    return true;
}
