#include "qemu-kvm-backend/block/qcow2-table.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

uint64_t
table_get(const Qcow2Table *table, uint32_t index)
{
    return index < table->n_loaded ? be64toh(table->entries[index]) : 0;
}

/* In whole sectors, for that is what is written. */
void
table_load_until(Qcow2Table *table, uint32_t n)
{
    const uint32_t per_sector = BLOCK_SECTOR / 8;
    uint32_t rounded = (n + per_sector - 1) / per_sector * per_sector;

    if (rounded <= table->n_loaded)
        return;
    table->entries = vmm_must(realloc(table->entries, (size_t)rounded * 8));
    memset(table->entries + table->n_loaded, 0, (size_t)(rounded - table->n_loaded) * 8);
    table->n_loaded = rounded;
}

void
table_set(Qcow2Table *table, uint32_t index, uint64_t value)
{
    table_load_until(table, index + 1);
    table->entries[index] = htobe64(value);
    if (table->dirty_first == table->dirty_end) {
        table->dirty_first = index;
        table->dirty_end = index + 1;
    } else if (index < table->dirty_first) {
        table->dirty_first = index;
    } else if (index >= table->dirty_end) {
        table->dirty_end = index + 1;
    }
}

bool
table_is_dirty(const Qcow2Table *table)
{
    return table->dirty_first != table->dirty_end;
}

uint64_t
table_clusters(const Qcow2 *q, uint32_t n)
{
    return ((uint64_t)n * 8 + q->cluster_size - 1) / q->cluster_size;
}
