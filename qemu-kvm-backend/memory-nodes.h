/* memory-nodes: on which of the host's NUMA nodes guest RAM is (mbind(2); Linux, admin-guide/mm/numa_memory_policy.rst).
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_NODES_MAX 1024

typedef struct MemoryNodes {
    int policy; /* MPOL_*; MPOL_DEFAULT, which is 0: wherever the host likes */
    unsigned long mask[MEMORY_NODES_MAX / (8 * sizeof(unsigned long))];
} MemoryNodes;

/* The keys "ram-policy" and "ram-nodes" of @msg (vmm-proto.h), which may be missing. */
bool memory_nodes_read(MemoryNodes *ret, VmmMsg *msg, VmmError *err);
/* Pages of [@at, @at + @size) are from there, from the next that is touched. */
bool memory_nodes_bind(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err);
/* The same, and those that are there already move, as far as the host can; takes its time. */
bool memory_nodes_move(const MemoryNodes *nodes, void *at, uint64_t size, VmmError *err);
