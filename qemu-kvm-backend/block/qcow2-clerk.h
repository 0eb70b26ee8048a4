/* qcow2-clerk: changes of the tables that take several steps, one after the other.
 *
 * Each of these is for when the clerk is not busy. At its end everybody who waits for anything goes on; its error is
 * the client's, who asked for it, alone.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* Puts a refcount block where the table has none: into the first cluster that it counts, */
void clerk_add_block(Qcow2 *q, uint64_t block, Waiter *client);
/* or into the one at @host, which was allocated. */
void clerk_add_block_at(Qcow2 *q, uint64_t block, uint64_t host, Waiter *client);
/* Makes the refcount table long enough for @block. */
void clerk_grow_table(Qcow2 *q, uint64_t block, Waiter *client);
/* The cluster at @host, which was allocated, becomes the L2 table of L1's entry @index: a copy of the one
 * that others use too, or an empty one. */
void clerk_add_l2(Qcow2 *q, uint32_t index, uint64_t host, Waiter *client);
/* Sets the bit in the header that says so. */
void clerk_mark_corrupt(Qcow2 *q);
void clerk_close(Qcow2 *q);

/* For qcow2-commit, which is such a work, too. */

/* @client: NULL where it is nobody's. */
void clerk_begin(Qcow2 *q, Waiter *client);
/* One request of the file, and what comes after it. */
void clerk_step(Qcow2 *q, BlockOp op, uint64_t offset, void *data, size_t size,
                void (*then)(Qcow2 *q, int error));
void clerk_end(Qcow2 *q, int error);
