/* complete: what the word that is being typed may become. */
#pragma once

#include "cli/session.h"

/* The words that @word can grow to, where @before is the line in front of it: commands first, then the
 * command's options, then the names of what it is about. Sorted, for g_strfreev(); empty: no proposal, as for
 * files. */
char **complete(Session *session, const char *before, const char *word);
