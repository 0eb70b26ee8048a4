#include "qemu-kvm-backend/hw/alarm.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull

struct Alarm {
    int fd; /* a timerfd, because the kernel takes its settings from any thread */
    LoopSource *source;
    clockid_t clock;
    pthread_mutex_t *lock;
    AlarmFn fn;
    void *data;
    uint64_t at_ns; /* as set, so that setting it again costs no system call */
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static void
ring(void *data, uint32_t events)
{
    Alarm *alarm = data;
    uint64_t n;

    pthread_mutex_lock(alarm->lock);
    if (read(alarm->fd, &n, sizeof(n)) == sizeof(n)) {
        alarm->at_ns = 0;
        alarm->fn(alarm->data);
    }
    pthread_mutex_unlock(alarm->lock);
}

/* The raw clock, which goes exactly with the TSC, has no timers: the one that NTP steers is near
 * enough to wake up by. */
static clockid_t
timer_clock(clockid_t clock)
{
    return clock == CLOCK_MONOTONIC_RAW ? CLOCK_MONOTONIC : clock;
}

Alarm *
alarm_new(Loop *loop, clockid_t clock, pthread_mutex_t *lock, AlarmFn fn, void *data, VmmError *err)
{
    Alarm *alarm = vmm_must(calloc(1, sizeof(*alarm)));

    alarm->clock = clock;
    alarm->lock = lock;
    alarm->fn = fn;
    alarm->data = data;
    alarm->fd = timerfd_create(timer_clock(clock), TFD_NONBLOCK | TFD_CLOEXEC);
    if (alarm->fd >= 0)
        alarm->source = loop_add_fd(loop, alarm->fd, EPOLLIN, ring, alarm);
    if (alarm->source)
        return alarm;
    vmm_error_errno(err, "Cannot make a timer");
    alarm_free(alarm);
    return NULL;
}

void
alarm_free(Alarm *alarm)
{
    if (!alarm)
        return;
    loop_source_free(alarm->source);
    if (alarm->fd >= 0)
        close(alarm->fd);
    free(alarm);
}

uint64_t
alarm_now(const Alarm *alarm)
{
    return clock_ns(alarm->clock);
}

void
alarm_set(Alarm *alarm, uint64_t at_ns)
{
    struct itimerspec timer = { 0 };
    uint64_t at = at_ns;

    if (at_ns == alarm->at_ns)
        return;
    alarm->at_ns = at_ns;
    if (at && alarm->clock == CLOCK_MONOTONIC_RAW)
        at += clock_ns(CLOCK_MONOTONIC) - clock_ns(CLOCK_MONOTONIC_RAW);
    timer.it_value.tv_sec = at / NS_PER_S;
    timer.it_value.tv_nsec = at % NS_PER_S;
    if (timerfd_settime(alarm->fd, TFD_TIMER_ABSTIME, &timer, NULL) < 0)
        assert(!"an alarm's time is valid");
}
