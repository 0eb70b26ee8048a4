/* memory-map: where guest RAM comes from: the VMM's own pages, or a file that somebody else can have too,
 * on huge pages or not; and when the host has to have it.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/memory-nodes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_THREADS_MAX 64

typedef struct MemoryBacking {
    int fd;      /* a file of the guest's size, hugetlbfs' or any other; -1: anonymous */
    bool shared; /* what the guest writes reaches the file */
    bool locked; /* never swapped out, and there from the start */
    uint64_t
        threads; /* 0: pages come as the guest touches them; else so many fetch them at the start */
    MemoryNodes nodes;
} MemoryBacking;

typedef struct MemoryMap {
    uint8_t *host; /* starts on a huge page, of the file's kind where that has a kind */
    uint64_t page; /* what the host can take back at once */
    bool sparse;   /* of a file that a page which is only read becomes a part of, and that tells which it has: tmpfs */
    void *mapping; /* what was mapped to get there */
    size_t mapping_size;
} MemoryMap;

/* Maps @size bytes. False with @err where the host has not got them, or may not promise them. */
bool memory_map(const MemoryBacking *backing, uint64_t size, MemoryMap *ret, VmmError *err);
void memory_unmap(const MemoryMap *map);
