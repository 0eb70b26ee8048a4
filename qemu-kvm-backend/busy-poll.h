/* busy-poll: whether looking for the next event for a while, instead of sleeping at once, pays.
 *
 * To fall asleep and to be woken takes about as long as what a guest does between a block request that ends in the host's
 * cache and the next one. But a thread that looks in vain keeps a CPU from others, the guest's vCPU itself perhaps: after
 * each time it does without for longer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* How long a look starts where it grows step by step, and the shortest that there is. */
#define BUSY_POLL_FIRST_NS 4000
#define BUSY_POLL_LEAST_NS 1000
/* Short sleeps until it is tried again, at most. */
#define BUSY_POLL_REST_MAX 255

/* Between which bounds, and in which steps. */
typedef struct BusyPollRule {
    uint64_t max_ns; /* the longest look; 0: it never looks */
    unsigned grow;   /* by which a look that was too short becomes longer; 0: it is the longest from the start */
    unsigned shrink; /* by which one becomes shorter that was in vain; 0: it is the last for a while */
} BusyPollRule;

typedef struct BusyPoll {
    BusyPollRule rule;
    uint64_t ns;        /* to look for next; 0: it sleeps at once */
    uint64_t tried;     /* for how long the last look was in vain; 0: it was not, or it is long ago */
    unsigned rest;      /* short sleeps to do without after the last time */
    unsigned rest_left; /* that are left of them */
} BusyPoll;

/* Begins without looking. */
void busy_poll_init(BusyPoll *poll, const BusyPollRule *rule);
/* It has slept for @ns until there was an event. */
void busy_poll_slept(BusyPoll *poll, uint64_t ns);
/* It has looked for as long as it should, or until there was an event: @found. */
void busy_poll_looked(BusyPoll *poll, bool found);
