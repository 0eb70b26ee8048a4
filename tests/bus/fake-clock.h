/* fake-clock: the clock of the fake guest: fake=clock sets it 20 seconds on when it boots and when it is reset,
 * fake=clock-quiet does the same, and only says so when it is asked.
 */
#pragma once

#include "tests/bus/fake-guest.h"

/* What "create" says of it. */
void fake_clock_create(Fake *fake, VmmMsg *create);
/* The guest has booted, or was reset. */
void fake_clock_boot(Fake *fake);
/* Answers a "tell-device". */
void fake_clock_tell(Fake *fake, VmmMsg *request);
