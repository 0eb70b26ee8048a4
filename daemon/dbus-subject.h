/* dbus-subject: what a call on the bus is about, and what it takes to make it. */
#pragma once

#include "daemon/api.h"
#include "daemon/dbus-root.h"

/* What @path is: the root itself, or a domain or another object that is looked up anew for each call. FALSE with @error:
 * it is not there. */
gboolean dbus_find_object(const DbusRoot *root, const char *path, ApiObject *ret, GError **error);

gboolean dbus_is_properties(const char *interface);
/* NULL: it is about properties. */
const Method *dbus_method_of(GDBusMethodInvocation *invocation);

/* What access_check() is to be asked before it is served. */
AccessRequest dbus_request_of(const DbusRoot *root, GDBusMethodInvocation *invocation);
/* The set of domains that its answer may tell of, of those that there were when that was asked; NULL: all. */
GHashTable *dbus_visible(gpointer invocation);
/* Whose document or file it was when the access check looked, borrowed; NULL: it did not. For a CallFace. */
const DomainIdentity *dbus_checked(gpointer invocation);
