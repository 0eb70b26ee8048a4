/* dbus-root: what the parts of a root on the bus share (dbus.h). */
#pragma once

#include "daemon/dbus-access.h"
#include "daemon/dbus-turns.h"
#include "driver/driver.h"

#include <gio/gio.h>

#define DBUS_BRANCHES 6

typedef struct DbusRoot DbusRoot; /* dbus.h, which does not show it */

struct DbusRoot {
    GDBusConnection *bus;
    char *path;
    Driver *driver;
    Access *access; /* NULL: whoever can call may do anything */
    Turns *turns;
    const GDBusInterfaceVTable *vtable; /* of every object */
    guint connect_id, vmctl_connect_id, branch_ids[DBUS_BRANCHES];
};
