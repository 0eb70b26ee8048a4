/* hostinfo: what the host is, for capabilities and node information. */
#pragma once

#include <glib.h>

/* Online processors, and RAM in KiB. */
guint hostinfo_cpus(void);
guint64 hostinfo_memory_kib(void);
/* A uuid that stays the same for this host: from its machine-id, as far as there is one. */
void hostinfo_uuid(char ret[37]);
