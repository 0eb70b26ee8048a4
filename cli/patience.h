/* patience: a call that takes long, shown to the person who waits for it. */
#pragma once

#include <gio/gio.h>

/* g_dbus_connection_call_sync() without a limit of time. Where it takes more than a second, a line on the terminal counts
 * the seconds, behind @label, until it is over; where nobody looks there is none. */
GVariant *patience_call(GDBusConnection *bus, const char *label, const char *name, const char *path,
                        const char *interface, const char *method, GVariant *parameters,
                        const GVariantType *reply_type, GError **error);
