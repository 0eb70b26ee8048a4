/* hostinfo: what the host is, for capabilities and node information. */
#pragma once

#include <glib.h>

/* Online processors, and RAM in KiB. */
guint hostinfo_cpus(void);
guint64 hostinfo_memory_kib(void);
/* A uuid that stays the same for this host: from its machine-id, as far as there is one. */
void hostinfo_uuid(char ret[37]);

/* virNodeInfo: the kind of machine, RAM in KiB, processors that are online, their speed in MHz (0: not told), and how
 * they are arranged. Where they are not arranged evenly, as one socket in one node, as libvirt has it. */
typedef struct HostNode {
    char model[32];
    guint64 memory_kib;
    guint cpus, mhz, nodes, sockets, cores, threads;
} HostNode;
void hostinfo_node(HostNode *ret);
