#include "tests/unit/fake-alarm.h"

#include <glib.h>

struct Alarm {
    pthread_mutex_t *lock;
    AlarmFn fn;
    void *data;
    uint64_t at_ns;
};

uint64_t fake_now_ns;
static GPtrArray *alarms;

Alarm *
alarm_new(Loop *loop, clockid_t clock, pthread_mutex_t *lock, AlarmFn fn, void *data, VmmError *err)
{
    Alarm *alarm = g_new0(Alarm, 1);

    alarm->lock = lock;
    alarm->fn = fn;
    alarm->data = data;
    if (!alarms)
        alarms = g_ptr_array_new();
    g_ptr_array_add(alarms, alarm);
    return alarm;
}

void
alarm_free(Alarm *alarm)
{
    if (alarm)
        g_ptr_array_remove(alarms, alarm);
    g_free(alarm);
}

uint64_t
alarm_now(const Alarm *alarm)
{
    return fake_now_ns;
}

void
alarm_set(Alarm *alarm, uint64_t at_ns)
{
    alarm->at_ns = at_ns;
}

static Alarm *
first_until(uint64_t end)
{
    Alarm *first = NULL;

    for (unsigned i = 0; i < alarms->len; i++) {
        Alarm *alarm = alarms->pdata[i];

        if (alarm->at_ns && alarm->at_ns <= end && (!first || alarm->at_ns < first->at_ns))
            first = alarm;
    }
    return first;
}

unsigned
fake_advance(uint64_t ns)
{
    uint64_t end = fake_now_ns + ns;
    unsigned n = 0;
    Alarm *alarm;

    while ((alarm = first_until(end))) {
        fake_now_ns = MAX(fake_now_ns, alarm->at_ns);
        alarm->at_ns = 0;
        pthread_mutex_lock(alarm->lock);
        alarm->fn(alarm->data);
        pthread_mutex_unlock(alarm->lock);
        n++;
    }
    fake_now_ns = end;
    return n;
}

bool
fake_alarm_is_set(void)
{
    return first_until(UINT64_MAX) != NULL;
}
