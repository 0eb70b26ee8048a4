/* qcow2-refcount: which clusters of the file are used, and how often. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* Clusters that follow each other in the file. */
typedef struct ClusterRun {
    uint64_t offset; /* bytes */
    uint32_t n;
    bool virgin; /* nothing was ever written there: they read as zeros */
} ClusterRun;

/* What keeps an allocation from going on, beside slices that it waits for by itself. */
typedef enum AllocateResult {
    ALLOCATE_DONE,
    ALLOCATE_WAITS,       /* the waiter will go on */
    ALLOCATE_NEEDS_BLOCK, /* the refcount block *ret_block, in a place that the table has for it */
    ALLOCATE_NEEDS_TABLE, /* a larger table, so that *ret_block has a place */
    ALLOCATE_FAILED,      /* the image is corrupt */
} AllocateResult;

uint64_t refcount_get(const uint8_t *data, unsigned order, uint32_t index);
void refcount_set(uint8_t *data, unsigned order, uint32_t index, uint64_t value);

/* Clusters whose counts one block has. */
uint64_t refcount_per_block(const Qcow2 *q);
/* Whether the table names one block in two places. What is counted in one of them changes in the other, and a search
 * could go through the same block for as long as the table says. */
bool refcount_shares_blocks(const Qcow2 *q);
/* Whether the bytes are the header's, the L1 table's or the refcount table's, whatever the counts say. */
bool refcount_is_reserved(const Qcow2 *q, uint64_t offset, uint64_t size);
/* From 1 to @want clusters that nobody used, counted once now. Not while the image is frozen. */
AllocateResult refcount_allocate(Qcow2 *q, uint32_t want, Waiter *waiter, ClusterRun *ret,
                                 uint64_t *ret_block);

/* @list gets @n clusters from @offset on. */
void free_list_add(Qcow2 *q, FreeList *list, uint64_t offset, uint64_t n, bool punch);
/* Everything in @from goes to @to. */
void free_list_move(FreeList *from, FreeList *to);
/* Lowers the counts of the clusters in q->ready as far as it can now, and as there is room for changes. Not while the
 * image is frozen. */
void refcount_free_ready(Qcow2 *q);
bool refcount_has_ready(const Qcow2 *q);
void refcount_close(Qcow2 *q);

/* The image contradicts itself: nothing is written to it any more, and whoever opens it later is told. */
void qcow2_set_corrupt(Qcow2 *q, const char *why);
