#include "qemu-kvm-backend/net/shaper.h"

#include "qemu-kvm-backend/throttle.h"

#include <stdlib.h>
#include <string.h>

/* Of a channel in one direction: when its next packet may pass; 0: it has not asked. */
typedef struct Turn {
    uint64_t due_ns;
    bool waits;
} Turn;

struct NetShaper {
    NetShaperOwner owner;
    Throttle *throttle; /* NULL: nothing is limited; reads go to the guest */
    LoopSource *timer;  /* NULL: not running */
    unsigned n_channels;
    Turn turns[][2];
};

NetShaper *
net_shaper_new(unsigned n_channels, const NetShaperOwner *owner)
{
    NetShaper *shaper =
        vmm_must(calloc(1, sizeof(*shaper) + n_channels * sizeof(shaper->turns[0])));

    shaper->owner = *owner;
    shaper->n_channels = n_channels;
    return shaper;
}

void
net_shaper_free(NetShaper *shaper)
{
    if (!shaper)
        return;
    throttle_put(shaper->throttle);
    free(shaper);
}

/* Parameters */

static ThrottleLimit
read_limit(VmmMsg *params, const char *rate, const char *peak, const char *burst)
{
    ThrottleLimit limit = { 0 };
    uint64_t bytes = 0;

    vmm_msg_get_u64(params, rate, &limit.rate);
    vmm_msg_get_u64(params, peak, &limit.peak);
    vmm_msg_get_u64(params, burst, &bytes);
    limit.burst = bytes;
    return limit;
}

/* Who waits asks again. */
static void
forget_turns(NetShaper *shaper)
{
    for (unsigned i = 0; i < shaper->n_channels; i++)
        shaper->turns[i][0].due_ns = shaper->turns[i][1].due_ns = 0;
    if (shaper->timer)
        loop_timer_set(shaper->timer, 1);
}

void
net_shaper_read(NetShaper *shaper, VmmMsg *params)
{
    ThrottleLimits limits = { 0 };
    bool said = false;

    if (!vmm_msg_get_bool(params, "bandwidth", &said) || !said)
        return;
    limits.bytes[THROTTLE_READ] = read_limit(params, "in-rate", "in-peak", "in-burst");
    limits.bytes[THROTTLE_WRITE] = read_limit(params, "out-rate", "out-peak", "out-burst");
    throttle_put(shaper->throttle);
    shaper->throttle = throttle_get(NULL);
    throttle_set(shaper->throttle, &limits);
    forget_turns(shaper);
}

/* Waiting */

static void
set_timer(NetShaper *shaper, uint64_t now_ns)
{
    uint64_t first_ns = 0;

    for (unsigned i = 0; i < 2 * shaper->n_channels; i++) {
        const Turn *turn = &shaper->turns[i / 2][i % 2];

        if (turn->waits && (!first_ns || turn->due_ns < first_ns))
            first_ns = turn->due_ns;
    }
    if (first_ns)
        loop_timer_set(shaper->timer, first_ns > now_ns ? (first_ns - now_ns) / 1000000 + 1 : 1);
}

static bool
take_turn(Turn *turn, uint64_t now_ns)
{
    bool ready = turn->waits && turn->due_ns <= now_ns;

    turn->waits &= !ready;
    return ready;
}

static void
on_timer(void *data, uint32_t events)
{
    NetShaper *shaper = data;
    uint64_t now_ns = loop_now_ns();

    pthread_mutex_lock(shaper->owner.lock);
    for (unsigned i = 0; i < shaper->n_channels; i++) {
        bool in = take_turn(&shaper->turns[i][false], now_ns);
        bool out = take_turn(&shaper->turns[i][true], now_ns);

        if (in || out)
            shaper->owner.ready(shaper->owner.data, i, in, out);
    }
    set_timer(shaper, now_ns);
    pthread_mutex_unlock(shaper->owner.lock);
}

void
net_shaper_start(NetShaper *shaper, Loop *loop)
{
    shaper->timer = loop_add_timer(loop, on_timer, shaper);
}

/* What waited is looked at again after the start. */
void
net_shaper_stop(NetShaper *shaper)
{
    loop_source_free(shaper->timer);
    shaper->timer = NULL;
    for (unsigned i = 0; i < shaper->n_channels; i++)
        shaper->turns[i][0].waits = shaper->turns[i][1].waits = false;
}

bool
net_shaper_may_pass(NetShaper *shaper, unsigned channel, bool out, size_t size)
{
    Turn *turn = &shaper->turns[channel][out];
    uint64_t now_ns;

    if (!shaper->throttle)
        return true;
    now_ns = loop_now_ns();
    if (!turn->due_ns)
        turn->due_ns = throttle_reserve(shaper->throttle, out, size, now_ns);
    turn->waits = turn->due_ns > now_ns;
    if (turn->waits)
        set_timer(shaper, now_ns);
    return !turn->waits;
}

void
net_shaper_passed(NetShaper *shaper, unsigned channel, bool out)
{
    shaper->turns[channel][out].due_ns = 0;
}
