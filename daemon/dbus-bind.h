/* dbus-bind: domains that end when their client leaves the bus, VIR_DOMAIN_START_AUTODESTROY. A daemon that is started
 * anew knows of none. */
#pragma once

#include "driver/driver.h"

#include <gio/gio.h>

/* The guest that @domain has now is destroyed once the caller of @invocation, a GDBusMethodInvocation, is gone: the
 * function of a CallFace. */
void dbus_bind(gpointer invocation, Domain *domain);
