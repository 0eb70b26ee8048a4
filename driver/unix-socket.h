/* unix-socket: sockets that have a path, of any length: an address has room for 107 bytes only, and a session's
 * directories can be anywhere.
 *
 * @type is SOCK_STREAM or SOCK_SEQPACKET. Descriptors are non-blocking; -1 with @error.
 */
#pragma once

#include <glib.h>

/* Listens at @path. A socket that an earlier run left there goes; nothing else is touched. */
int unix_socket_listen(const char *path, int type, int backlog, GError **error);
int unix_socket_connect(const char *path, int type, GError **error);
/* Removes what is at @path, where it is a socket; FALSE and errno where it stays. */
gboolean unix_socket_remove(const char *path);
