#include "qemu-kvm-backend/block/qcow2-header.h"

#include "qemu-kvm-backend/block/request.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <endian.h>
#include <string.h>

#define MAGIC            0x514649fbu /* "QFI\xfb" */
#define HEADER_SIZE_V2   72
#define HEADER_SIZE_V3   104
#define CLUSTER_BITS_MIN 9
#define CLUSTER_BITS_MAX 21
/* QEMU's bound, so that an image is good for both or for neither. */
#define REFTABLE_SIZE_MAX (8u << 20)

static uint32_t
get32(const uint8_t *data, unsigned at)
{
    uint32_t value;

    memcpy(&value, data + at, sizeof(value));
    return be32toh(value);
}

static uint64_t
get64(const uint8_t *data, unsigned at)
{
    uint64_t value;

    memcpy(&value, data + at, sizeof(value));
    return be64toh(value);
}

static bool
unsupported(VmmError *err, const char *name, const char *what)
{
    return vmm_error(err, VMM_ERROR_UNSUPPORTED, "The qcow2 image of disk '%s' %s", name, what);
}

static bool
broken(VmmError *err, const char *name, const char *what)
{
    return vmm_error(err, VMM_ERROR_INVALID, "The qcow2 image of disk '%s' %s", name, what);
}

/* Incompatible features: an image that has one must not be touched by who does not know it. */
static const char *const feature_refusals[] = {
    [2] = "has its data in another file, which is not supported",
    [3] = "is compressed by zstd, which is not supported",
    [4] = "has extended L2 entries, which are not supported",
};

static bool
check_features(const Qcow2Header *header, bool writable, const char *name, VmmError *err)
{
    const unsigned known = sizeof(feature_refusals) / sizeof(feature_refusals[0]);
    uint64_t features =
        header->incompatible & ~(QCOW2_INCOMPATIBLE_DIRTY | QCOW2_INCOMPATIBLE_CORRUPT);

    for (unsigned i = 2; i < known; i++) {
        if (features & 1ull << i)
            return unsupported(err, name, feature_refusals[i]);
    }
    if (features)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The qcow2 image of disk '%s' has features that are not known: %#llx",
                         name, (unsigned long long)features);
    if (!writable)
        return true;
    if (header->incompatible & QCOW2_INCOMPATIBLE_CORRUPT)
        return broken(err, name, "is marked as corrupt; it can be opened for reading only");
    if (header->incompatible & QCOW2_INCOMPATIBLE_DIRTY)
        return unsupported(err, name,
                           "was not closed by a program that counts references lazily; "
                           "'qemu-img check -r all' makes it good");
    return true;
}

static void
take_fields(const uint8_t *data, Qcow2Header *ret)
{
    *ret = (Qcow2Header){
        .version = get32(data, 4),
        .cluster_bits = get32(data, 20),
        .refcount_order = 4,
        .size = get64(data, 24) & ~(uint64_t)(BLOCK_SECTOR - 1),
        .l1_entries = get32(data, 36),
        .l1_offset = get64(data, 40),
        .n_snapshots = get32(data, 60),
        .reftable_offset = get64(data, QCOW2_AT_REFTABLE),
        .reftable_clusters = get32(data, QCOW2_AT_REFTABLE + 8),
    };
    if (ret->version < 3)
        return;
    ret->incompatible = get64(data, QCOW2_AT_INCOMPATIBLE);
    ret->autoclear = get64(data, QCOW2_AT_AUTOCLEAR);
    ret->refcount_order = get32(data, 96);
}

/* Shifted before it is rounded up: a size near 2^64 must not wrap. */
uint64_t
qcow2_l1_entries(uint64_t size, unsigned cluster_bits)
{
    unsigned entry_bits = cluster_bits + cluster_bits - 3;

    return (size >> entry_bits) + ((size & ((1ull << entry_bits) - 1)) != 0);
}

static bool
check_tables(const Qcow2Header *header, bool writable, const char *name, VmmError *err)
{
    uint64_t mask = (1ull << header->cluster_bits) - 1;
    uint64_t needed = qcow2_l1_entries(header->size, header->cluster_bits);

    if (needed > QCOW2_L1_SIZE_MAX / 8)
        return broken(err, name, "is too large for its clusters");
    if (header->l1_entries < needed)
        return broken(err, name, "has an L1 table that is too small");
    if (header->l1_offset & mask)
        return broken(err, name, "has an L1 table at an odd place");
    if (!writable)
        return true;
    if (header->l1_entries > QCOW2_L1_SIZE_MAX / 8)
        return broken(err, name, "has an L1 table that is too large");
    if (header->reftable_clusters == 0 ||
        header->reftable_clusters > REFTABLE_SIZE_MAX >> header->cluster_bits)
        return broken(err, name, "has a refcount table of an impossible size");
    if (header->reftable_offset == 0 || (header->reftable_offset & mask))
        return broken(err, name, "has a refcount table at an odd place");
    return true;
}

bool
qcow2_header_parse(const uint8_t *data, size_t size, bool writable, const char *name,
                   Qcow2Header *ret, VmmError *err)
{
    Qcow2Header header;

    if (size < HEADER_SIZE_V2 || get32(data, 0) != MAGIC)
        return broken(err, name, "is not a qcow2 image");
    if (get32(data, 4) != 2 && get32(data, 4) != 3)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The qcow2 image of disk '%s' has version %u, which is not supported",
                         name, get32(data, 4));
    if (get32(data, 4) == 3 && (size < HEADER_SIZE_V3 || get32(data, 100) < HEADER_SIZE_V3))
        return broken(err, name, "ends within its header");
    take_fields(data, &header);
    if (!check_features(&header, writable, name, err))
        return false;
    if (get32(data, 32) != 0)
        return unsupported(err, name, "is encrypted, which is not supported");
    if (header.cluster_bits < CLUSTER_BITS_MIN || header.cluster_bits > CLUSTER_BITS_MAX)
        return broken(err, name, "has clusters of an impossible size");
    if (header.refcount_order > 6)
        return broken(err, name, "has reference counts of an impossible width");
    if (!check_tables(&header, writable, name, err))
        return false;
    if (!writable) /* what is behind the disk's end does not matter */
        header.l1_entries = qcow2_l1_entries(header.size, header.cluster_bits);
    *ret = header;
    return true;
}
