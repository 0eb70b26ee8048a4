/* qcow2-compressed: contents of compressed clusters, one at a time. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* The contents of the cluster with the L2 entry @entry, until the caller returns. NULL: @waiter will go
 * on when they can be had, or with an error. */
const uint8_t *compressed_get(Qcow2 *q, uint64_t entry, Waiter *waiter);
/* The clusters of the file that @entry has parts of. */
void compressed_clusters(const Qcow2 *q, uint64_t entry, uint64_t *ret_first, uint64_t *ret_n);
/* Gives the memory back; nobody waits. */
void compressed_close(Qcow2 *q);
