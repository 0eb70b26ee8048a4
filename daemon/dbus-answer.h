/* dbus-answer: what has been worked out goes back to the client, as libvirt-dbus would send it. */
#pragma once

#include <gio/gio.h>

/* Both answer @invocation, a GDBusMethodInvocation that is not to be used after it: the functions of a
 * CallFace. */
void dbus_reply(gpointer invocation, GVariant *result, int fd);
void dbus_fail(gpointer invocation, const GError *error);
