/* host-topology: the host's NUMA cells with their pages and processors, as libvirt's capabilities describe them, read
 * from sysfs (Linux, Documentation/ABI: sysfs-devices-node and sysfs-devices-system-cpu).
 */
#pragma once

#include "driver/cpuset.h"

#include <glib.h>

/* @sys: where sysfs is, "/sys" but in tests. What cannot be read is left out. */

/* The sizes of the host's pages, for <cpu>. */
void host_topology_put_pages(const char *sys, GString *out);
/* The host's nodes, by their numbers; a kernel without NUMA has node 0. */
CpuSet host_topology_nodes(const char *sys);
/* <cells>; a kernel without NUMA has one cell of all that there is. */
void host_topology_put_cells(const char *sys, GString *out);
