/* cpus: the descriptions of CPUs in a file. */
#pragma once

#include <glib.h>

/* Each CPU in the file @path as a document of its own, NULL behind the last, for g_strfreev(): the <cpu> elements, and
 * those within domains, capabilities of hosts, and host-models of domains' capabilities, of which it can have any
 * number. NULL with CLI_ERROR where there is none. */
char **cpus_read(const char *path, GError **error);
