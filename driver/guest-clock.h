/* guest-clock: what a guest makes of its clock: told to clients, and kept where its <clock> says that it is.
 */
#pragma once

#include "driver/domain-private.h"

/* The guest has set it: @news has the keys of the event "rtc-change". */
void guest_clock_heard(Domain *domain, VmmMsg *news);
/* Asks how far it is, which may have changed while no daemon listened. */
void guest_clock_refresh(Domain *domain);
