/* fake-alarm: stands in for hw/alarm.c, with a clock that moves when the test says so. */
#pragma once

#include "qemu-kvm-backend/hw/alarm.h"

/* Nanoseconds; the same for every clock. */
extern uint64_t fake_now_ns;

/* Moves the clock on, and rings the alarms on the way at their times. Returns how many rang. */
unsigned fake_advance(uint64_t ns);
/* Whether any alarm is set. */
bool fake_alarm_is_set(void);
