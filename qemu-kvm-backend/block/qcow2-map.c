#include "qemu-kvm-backend/block/qcow2-map.h"

#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"
#include "qemu-kvm-backend/block/qcow2-table.h"

#include <endian.h>
#include <string.h>

MapKind
map_kind(const Qcow2 *q, uint64_t entry)
{
    if (entry & QCOW2_COMPRESSED)
        return MAP_COMPRESSED;
    if (q->header.version >= 3 && (entry & QCOW2_ZERO))
        return MAP_ZERO;
    if (entry & QCOW2_OFFSET)
        return MAP_HOST;
    return q->image.backing ? MAP_BACKING : MAP_ZERO;
}

uint64_t
map_host(const Qcow2 *q, uint64_t entry)
{
    return entry & QCOW2_COMPRESSED ? 0 : entry & QCOW2_OFFSET;
}

bool
map_is_own(const Qcow2 *q, uint64_t entry)
{
    return (entry & QCOW2_COPIED) && map_kind(q, entry) == MAP_HOST;
}

bool
map_is_sane(const Qcow2 *q, uint64_t entry)
{
    return map_host(q, entry) % q->cluster_size == 0;
}

uint32_t
map_l1_index(const Qcow2 *q, uint64_t offset)
{
    return offset >> (q->header.cluster_bits + q->l2_bits);
}

uint32_t
map_l2_index(const Qcow2 *q, uint64_t offset)
{
    return offset >> q->header.cluster_bits & ((1u << q->l2_bits) - 1);
}

uint64_t
map_l1_rest(const Qcow2 *q, uint64_t offset)
{
    uint64_t covered = 1ull << (q->header.cluster_bits + q->l2_bits);

    return covered - (offset & (covered - 1));
}

Slice *
map_slice(Qcow2 *q, uint64_t table, uint64_t offset, Waiter *waiter)
{
    return cache_get(q, SLICE_L2, table + (uint64_t)map_l2_index(q, offset) * 8, waiter);
}

static uint32_t
slice_index(const Qcow2 *q, uint64_t offset)
{
    return map_l2_index(q, offset) % (q->cache.slice_size / 8);
}

uint32_t
map_slice_rest(const Qcow2 *q, uint64_t offset)
{
    return q->cache.slice_size / 8 - slice_index(q, offset);
}

uint64_t
map_entry(const Qcow2 *q, const Slice *slice, uint64_t offset)
{
    uint64_t entry;

    memcpy(&entry, slice->data + slice_index(q, offset) * 8, sizeof(entry));
    return be64toh(entry);
}

void
map_set_entry(Qcow2 *q, Slice *slice, uint64_t offset, uint64_t entry)
{
    entry = htobe64(entry);
    memcpy(slice->data + slice_index(q, offset) * 8, &entry, sizeof(entry));
    cache_soil(slice);
}

/* Whether the entry @n clusters on goes on with what begins with @first. */
static bool
continues(const Qcow2 *q, MapKind kind, uint64_t first, uint64_t entry, uint32_t n)
{
    if (map_kind(q, entry) != kind || kind == MAP_COMPRESSED)
        return false;
    return kind != MAP_HOST ||
           map_host(q, entry) == map_host(q, first) + (uint64_t)n * q->cluster_size;
}

static MapResult
find_in_slice(Qcow2 *q, const Slice *slice, uint64_t offset, uint64_t size, MapExtent *ret)
{
    uint64_t in_cluster = offset % q->cluster_size, first = map_entry(q, slice, offset);
    MapKind kind = map_kind(q, first);
    uint32_t n = 1, most = map_slice_rest(q, offset);

    if (!map_is_sane(q, first)) {
        qcow2_set_corrupt(q, "a cluster is at an odd place");
        return MAP_BROKEN;
    }
    while (
        n < most && (uint64_t)n * q->cluster_size < in_cluster + size &&
        continues(q, kind, first, map_entry(q, slice, offset + (uint64_t)n * q->cluster_size), n))
        n++;
    *ret = (MapExtent){
        .kind = kind,
        .size = least(size, (uint64_t)n * q->cluster_size - in_cluster),
        .host = map_host(q, first) + in_cluster,
        .entry = first,
    };
    return MAP_FOUND;
}

MapResult
map_find(Qcow2 *q, uint64_t offset, uint64_t size, Waiter *waiter, MapExtent *ret)
{
    uint64_t table = table_get(&q->l1, map_l1_index(q, offset)) & QCOW2_OFFSET;
    const Slice *slice;

    if (!table) {
        *ret = (MapExtent){ .kind = map_kind(q, 0), .size = least(size, map_l1_rest(q, offset)) };
        return MAP_FOUND;
    }
    if (table % q->cluster_size) {
        qcow2_set_corrupt(q, "an L2 table is at an odd place");
        return MAP_BROKEN;
    }
    slice = map_slice(q, table, offset, waiter);
    return slice ? find_in_slice(q, slice, offset, size, ret) : MAP_WAITS;
}
