/* device-watchdog: <watchdog>: a timer that acts on a guest which has stopped feeding it. */
#pragma once

#include "driver/device.h"

extern const DeviceKind device_watchdog;

/* The number (virDomainEventWatchdogAction) of what the VMM calls @action, or -1. */
int device_watchdog_event(const char *action);
