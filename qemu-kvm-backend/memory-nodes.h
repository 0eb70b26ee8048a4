/* memory-nodes: on which of the host's NUMA nodes guest RAM is (mbind(2); Linux, admin-guide/mm/numa_memory_policy.rst).
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEMORY_NODES_MAX 1024

typedef struct MemoryNodes {
    int policy; /* MPOL_*; MPOL_DEFAULT, which is 0: wherever the host likes */
    unsigned long mask[MEMORY_NODES_MAX / (8 * sizeof(unsigned long))];
} MemoryNodes;

/* Otherwise it is wherever the host likes, and there is nothing to do. */
bool memory_nodes_are_said(const MemoryNodes *nodes);
/* @policy: VMM_NODES_*; @bits: @size bytes with a bit for each node, the first in the lowest of the first one. */
bool memory_nodes_parse(MemoryNodes *ret, const char *policy, const void *bits, size_t size,
                        VmmError *err);
/* Pages of [@at, @at + @size) are from there, from the next that is touched. */
bool memory_nodes_bind(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err);
/* The same, and those that are there already move, as far as the host can; takes its time. */
bool memory_nodes_move(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err);
