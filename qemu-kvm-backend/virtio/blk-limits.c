/* How fast a disk may be: libvirt's <iotune>. What is too much waits here, each with the time at which it is due,
 * before it gets to the block layer; a flush never does. "add-device" and "tell-device" say
 *     limits                bool: false; the keys below are all of its limits
 *     limits-group          string: disks that say the same share them; none: its own
 *     total-bytes-sec       u64: 0, no limit; and read-, write-; and -iops-sec instead of -bytes-sec
 *     total-bytes-sec-max   u64: 0; as much in a burst; and so on
 *     total-bytes-sec-max-length  u64: 0, which is 1: seconds that a burst may last; and so on
 *     size-iops-sec         u64: 0; larger requests count as several
 */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/blk.h"

#include <stdio.h>

#define LIMIT_MAX 1000000000000000ull /* libvirt's, of a rate */
#define LOOK_MS   200 /* another disk of the group may have been given new limits */

/* Parameters */

static bool
read_value(const Blk *blk, VmmMsg *params, const char *key, uint64_t *ret, VmmError *err)
{
    vmm_msg_get_u64(params, key, ret);
    return *ret <= LIMIT_MAX || vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has too large a %s",
                                          blk->vdev.dev->id, key);
}

/* As QEMU reads the same numbers. */
static bool
read_limit(const Blk *blk, VmmMsg *params, const char *way, const char *what, ThrottleLimit *limit,
           VmmError *err)
{
    char rate[40], burst[48], length[56];
    uint64_t most = 0, length_s = 0;

    snprintf(rate, sizeof(rate), "%s-%s-sec", way, what);
    snprintf(burst, sizeof(burst), "%s-max", rate);
    snprintf(length, sizeof(length), "%s-length", burst);
    if (!read_value(blk, params, rate, &limit->rate, err) ||
        !read_value(blk, params, burst, &most, err) ||
        !read_value(blk, params, length, &length_s, err))
        return false;
    limit->burst = (double)most * (length_s ? length_s : 1);
    limit->peak = length_s > 1 ? most : 0; /* what a second may have may come at once */
    return true;
}

static bool
read_limits(const Blk *blk, VmmMsg *params, ThrottleLimits *limits, VmmError *err)
{
    static const char *const ways[THROTTLE_N_WAYS] = {
        [THROTTLE_TOTAL] = "total",
        [THROTTLE_READ] = "read",
        [THROTTLE_WRITE] = "write",
    };

    for (unsigned i = 0; i < THROTTLE_N_WAYS; i++) {
        if (!read_limit(blk, params, ways[i], "bytes", &limits->bytes[i], err) ||
            !read_limit(blk, params, ways[i], "iops", &limits->ops[i], err))
            return false;
    }
    return read_value(blk, params, "size-iops-sec", &limits->op_bytes, err);
}

/* Waiting */

static void
append(BlkList *list, BlkRequest *req)
{
    req->next = NULL;
    if (list->first)
        list->last->next = req;
    else
        list->first = req;
    list->last = req;
}

static BlkRequest *
take(BlkList *list)
{
    BlkRequest *req = list->first;

    list->first = req->next;
    return req;
}

static uint64_t
reserve(BlkRequest *req, uint64_t now_ns)
{
    return throttle_reserve(req->blk->throttle, req->block.op != BLOCK_READ, req->bytes, now_ns);
}

/* Under new limits all of them ask again. */
static void
reserve_again(Blk *blk, uint64_t now_ns)
{
    uint64_t version = throttle_version(blk->throttle);

    if (blk->limits_version == version)
        return;
    blk->limits_version = version;
    for (unsigned i = 0; i < 2; i++) {
        for (BlkRequest *req = blk->waiting[i].first; req; req = req->next)
            req->due_ns = reserve(req, now_ns);
    }
}

static void
let_go(Blk *blk, uint64_t until_ns)
{
    for (unsigned i = 0; i < 2; i++) {
        while (blk->waiting[i].first && blk->waiting[i].first->due_ns <= until_ns)
            block_submit(blk->block, &take(&blk->waiting[i])->block);
    }
}

static void
set_timer(Blk *blk, uint64_t now_ns)
{
    uint64_t wait_ms = 0;

    for (unsigned i = 0; i < 2; i++) {
        const BlkRequest *req = blk->waiting[i].first;
        uint64_t ms = req && req->due_ns > now_ns ? (req->due_ns - now_ns) / 1000000 + 1 : 1;

        if (req && (!wait_ms || ms < wait_ms))
            wait_ms = ms;
    }
    loop_timer_set(blk->timer, wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
}

/* Lets go on what may by now. */
static void
look(Blk *blk)
{
    uint64_t now_ns = loop_now_ns();

    reserve_again(blk, now_ns);
    let_go(blk, now_ns);
    block_start(blk->block);
    blk_flush_queues(blk);
    set_timer(blk, now_ns);
}

static void
on_timer(void *data, uint32_t events)
{
    Blk *blk = data;

    pthread_mutex_lock(&blk->vdev.dev->lock);
    look(blk);
    pthread_mutex_unlock(&blk->vdev.dev->lock);
}

bool
blk_limits_hold(BlkRequest *req)
{
    Blk *blk = req->blk;
    BlkList *list = &blk->waiting[req->block.op != BLOCK_READ];

    if (!blk->throttle || req->block.op == BLOCK_FLUSH)
        return false;
    req->due_ns = reserve(req, req->since_ns);
    if (!list->first && req->due_ns <= req->since_ns)
        return false;
    if (!blk->waiting[0].first && !blk->waiting[1].first)
        blk->limits_version = throttle_version(blk->throttle);
    append(list, req);
    if (!blk->timer)
        blk->timer = loop_add_timer(blk->vdev.loop, on_timer, blk);
    set_timer(blk, req->since_ns);
    return true;
}

void
blk_limits_release(Blk *blk)
{
    if (!blk->timer)
        return;
    let_go(blk, UINT64_MAX);
    block_start(blk->block);
    blk_flush_queues(blk);
    loop_source_free(blk->timer);
    blk->timer = NULL;
}

bool
blk_limits_read(Blk *blk, VmmMsg *params, VmmError *err)
{
    ThrottleLimits limits = { 0 };
    const char *group = NULL;
    bool said = false;
    Throttle *before = blk->throttle;

    if (!vmm_msg_get_bool(params, "limits", &said) || !said)
        return true;
    if (!read_limits(blk, params, &limits, err))
        return false;
    vmm_msg_get_string(params, "limits-group", &group);
    blk->throttle = throttle_get(group);
    throttle_set(blk->throttle, &limits);
    if (blk->throttle != before)
        blk->limits_version = UINT64_MAX; /* of none: what waits has asked another one */
    throttle_put(before);
    if (blk->timer)
        look(blk);
    return true;
}

void
blk_limits_clear(Blk *blk)
{
    throttle_put(blk->throttle);
}
