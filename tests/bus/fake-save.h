/* fake-save: the jobs of a fake VMM, whose state is the guest's command line, with its NUL, and once more where it
 * sleeps. */
#pragma once

#include "tests/bus/fake-guest.h"

/* Requests of the driver. */
void fake_save(Fake *fake, VmmMsg *request);
void fake_restore(Fake *fake, VmmMsg *request);
void fake_cancel_job(Fake *fake, VmmMsg *request);
