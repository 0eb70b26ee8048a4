/* qcow2-cache: slices of L2 tables and refcount blocks, as they will be on disk.
 *
 * The slice used longest ago makes room for another one, unless it is pinned or changed. Changes leave a part of the
 * cache alone, so that whoever only looks something up waits for no commit, and does not fail with one.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

#define QCOW2_CACHE_SIZE                                                                           \
    (1u << 20) /* bytes of slices: L2 tables of 8 GiB of disk in clusters of 64 KiB */

void cache_open(Qcow2 *q);
void cache_close(Qcow2 *q);

/* The slice that has the byte at @offset of the file. NULL: @waiter will go on when it can be had, or with
 * an error. It is there until the caller returns; longer where it is pinned. */
Slice *cache_get(Qcow2 *q, SliceKind kind, uint64_t offset, Waiter *waiter);
void cache_pin(Slice *slice);
void cache_unpin(Slice *slice);
/* @slice was changed; not while the image is frozen. */
void cache_soil(Slice *slice);
/* @slice was written as it is. */
void cache_clean(Slice *slice);
/* Whether a change may begin, which soils or pins two slices at most. */
bool cache_has_room(const Qcow2 *q);
/* Forgets what it has of the cluster at @offset, which is no table any more, or not yet. */
void cache_forget(Qcow2 *q, uint64_t offset);
/* Bytes into the slice. */
uint32_t cache_at(const Slice *slice, uint64_t offset);
