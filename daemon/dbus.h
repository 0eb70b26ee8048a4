/* dbus: the bus face of one driver: its root object and the domain objects below it.
 *
 * The names, signatures and manners are those of libvirt-dbus, whose clients are to work
 * unmodified; dbus-quirks has the odd ones.
 */
#pragma once

#include "daemon/dbus-access.h"
#include "driver/driver.h"

#include <gio/gio.h>

typedef struct DbusRoot DbusRoot;

/* Puts the objects at @path ("/org/libvirt/QEMU") and below on @bus. Calls are taken from the main
 * context, so a driver must be there before that runs again: dbus_root_set_driver(). */
DbusRoot *dbus_root_new(GDBusConnection *bus, const char *path, GError **error);
void dbus_root_set_driver(DbusRoot *root, Driver *driver); /* borrowed */
/* Has every call checked by @access, which is taken over. Before any call comes. */
void dbus_root_set_access(DbusRoot *root, Access *access);
void dbus_root_free(DbusRoot *root);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DbusRoot, dbus_root_free)

GDBusConnection *dbus_root_bus(const DbusRoot *root);
const char *dbus_root_path(const DbusRoot *root);
