/* qcow2-table: a table of the image that is in memory whole: L1, and that of the refcount blocks. */
#pragma once

#include "qemu-kvm-backend/block/qcow2-image.h"

/* Entry @index of @table, as a number; zero where there is none. */
uint64_t table_get(const Qcow2Table *table, uint32_t index);
/* It has to be written. */
void table_set(Qcow2Table *table, uint32_t index, uint64_t value);
/* Makes room for the first @n entries, zero where there were none. */
void table_load_until(Qcow2Table *table, uint32_t n);
/* Whether some of it has to be written. */
bool table_is_dirty(const Qcow2Table *table);
/* Clusters that a table of @n entries takes. */
uint64_t table_clusters(const Qcow2 *q, uint32_t n);
