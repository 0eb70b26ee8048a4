/* qcow2-clerk: changes of the tables that take several steps, one after the other.
 *
 * Each of these is for when the clerk is not busy. At its end everybody who waits for anything goes on,
 * those who starve with its error.
 */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* Puts a refcount block where the table has none. */
void clerk_add_block(Qcow2 *q, uint64_t block);
/* Makes the refcount table long enough for @block. */
void clerk_grow_table(Qcow2 *q, uint64_t block);
/* The cluster at @host, which was allocated, becomes the L2 table of L1's entry @index: a copy of the one
 * that others use too, or an empty one. */
void clerk_add_l2(Qcow2 *q, uint32_t index, uint64_t host);
/* Sets the bit in the header that says so. */
void clerk_mark_corrupt(Qcow2 *q);
/* Writes what has changed; those in q->flushers wait for its end. */
void clerk_commit(Qcow2 *q);

/* Whether there is something to commit beside data. */
bool clerk_has_changes(const Qcow2 *q);
void clerk_close(Qcow2 *q);

/* Entry @index of @table, as a number. */
uint64_t table_get(const Qcow2Table *table, uint32_t index);
void table_set(Qcow2Table *table, uint32_t index, uint64_t value);
/* Makes room for the first @n entries, zero where there were none. */
void table_load_until(Qcow2Table *table, uint32_t n);
