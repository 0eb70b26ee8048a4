/* fake-requests: what the driver may ask of the fake VMM. */
#pragma once

#include "tests/bus/fake-guest.h"

/* Answers @request. */
void fake_serve(Fake *fake, VmmMsg *request);
