/* alarm: a device's one-shot timer, and the clock that it goes by.
 *
 * Unlike the loop's own timers it counts nanoseconds and may be set by any thread: devices set it
 * from register accesses, which are the vCPUs'.
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

typedef struct Alarm Alarm;
typedef void (*AlarmFn)(void *data);

/* @fn is called in the main thread with @lock held; it may come early (the host's clock was set, or
 * the alarm was set anew while it was ringing), so it looks at alarm_now() and sets the alarm
 * again.
 * @clock: CLOCK_REALTIME, CLOCK_MONOTONIC or CLOCK_MONOTONIC_RAW. NULL with @err. */
Alarm *alarm_new(Loop *loop, clockid_t clock, pthread_mutex_t *lock, AlarmFn fn, void *data,
                 VmmError *err);
void alarm_free(Alarm *alarm);

/* Nanoseconds of the alarm's clock; any thread. */
uint64_t alarm_now(const Alarm *alarm);
/* Rings at @at_ns of that clock, at once if that has passed; 0: never. Any thread, with the lock.
 */
void alarm_set(Alarm *alarm, uint64_t at_ns);
