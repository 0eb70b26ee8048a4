/* qcow2-full: the slices of reference counts in which none is free, as far as that is known.
 *
 * Slice N is the one that has the count of cluster N * (counts in a slice) first. A search for free clusters passes
 * over those that are full without a look, so that each is read once, however often a cluster before them is freed.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

void full_mark(FullMap *full, uint64_t slice);
/* It has a free one. */
void full_clear(FullMap *full, uint64_t slice);
/* The first from @slice on that is not known to be full. */
uint64_t full_skip(const FullMap *full, uint64_t slice);
void full_close(FullMap *full);
