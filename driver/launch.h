/* launch: one start of one guest, from its definition to its first instruction. */
#pragma once

#include "driver/domain-private.h"

typedef struct Launch Launch;

/* Starts @domain with a copy of @def, paused where @flags has VIR_DOMAIN_START_PAUSED. The domain is
 * running when @done says so; on an error nothing of the attempt is left. */
void launch_begin(Domain *domain, const DomainDef *def, guint flags, DomainDone done,
                  gpointer data);

/* What the guest's process tells while domain->launch is set. */
void launch_event(Launch *launch, VmmMsg *event);
void launch_exited(Launch *launch);
/* Gives up: the process is ended, @done gets an error. */
void launch_abort(Launch *launch);
/* The same without waiting for the process to be gone: the daemon stops. */
void launch_drop(Launch *launch);
