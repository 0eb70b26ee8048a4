/* launch: one start of one guest, from its definition to its first instruction. */
#pragma once

#include "driver/domain-private.h"

typedef struct Launch Launch;

/* What is started, and how. */
typedef struct LaunchPlan {
    const DomainDef *def; /* copied */
    guint flags;          /* VIR_DOMAIN_START_PAUSED and VIR_DOMAIN_START_RESET_NVRAM */
    gboolean
        restore; /* not booted, but made of what is in @state, a VMM's stream; then it is paused */
    int state;   /* from where it stands; borrowed */
    gboolean from_snapshot; /* the domain goes back to one, and the news say so */
} LaunchPlan;

/* Starts @domain. It is running, or paused, when @done says so; on an error nothing of the attempt is left. */
void launch_begin(Domain *domain, const LaunchPlan *plan, DomainDone done, gpointer data);

/* What the guest's process tells while domain->launch is set. */
void launch_event(Launch *launch, VmmMsg *event);
void launch_exited(Launch *launch);
/* The process has hung up: a restore, whose end it would have told, fails. */
void launch_lost(Launch *launch);
/* Gives up: the process is ended, @done gets an error. */
void launch_abort(Launch *launch);
/* The same without waiting for the process to be gone: the daemon stops. One that runs already is left to the next. */
void launch_drop(Launch *launch);
