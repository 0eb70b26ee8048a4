#include "qemu-kvm-backend/block/qcow2-full.h"

#include "qemu-kvm-backend/error.h"

#include <stdlib.h>
#include <string.h>

#define BITS 64

/* Searches go upwards: the map becomes as long as they have got, and not longer. */
static void
make_room(FullMap *full, size_t n)
{
    size_t room = full->n ? full->n : 1;

    while (room < n)
        room *= 2;
    if (room == full->n)
        return;
    full->words = vmm_must(realloc(full->words, room * sizeof(*full->words)));
    memset(full->words + full->n, 0, (room - full->n) * sizeof(*full->words));
    full->n = room;
}

void
full_mark(FullMap *full, uint64_t slice)
{
    make_room(full, slice / BITS + 1);
    full->words[slice / BITS] |= 1ull << slice % BITS;
}

void
full_clear(FullMap *full, uint64_t slice)
{
    if (slice / BITS < full->n)
        full->words[slice / BITS] &= ~(1ull << slice % BITS);
}

uint64_t
full_skip(const FullMap *full, uint64_t slice)
{
    for (size_t i = slice / BITS; i < full->n; i++, slice = (uint64_t)i * BITS) {
        uint64_t others = ~full->words[i] >> slice % BITS;

        if (others)
            return slice + __builtin_ctzll(others);
    }
    return slice;
}

void
full_close(FullMap *full)
{
    free(full->words);
}
