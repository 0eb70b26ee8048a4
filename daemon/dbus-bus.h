/* dbus-bus: the connection to the message bus and the name on it. */
#pragma once

#include <gio/gio.h>

/* Connects to the bus at @address, or where that is NULL to the system or the session bus. It is a
 * connection of the caller's own; NULL with @error. */
GDBusConnection *dbus_bus_open(const char *address, gboolean system, GError **error);
/* Calls @closed, in the main context, when the bus has gone away. */
void dbus_bus_watch(GDBusConnection *bus, void (*closed)(gpointer data), gpointer data);
/* Takes @name, or fails where somebody else has it. */
gboolean dbus_bus_own_name(GDBusConnection *bus, const char *name, GError **error);
