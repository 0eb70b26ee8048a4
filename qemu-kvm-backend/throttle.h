/* throttle: how much may pass in a second, by bytes and by number, each of it for reads, for writes and for
 * both together. Of a disk's requests as of a card's packets; the caller holds back what may not pass yet.
 *
 * What passes fills a bucket, which leaks at the allowed rate; when it is full, the next one has to wait. By
 * itself it holds a tenth of a second's worth, so that not every single request waits; a larger one lets as much
 * pass in a burst, which a second bucket of a tenth of a second's worth keeps down to a peak.
 *
 * A reservation is made at once for what waits, so that everybody is served in the order of asking, also
 * where several disks share a throttle. Every call says what time it is. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef enum ThrottleWay {
    THROTTLE_TOTAL,
    THROTTLE_READ,
    THROTTLE_WRITE,
    THROTTLE_N_WAYS,
} ThrottleWay;

/* Bytes, or a number of operations. */
typedef struct ThrottleLimit {
    uint64_t rate; /* a second; 0: there is no limit */
    uint64_t peak; /* a second, in a burst; 0: as fast as it goes */
    double burst;  /* how many all in all; 0: a tenth of a second's worth */
} ThrottleLimit;

typedef struct ThrottleLimits {
    ThrottleLimit bytes[THROTTLE_N_WAYS], ops[THROTTLE_N_WAYS];
    uint64_t op_bytes; /* an operation is as many as it has parts of this size; 0: one */
} ThrottleLimits;

typedef struct Throttle Throttle;

/* The one that all who give this name share; NULL or "": one of the caller's own. */
Throttle *throttle_get(const char *name);
void throttle_put(Throttle *throttle); /* NULL is allowed */

/* New limits begin with empty buckets; the same ones change nothing. */
void throttle_set(Throttle *throttle, const ThrottleLimits *limits);
/* Changes with the limits: what was reserved before has to be reserved again. */
uint64_t throttle_version(Throttle *throttle);
/* When something of @bytes may pass, not before @now_ns, which never goes back. It counts as passed then. */
uint64_t throttle_reserve(Throttle *throttle, bool write, uint64_t bytes, uint64_t now_ns);
