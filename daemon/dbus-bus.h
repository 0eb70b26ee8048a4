/* dbus-bus: the connection to the message bus and the name on it. */
#pragma once

#include <gio/gio.h>

/* Connects to the bus at @address, or where that is NULL to the system or the session bus. It is a
 * connection of the caller's own; NULL with @error. */
GDBusConnection *dbus_bus_open(const char *address, gboolean system, GError **error);
/* A connection to the one client that has the other end of the socket @fd, which it takes over. No call comes
 * before dbus_bus_start(). */
GDBusConnection *dbus_bus_open_peer(int fd, GError **error);
void dbus_bus_start(GDBusConnection *bus);
/* Calls @closed, in the main context, when the bus has gone away. */
void dbus_bus_watch(GDBusConnection *bus, void (*closed)(gpointer data), gpointer data);
/* Takes @name, or fails where somebody else has it. */
gboolean dbus_bus_own_name(GDBusConnection *bus, const char *name, GError **error);
