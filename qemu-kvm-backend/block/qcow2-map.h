/* qcow2-map: where the guest's clusters are. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

typedef enum MapKind {
    MAP_ZERO,       /* reads as zeros; version 3's flag, or nothing there and nothing behind */
    MAP_BACKING,    /* not here: what the backing image has */
    MAP_HOST,       /* in the file */
    MAP_COMPRESSED, /* in the file, deflated: one cluster at a time */
} MapKind;

/* What follows some byte of the disk. */
typedef struct MapExtent {
    MapKind kind;
    uint64_t size;  /* bytes */
    uint64_t host;  /* MAP_HOST: of the first byte */
    uint64_t entry; /* MAP_COMPRESSED: that of the L2 table */
} MapExtent;

/* The kind of an entry of an L2 table. */
MapKind map_kind(const Qcow2 *q, uint64_t entry);
/* The file's cluster that @entry has, 0 where there is none. */
uint64_t map_host(const Qcow2 *q, uint64_t entry);
/* Whether an entry can be written through without a change to it. */
bool map_is_own(const Qcow2 *q, uint64_t entry);
/* Whether the entry's place makes sense. */
bool map_is_sane(const Qcow2 *q, uint64_t entry);

/* Of a byte of the disk: its entry of the L1 table, and of the L2 table. */
uint32_t map_l1_index(const Qcow2 *q, uint64_t offset);
uint32_t map_l2_index(const Qcow2 *q, uint64_t offset);
/* Bytes from @offset to the end of what an L1 entry covers. */
uint64_t map_l1_rest(const Qcow2 *q, uint64_t offset);

/* The L2 slice for the byte at @offset of the disk, whose table exists at @table. */
Slice *map_slice(Qcow2 *q, uint64_t table, uint64_t offset, Waiter *waiter);
/* Entries of @slice from the one for @offset on. */
uint32_t map_slice_rest(const Qcow2 *q, uint64_t offset);
uint64_t map_entry(const Qcow2 *q, const Slice *slice, uint64_t offset);
void map_set_entry(Qcow2 *q, Slice *slice, uint64_t offset, uint64_t entry);

typedef enum MapResult {
    MAP_FOUND,
    MAP_WAITS, /* the waiter will go on */
    MAP_BROKEN,
} MapResult;

/* What is from @offset on, at most @size bytes. */
MapResult map_find(Qcow2 *q, uint64_t offset, uint64_t size, Waiter *waiter, MapExtent *ret);
