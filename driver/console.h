/* console: byte streams between clients and the ptys of a running guest.
 *
 * The daemon stands between, so that there is one session a device, a second one can take over, and a
 * client never holds the guest's terminal itself.
 */
#pragma once

#include "driver/domain-def.h"

typedef struct ConsoleSet ConsoleSet;

ConsoleSet *console_set_new(void);
/* Ends all sessions: clients read the end of the stream. NULL is allowed. */
void console_set_free(ConsoleSet *set);

/* One end of a new socket pair, the caller's, or -1. @device: see domain_open_console(). */
int console_open(ConsoleSet *set, const DomainDef *def, const char *device, gboolean force,
                 GError **error);
