/* lifecycle-action: what becomes of a guest that powers off, reboots or crashes. */
#pragma once

#include "driver/domain.h"

/* virDomainSetLifecycleAction(): @type is a virDomainLifecycle, @action a virDomainLifecycleAction. */
void domain_set_lifecycle_action(Domain *domain, guint type, guint action, guint flags,
                                 DomainDone done, gpointer data);
