#include "qemu-kvm-backend/block/qcow2-compressed.h"

#include "qemu-kvm-backend/block/inflate.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"
#include "qemu-kvm-backend/log.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* The specification, "Compressed Clusters Descriptor": the offset's bits, then the number of sectors
 * beyond the first. */
typedef struct Descriptor {
    uint64_t offset; /* bytes, of any alignment */
    uint64_t size;   /* to the end of the last sector, which may have something else */
} Descriptor;

static Descriptor
describe(const Qcow2 *q, uint64_t entry)
{
    unsigned offset_bits = 62 - (q->header.cluster_bits - 8);
    uint64_t bits = entry & ((1ull << 62) - 1);
    Descriptor d = { .offset = bits & ((1ull << offset_bits) - 1) };

    d.size = ((bits >> offset_bits) + 1) * BLOCK_SECTOR - d.offset % BLOCK_SECTOR;
    return d;
}

void
compressed_clusters(const Qcow2 *q, uint64_t entry, uint64_t *ret_first, uint64_t *ret_n)
{
    Descriptor d = describe(q, entry);

    *ret_first = d.offset / q->cluster_size;
    *ret_n = (d.offset + d.size - 1) / q->cluster_size - *ret_first + 1;
}

static void
deflated_read(BlockRequest *io, int error)
{
    Qcow2 *q = (Qcow2 *)((char *)io - offsetof(Qcow2, inflate_io));
    Descriptor d = describe(q, q->inflating);

    if (!error && !inflate_raw(q->deflated_data + d.offset % BLOCK_SECTOR, d.size, q->inflated_data,
                               q->cluster_size)) {
        log_guest("Disk '%s': a compressed cluster of its qcow2 image is broken", q->image.name);
        error = EIO;
    }
    q->inflated = error ? 0 : q->inflating;
    q->inflating = 0;
    free(q->deflated_data);
    q->deflated_data = NULL;
    wait_list_wake(q, &q->inflate_waiters, error);
    qcow2_wake_parked(q);
    q->advance(q);
}

static bool
get_memory(Qcow2 *q, size_t deflated_size)
{
    if (!q->inflated_data)
        q->inflated_data = malloc(q->cluster_size);
    q->deflated_data = aligned_alloc(BLOCK_SECTOR, deflated_size);
    return q->inflated_data && q->deflated_data;
}

const uint8_t *
compressed_get(Qcow2 *q, uint64_t entry, Waiter *waiter)
{
    Descriptor d = describe(q, entry);
    uint64_t lead = d.offset % BLOCK_SECTOR;

    if (q->inflated == entry)
        return q->inflated_data;
    if (q->inflating && q->inflating != entry) {
        qcow2_park(q, waiter);
        return NULL;
    }
    wait_list_put(&q->inflate_waiters, waiter);
    if (q->inflating)
        return NULL;
    if (!get_memory(q, lead + d.size)) {
        free(q->deflated_data);
        q->deflated_data = NULL;
        wait_list_wake(q, &q->inflate_waiters, ENOMEM);
        return NULL;
    }
    q->inflated = 0;
    q->inflating = entry;
    q->inflate_iov = (struct iovec){ q->deflated_data, lead + d.size };
    q->inflate_io = (BlockRequest){
        .op = BLOCK_READ,
        .offset = d.offset - lead,
        .size = lead + d.size,
        .iov = &q->inflate_iov,
        .n_iov = 1,
        .done = deflated_read,
        .image = q->lower,
    };
    q->lower->format->submit(q->lower, &q->inflate_io);
    return NULL;
}

void
compressed_close(Qcow2 *q)
{
    free(q->inflated_data);
    q->inflated_data = NULL;
    q->inflated = 0;
}
