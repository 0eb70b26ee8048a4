/* private-daemon: a vmctld of this process alone, with libvirt's test driver: as virsh has it in its own process, it
 * is fresh each time, and ends when vmctl does. It needs no bus.
 *
 * The program is the vmctld beside vmctl, as in a build tree, or the one that was installed.
 */
#pragma once

#include <gio/gio.h>

/* Starts it and connects to it; NULL with @error. */
GDBusConnection *private_daemon_start(GError **error);
