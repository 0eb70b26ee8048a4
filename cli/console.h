/* console: the user's terminal, joined to a guest's serial line. */
#pragma once

#include "cli/domain.h"

/* Opens the console @device (NULL: the first) of @domain; @flags are VIR_DOMAIN_CONSOLE_*. The descriptor is
 * the caller's; -1 with the daemon's error. */
int console_open(Domain *domain, const char *device, guint flags, GError **error);
/* Says that @domain is connected and carries bytes both ways until the guest closes the line or the user
 * types the session's escape character. Takes @fd over. Without a terminal, the end of the input ends only
 * the sending. FALSE with @error when a byte could not be carried. */
gboolean console_run(Session *session, Domain *domain, int fd, GError **error);
