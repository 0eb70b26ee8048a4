/* qcow2-header: the first bytes of a qcow2 image, checked.
 *
 * (QEMU's docs/interop/qcow2.txt is the specification of the format, here "the specification".) The name
 * of the backing file is not looked at: whoever opened the files has followed it.
 */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <stddef.h>
#include <stdint.h>

#define QCOW2_HEADER_ROOM 112 /* bytes that the parser looks at */

/* Where fields are that change, bytes. */
#define QCOW2_AT_SIZE         24 /* u64 size, u32 encryption, u32 entries of L1, u64 offset of L1 */
#define QCOW2_AT_REFTABLE     48 /* u64 offset, u32 clusters */
#define QCOW2_AT_INCOMPATIBLE 72
#define QCOW2_AT_AUTOCLEAR    88

#define QCOW2_INCOMPATIBLE_DIRTY   (1ull << 0) /* refcounts are not up to date */
#define QCOW2_INCOMPATIBLE_CORRUPT (1ull << 1)

typedef struct Qcow2Header {
    unsigned version; /* 2 or 3 */
    unsigned cluster_bits;
    unsigned refcount_order; /* refcounts have 1 << refcount_order bits */
    uint64_t size;           /* bytes that the guest sees, a multiple of BLOCK_SECTOR */
    uint64_t l1_offset;
    uint32_t l1_entries; /* that it has, at least those that @size needs */
    uint32_t n_snapshots;
    uint64_t reftable_offset;
    uint32_t reftable_clusters;
    uint64_t incompatible, autoclear;
} Qcow2Header;

#define QCOW2_L1_SIZE_MAX (32u << 20) /* bytes, as QEMU has it */

/* Entries of L1 that a disk of @size bytes needs, in clusters of 1 << @cluster_bits bytes. */
uint64_t qcow2_l1_entries(uint64_t size, unsigned cluster_bits);
/* @data are the first @size bytes of the file. @writable: whether the image is to be written to. What
 * cannot be honoured is refused by name. @name is the disk's, for @err. */
bool qcow2_header_parse(const uint8_t *data, size_t size, bool writable, const char *name,
                        Qcow2Header *ret, VmmError *err);
