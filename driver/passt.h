/* passt: the program that gives a guest the network of the user who runs it, without any rights over the
 * host's: it speaks frames with the guest and sockets with the world.
 */
#pragma once

#include <glib.h>

/* Starts one for a single network card. @ret_fd is the connected stream socket on which it speaks: each
 * frame after its length in four bytes, big-endian. It ends when the last copy of that is closed. @mtu: in
 * bytes; 0: passt's own. */
gboolean passt_start(guint mtu, int *ret_fd, GError **error);
