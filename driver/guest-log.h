/* guest-log: the log of a guest, NAME.log: what its process says, and when each run of it began and ended. It is only ever
 * appended to, so that it can be truncated or moved away at any time. */
#pragma once

#include "driver/env.h"

/* The log of @name with a line that says that it is about to start, open for its process and for reading; -1 with @error. */
int guest_log_open(const DriverEnv *env, const char *name, GError **error);
/* Its last line: shut off for @reason, a virDomainShutoffReason. A log that is gone stays so. */
void guest_log_end(const DriverEnv *env, const char *name, int reason);
