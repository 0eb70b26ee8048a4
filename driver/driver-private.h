/* driver-private: what a Driver is: for driver and driver-*. */
#pragma once

#include "driver/domain-private.h"
#include "driver/driver.h"

struct Driver {
    DomainHost host;
    char *hostname;
    int lock_fd;
    HostObjects *objects;
    gboolean settling; /* the test driver's domain is about to run */
};
