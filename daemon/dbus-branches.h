/* dbus-branches: what is below a root: a branch for each kind of object, and on it one node for each of them. */
#pragma once

#include "daemon/dbus-root.h"

/* On the root's bus. After FALSE, too, they are to be unregistered. */
gboolean dbus_branches_register(DbusRoot *root, GError **error);
void dbus_branches_unregister(DbusRoot *root);
