/* What the driver asks of a guest's I/O threads: machine.c has the rest of its side. */
#include "qemu-kvm-backend/machine-private.h"

#include "qemu-kvm-backend/iothread-pool.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <inttypes.h>
#include <limits.h>

/* A thread is there before the devices that it is to serve, so this asks for no more than a machine. */
static bool
read_number(Machine *m, VmmMsg *msg, uint64_t *ret, VmmError *err)
{
    const char *verb = vmm_msg_name(msg);

    if (machine_is(m, VMM_STATE_EMPTY) || machine_is(m, VMM_STATE_STOPPED))
        return vmm_error(err, VMM_ERROR_STATE, "%s: the machine's state is '%s'", verb, m->state);
    return vmm_msg_get_u64(msg, "id", ret) ||
           vmm_error(err, VMM_ERROR_INVALID, "%s: the number 'id' is missing", verb);
}

bool
machine_add_iothread(Machine *m, VmmMsg *msg, VmmError *err)
{
    uint64_t number;

    return read_number(m, msg, &number, err) && iothread_pool_add(number, err);
}

bool
machine_remove_iothread(Machine *m, VmmMsg *msg, VmmError *err)
{
    uint64_t number;

    return read_number(m, msg, &number, err) && iothread_pool_remove(number, err);
}

/* How it looks for events; the loop is its thread's. */
typedef struct Polling {
    Loop *loop;
    BusyPollRule rule;
} Polling;

static void
get_poll(void *data)
{
    Polling *polling = data;

    polling->rule = loop_poll(polling->loop);
}

static void
set_poll(void *data)
{
    const Polling *polling = data;

    loop_set_poll(polling->loop, &polling->rule);
}

static bool
read_bounded(VmmMsg *msg, const char *key, uint64_t max, uint64_t *ret, VmmError *err)
{
    return !vmm_msg_get_u64(msg, key, ret) || *ret <= max ||
           vmm_error(err, VMM_ERROR_INVALID, "tell-iothread: a %s of %" PRIu64 " is more than %" PRIu64,
                     key, *ret, max);
}

static bool
read_rule(VmmMsg *msg, BusyPollRule *rule, VmmError *err)
{
    uint64_t max_ns = rule->max_ns, grow = rule->grow, shrink = rule->shrink;

    if (!read_bounded(msg, "poll-max-ns", INT_MAX, &max_ns, err) ||
        !read_bounded(msg, "poll-grow", UINT_MAX, &grow, err) ||
        !read_bounded(msg, "poll-shrink", UINT_MAX, &shrink, err))
        return false;
    *rule = (BusyPollRule){ max_ns, grow, shrink };
    return true;
}

bool
machine_tell_iothread(Machine *m, VmmMsg *msg, VmmMsg *reply, VmmError *err)
{
    Polling polling;
    uint64_t number;
    IoThread *thread;

    if (!read_number(m, msg, &number, err))
        return false;
    thread = iothread_pool_find(number);
    if (!thread)
        return vmm_error(err, VMM_ERROR_INVALID, "There is no I/O thread %" PRIu64, number);
    polling.loop = iothread_loop(thread);
    loop_run_in(polling.loop, get_poll, &polling);
    if (!read_rule(msg, &polling.rule, err))
        return false;
    loop_run_in(polling.loop, set_poll, &polling);
    vmm_msg_put_u64(reply, "poll-max-ns", polling.rule.max_ns);
    vmm_msg_put_u64(reply, "poll-grow", polling.rule.grow);
    vmm_msg_put_u64(reply, "poll-shrink", polling.rule.shrink);
    return true;
}
