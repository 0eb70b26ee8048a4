/* dbus-path: the object paths of domains: <root>/domain/_<uuid with _ for ->. */
#pragma once

#include "driver/domain.h"

/* The whole path, and its last part alone. Free with g_free(). */
char *dbus_path_of(const char *root, const Domain *domain);
char *dbus_path_node(const Domain *domain);
/* The uuid that @path below @root means, NULL for @root itself. The path may be any that a client
 * makes up: the result need not be a uuid. Free with g_free(). */
char *dbus_path_uuid(const char *root, const char *path);
