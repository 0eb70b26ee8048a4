/* broker: programs that connect for a VMM, which must not: vmctl-vsock and vmctl-connect. One that was started ends when
 * nobody has the other end of its connection any longer, so with its guest, whatever becomes of the driver. */
#pragma once

#include <glib.h>

/* Starts @argv with its end of a SOCK_SEQPACKET socket pair as descriptor 3, and @fd, where it is not -1, as 4. Returns the
 * other end, which is the caller's; -1 with @error. */
int broker_start(const char *const *argv, int fd, GError **error);
