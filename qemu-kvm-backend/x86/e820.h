/* e820: the memory map as firmware tells it. */
#pragma once

#include "qemu-kvm-backend/memory.h"

#define E820_RAM      1u
#define E820_RESERVED 2u
#define E820_MAX      8

typedef struct E820Entry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
} E820Entry;

/* Fills @ret, ascending, and returns how many. */
unsigned e820_build(const Memory *memory, E820Entry ret[E820_MAX]);
