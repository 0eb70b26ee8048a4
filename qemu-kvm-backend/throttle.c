#include "qemu-kvm-backend/throttle.h"

#include "qemu-kvm-backend/error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SLACK_S 0.1 /* how much of a second's worth passes at once */
#define NS      1e9
#define LONG_S  1e9 /* nobody waits longer: what is in nanoseconds fits */

/* What has passed and has not leaked away yet. */
typedef struct Bucket {
    double level, peak_level;
} Bucket;

struct Throttle {
    Throttle *next;
    char *name; /* NULL: nobody else has it */
    unsigned users;
    pthread_mutex_t lock; /* a leaf, of what follows */
    ThrottleLimits limits;
    Bucket bytes[THROTTLE_N_WAYS], ops[THROTTLE_N_WAYS];
    uint64_t version;
    uint64_t leaked_ns; /* until when */
};

/* Those with a name. The lock is a leaf as well. */
static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static Throttle *registry;

static Throttle *
find(const char *name)
{
    Throttle *throttle = registry;

    while (throttle && strcmp(throttle->name, name) != 0)
        throttle = throttle->next;
    return throttle;
}

static Throttle *
throttle_new(const char *name)
{
    Throttle *throttle = vmm_must(calloc(1, sizeof(*throttle)));

    throttle->name = name ? vmm_must(strdup(name)) : NULL;
    pthread_mutex_init(&throttle->lock, NULL);
    return throttle;
}

static Throttle *
get_shared(const char *name)
{
    Throttle *throttle;

    pthread_mutex_lock(&registry_lock);
    throttle = find(name);
    if (!throttle) {
        throttle = throttle_new(name);
        throttle->next = registry;
        registry = throttle;
    }
    throttle->users++;
    pthread_mutex_unlock(&registry_lock);
    return throttle;
}

Throttle *
throttle_get(const char *name)
{
    return name && *name ? get_shared(name) : throttle_new(NULL);
}

/* Whether it was the last user's. */
static bool
leave(Throttle *throttle)
{
    Throttle **at = &registry;
    bool last;

    pthread_mutex_lock(&registry_lock);
    last = --throttle->users == 0;
    while (last && *at != throttle)
        at = &(*at)->next;
    if (last)
        *at = throttle->next;
    pthread_mutex_unlock(&registry_lock);
    return last;
}

void
throttle_put(Throttle *throttle)
{
    if (!throttle || (throttle->name && !leave(throttle)))
        return;
    pthread_mutex_destroy(&throttle->lock);
    free(throttle->name);
    free(throttle);
}

void
throttle_set(Throttle *throttle, const ThrottleLimits *limits)
{
    pthread_mutex_lock(&throttle->lock);
    if (memcmp(&throttle->limits, limits, sizeof(*limits)) != 0) {
        throttle->limits = *limits;
        memset(throttle->bytes, 0, sizeof(throttle->bytes));
        memset(throttle->ops, 0, sizeof(throttle->ops));
        throttle->version++;
    }
    pthread_mutex_unlock(&throttle->lock);
}

uint64_t
throttle_version(Throttle *throttle)
{
    uint64_t version;

    pthread_mutex_lock(&throttle->lock);
    version = throttle->version;
    pthread_mutex_unlock(&throttle->lock);
    return version;
}

/* Buckets */

static void
leak(Bucket *bucket, const ThrottleLimit *limit, double seconds)
{
    bucket->level -= limit->rate * seconds;
    if (bucket->level < 0)
        bucket->level = 0;
    bucket->peak_level -= limit->peak * seconds;
    if (bucket->peak_level < 0)
        bucket->peak_level = 0;
}

/* Seconds until what is in it beyond @size has leaked out. */
static double
overflow(double level, double size, uint64_t rate)
{
    return level > size ? (level - size) / rate : 0;
}

static double
greater(double a, double b)
{
    return a > b ? a : b;
}

/* Seconds until the next one may pass. */
static double
delay(const Bucket *bucket, const ThrottleLimit *limit)
{
    double wait;

    if (!limit->rate)
        return 0;
    wait = overflow(bucket->level, limit->burst ? limit->burst : limit->rate * SLACK_S, limit->rate);
    if (limit->peak)
        wait = greater(wait, overflow(bucket->peak_level, limit->peak * SLACK_S, limit->peak));
    return wait;
}

static void
fill(Bucket *bucket, double units)
{
    bucket->level += units;
    bucket->peak_level += units;
}

static void
leak_all(Throttle *throttle, uint64_t now_ns)
{
    double seconds = now_ns > throttle->leaked_ns ? (now_ns - throttle->leaked_ns) / NS : 0;

    for (unsigned i = 0; i < THROTTLE_N_WAYS; i++) {
        leak(&throttle->bytes[i], &throttle->limits.bytes[i], seconds);
        leak(&throttle->ops[i], &throttle->limits.ops[i], seconds);
    }
    throttle->leaked_ns += now_ns > throttle->leaked_ns ? now_ns - throttle->leaked_ns : 0;
}

/* Waits for the slowest of those that it goes through, and fills them. */
static double
pass(Throttle *throttle, bool write, uint64_t bytes)
{
    const ThrottleWay ways[] = { THROTTLE_TOTAL, write ? THROTTLE_WRITE : THROTTLE_READ };
    uint64_t part = throttle->limits.op_bytes;
    double ops = part && bytes > part ? (double)bytes / part : 1, wait = 0;

    for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        ThrottleWay way = ways[i];

        wait = greater(wait, delay(&throttle->bytes[way], &throttle->limits.bytes[way]));
        wait = greater(wait, delay(&throttle->ops[way], &throttle->limits.ops[way]));
        fill(&throttle->bytes[way], bytes);
        fill(&throttle->ops[way], ops);
    }
    return wait;
}

uint64_t
throttle_reserve(Throttle *throttle, bool write, uint64_t bytes, uint64_t now_ns)
{
    double wait;

    pthread_mutex_lock(&throttle->lock);
    leak_all(throttle, now_ns);
    wait = pass(throttle, write, bytes);
    pthread_mutex_unlock(&throttle->lock);
    return now_ns + (uint64_t)((wait < LONG_S ? wait : LONG_S) * NS);
}
