/* What "add-device" says of a disk, beside the keys of block/block.h:
 *     queues                u64: 1; as many vCPUs can submit without waiting for each other
 *     queue-size            u64: 256, a power of two
 *     serial                string: of at most 20 bytes
 *     logical-block-size    u64: 512; a power of two up to 4096
 *     physical-block-size   u64: the host's
 *     discard               bool: false; whether the guest may give space back
 *     on-write-error        string: report, stop, ignore or enospace (the default: stop where the host's disk
 *                           is full, else report)
 *     on-read-error         string: report (the default), stop or ignore
 *     iothread              u64: the number of the I/O thread that serves it; the main thread does otherwise
 *     removable             bool: false; a drive, read-only, whose medium comes and goes: without an "fd" it
 *                           is empty, and has no sector that could be read
 * and what blk-limits.c says.
 */
#include "qemu-kvm-backend/virtio/blk.h"

#include "qemu-kvm-backend/iothread-pool.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <string.h>

#define QUEUE_SIZE     256
#define BLOCK_SIZE_MAX 4096
#define PHYSICAL_MAX   65536

/* A number from @min to @max, or what @ret was before. */
static bool
read_number(Blk *blk, VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
            VmmError *err)
{
    if (!vmm_msg_get_u64(params, key, ret) || (*ret >= min && *ret <= max))
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Disk '%s' has a %s of %" PRIu64 ", which is not from %" PRIu64 " to %" PRIu64,
                     blk->vdev.dev->id, key, *ret, min, max);
}

static bool
read_power(Blk *blk, VmmMsg *params, const char *key, uint64_t min, uint64_t max, uint64_t *ret,
           VmmError *err)
{
    if (!read_number(blk, params, key, min, max, ret, err))
        return false;
    if ((*ret & (*ret - 1)) == 0)
        return true;
    return vmm_error(err, VMM_ERROR_INVALID,
                     "Disk '%s' has a %s of %" PRIu64 ", which is no power of two",
                     blk->vdev.dev->id, key, *ret);
}

static bool
read_policy(Blk *blk, VmmMsg *params, const char *key, ErrorPolicy otherwise, ErrorPolicy *ret,
            VmmError *err)
{
    static const char *const names[] = {
        [POLICY_REPORT] = "report",
        [POLICY_STOP] = "stop",
        [POLICY_IGNORE] = "ignore",
        [POLICY_ENOSPACE] = "enospace",
    };
    const char *name = names[otherwise];

    vmm_msg_get_string(params, key, &name);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            *ret = i;
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no %s '%s'", blk->vdev.dev->id, key,
                     name);
}

static bool
read_serial(Blk *blk, VmmMsg *params, VmmError *err)
{
    const char *serial = "";

    vmm_msg_get_string(params, "serial", &serial);
    if (strlen(serial) > sizeof(blk->serial))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The serial number of disk '%s' is longer than %zu bytes",
                         blk->vdev.dev->id, sizeof(blk->serial));
    memcpy(blk->serial, serial, strlen(serial));
    return true;
}

static bool
read_queues(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t n = 1, size = QUEUE_SIZE;

    if (!read_number(blk, params, "queues", 1, VIRTIO_QUEUES_MAX, &n, err) ||
        !read_power(blk, params, "queue-size", 4, QUEUE_SIZE_MAX, &size, err))
        return false;
    blk->n_queues = n;
    blk->vdev.n_queues = n;
    blk->vdev.queue_size = size;
    return true;
}

static bool
read_iothread(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t number;

    if (!vmm_msg_get_u64(params, "iothread", &number))
        return true;
    if (blk->removable) /* what opens a medium is more than such a thread may do */
        return vmm_error(err, VMM_ERROR_INVALID, "Drive '%s' cannot have an I/O thread",
                         blk->vdev.dev->id);
    blk->thread = iothread_pool_get(number, err);
    if (!blk->thread)
        return false;
    blk->vdev.loop = iothread_loop(blk->thread);
    return true;
}

bool
blk_read_params(Blk *blk, VmmMsg *params, VmmError *err)
{
    vmm_msg_get_bool(params, "discard", &blk->discard);
    vmm_msg_get_bool(params, "removable", &blk->removable);
    return read_queues(blk, params, err) && read_serial(blk, params, err) &&
           read_policy(blk, params, "on-write-error", POLICY_ENOSPACE, &blk->on_write, err) &&
           read_policy(blk, params, "on-read-error", POLICY_REPORT, &blk->on_read, err) &&
           read_iothread(blk, params, err) && blk_limits_read(blk, params, err);
}

bool
blk_read_block_sizes(Blk *blk, VmmMsg *params, VmmError *err)
{
    uint64_t logical = BLOCK_SECTOR, physical = 0;

    if (!read_power(blk, params, "logical-block-size", BLOCK_SECTOR, BLOCK_SIZE_MAX, &logical, err))
        return false;
    physical = blk_geometry(blk).physical_size;
    if (physical < logical)
        physical = logical;
    if (!read_power(blk, params, "physical-block-size", logical, PHYSICAL_MAX, &physical, err))
        return false;
    blk->logical_size = logical;
    blk->physical_size = physical;
    return true;
}
