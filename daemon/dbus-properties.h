/* dbus-properties: org.freedesktop.DBus.Properties for what the tables of the api have. */
#pragma once

#include "daemon/api.h"

#include <gio/gio.h>

/* Answers @invocation, of whose call GDBus has checked that the interface and the property are there, that it
 * may be read or written and that a value to write has its type. @object is NULL where @error says why. */
void dbus_properties_call(GDBusMethodInvocation *invocation, const ApiObject *object,
                          const GError *error);
