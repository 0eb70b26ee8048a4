/* dbus-systemd: guests as units of systemd's, and as machines of machined's. */
#pragma once

#include "driver/driver.h"

#include <gio/gio.h>

typedef struct Systemd Systemd;

/* Talks on @bus, the system's; NULL: systemd is not there. */
Systemd *systemd_new(GDBusConnection *bus);
void systemd_free(Systemd *systemd);
/* What to give to driver_serve_units(). */
UnitManager systemd_manager(Systemd *systemd);
/* Whom to tell of units that fail; NULL: nobody any more. */
void systemd_set_driver(Systemd *systemd, Driver *driver);
