/* device-memballoon: <memballoon>: how a guest's RAM is given back to the host while it runs, and the
 * guest's own figures about it. A guest has one unless the document says model='none'.
 */
#pragma once

#include "driver/device.h"

#define MEMBALLOON_PERIOD_MAX 86400 /* seconds between two reports */

extern const DeviceKind device_memballoon;

/* The balloon of a definition; NULL where it has none. */
Device *device_memballoon_find(const GPtrArray *devices);
/* Seconds between two reports of statistics; 0: there are none. */
guint device_memballoon_period(const Device *dev);
void device_memballoon_set_period(Device *dev, guint period_s);
