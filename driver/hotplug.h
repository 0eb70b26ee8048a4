/* hotplug: devices that come, go and change, in a running guest, in its definition, or in both.
 */
#pragma once

#include "driver/domain-private.h"

/* The VMM's event: a device is gone. */
void hotplug_removed(Domain *domain, VmmMsg *event);
/* The guest is over: nobody waits for it to let go of anything. */
void hotplug_forget(Domain *domain);
