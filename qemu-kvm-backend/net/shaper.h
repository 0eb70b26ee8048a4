/* shaper: how much of a network card's traffic may pass in a second. What may not pass yet stays where it is, in the
 * guest's queue or the back end; the owner is called when it may.
 *
 * All calls hold the device's lock; those but net_shaper_read() and net_shaper_free() are the loop's.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct NetShaper NetShaper;

typedef struct NetShaperOwner {
    pthread_mutex_t *lock;
    void (*ready)(void *data, unsigned channel, bool in, bool out); /* in the loop, with the lock */
    void *data;
} NetShaperOwner;

/* Nothing is limited at first. */
NetShaper *net_shaper_new(unsigned n_channels, const NetShaperOwner *owner);
void net_shaper_free(NetShaper *shaper); /* NULL is allowed */

/* "add-device" and "tell-device" say
 *     bandwidth    bool: false; the keys below are all limits, in bytes
 *     in-rate      u64: a second, to the guest; 0, no limit
 *     in-peak      u64: a second, in a burst; 0, as fast as it goes
 *     in-burst     u64: how much, in a burst; 0, a tenth of a second's worth
 *     out-rate, out-peak, out-burst: the same from the guest */
void net_shaper_read(NetShaper *shaper, VmmMsg *params);

void net_shaper_start(NetShaper *shaper, Loop *loop);
void net_shaper_stop(NetShaper *shaper);

/* Whether the packet of @size bytes that is next may pass; it may until net_shaper_passed() says that it has. */
bool net_shaper_may_pass(NetShaper *shaper, unsigned channel, bool out, size_t size);
void net_shaper_passed(NetShaper *shaper, unsigned channel, bool out);
