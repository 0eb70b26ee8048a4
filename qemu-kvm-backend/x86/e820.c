#include "qemu-kvm-backend/x86/e820.h"

#include "qemu-kvm-backend/x86/layout.h"

typedef struct Map {
    E820Entry *entries;
    unsigned n;
} Map;

static void
add(Map *map, uint64_t start, uint64_t end, uint32_t type)
{
    if (start < end)
        map->entries[map->n++] = (E820Entry){ .addr = start, .size = end - start, .type = type };
}

static uint64_t
min64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What lies between conventional memory and 1 MiB is reserved as a whole: the ACPI tables are
 * there, and the places of video memory and option ROMs. PCI configuration space is reserved so that kernels
 * believe the MCFG. */
unsigned
e820_build(const Memory *memory, E820Entry ret[E820_MAX])
{
    uint64_t low_end = memory_low_end(memory);
    Map map = { .entries = ret };
    MemoryRegion region;

    add(&map, 0, min64(low_end, LAYOUT_EBDA), E820_RAM);
    add(&map, LAYOUT_EBDA, LAYOUT_ACPI_END, E820_RESERVED);
    add(&map, LAYOUT_ACPI_END, low_end, E820_RAM);
    add(&map, LAYOUT_ECAM, LAYOUT_ECAM + LAYOUT_ECAM_SIZE, E820_RESERVED);
    for (unsigned i = 0; memory_region(memory, i, &region); i++) {
        if (region.gpa >= LAYOUT_HIGH_RAM)
            add(&map, region.gpa, region.gpa + region.size, E820_RAM);
    }
    return map.n;
}
