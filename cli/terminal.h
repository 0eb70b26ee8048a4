/* terminal: the user's terminal in raw mode, and back again whatever happens in between. */
#pragma once

#include <gio/gio.h>

/* Raw mode for @fd, a terminal: every byte goes through as it is. Until terminal_restore() the signals that
 * end or stop a process first put the terminal back, and a process that goes on after a stop makes it raw
 * again. One terminal at a time. FALSE with @error: nothing was changed. */
gboolean terminal_make_raw(int fd, GError **error);
/* As it was before; nothing to do is fine. */
void terminal_restore(void);
