/* dbus-events: what happens to domains, as signals on the bus. */
#pragma once

#include "daemon/dbus.h"

/* What to give to driver_new() for @root, which has to outlive the driver. */
DriverEvents dbus_events(DbusRoot *root);
