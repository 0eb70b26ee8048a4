/* unit-requests: what the units of guests ask of the driver. */
#pragma once

#include "driver/domain-private.h"
#include "driver/units.h"

/* Serves units for the domains of @host, which outlives them. */
Units *unit_requests_serve(DomainHost *host, int fd, const UnitManager *manager);
