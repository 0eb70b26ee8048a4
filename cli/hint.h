/* hint: after an error, the command that helps: "hint: vmctl start web". For people alone: what a script reads is
 * virsh's, word for word. */
#pragma once

#include "cli/args.h"

/* The hint for a command that failed with @complaints, all lines that it has said, or NULL; where @args is NULL, it was
 * not understood. For g_free(). */
char *hint_for(const char *complaints, const Args *args);
