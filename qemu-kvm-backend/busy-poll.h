/* busy-poll: whether looking for the next event for a while, instead of sleeping at once, pays.
 *
 * To fall asleep and to be woken takes about as long as what a guest does between a block request that ends in the host's
 * cache and the next one. But a thread that looks in vain keeps a CPU from others, the guest's vCPU itself perhaps: after
 * each time it does without for longer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Nanoseconds to look for. */
#define BUSY_POLL_NS       20000
/* Short sleeps until it is tried again, at most. */
#define BUSY_POLL_REST_MAX 255

/* All zero at first: no looking. */
typedef struct BusyPoll {
    bool pays;
    unsigned rest;      /* short sleeps to do without after the last time */
    unsigned rest_left; /* that are left of them */
} BusyPoll;

/* It has slept for @ns until there was an event. */
void busy_poll_slept(BusyPoll *poll, uint64_t ns);
/* It has looked, and @found an event or not. */
void busy_poll_looked(BusyPoll *poll, bool found);
