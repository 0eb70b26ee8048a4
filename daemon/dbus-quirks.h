/* dbus-quirks: what libvirt-dbus does oddly and its clients have come to need.
 *
 * It wraps each value of an a{sv} twice, in Properties.GetAll and wherever libvirt has typed
 * parameters: {'Id': <<uint32 1>>}. cockpit-machines fails on the plain form.
 */
#pragma once

#include <glib.h>

/* Whether @interface has the oddities: libvirt's own do. */
gboolean dbus_quirks_apply(const char *interface);
/* @value, a tuple, with each v in an a{sv} wrapped once more, at any depth; floating. */
GVariant *dbus_quirks_wrap(GVariant *value);
