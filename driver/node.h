/* node: the host as a driver's clients are told of it: the one that it is on, or the one that libvirt's test driver
 * makes up.
 */
#pragma once

#include "driver/driver.h"
#include "driver/hostinfo.h"
#include "driver/hoststats.h"

/* virNodeGetInfo. */
void node_info(Driver *driver, HostNode *ret);
/* virNodeGetCPUMap: a gboolean for each processor that is present: whether it is online. Free with g_array_unref(). */
GArray *node_cpu_map(Driver *driver, guint flags, GError **error);
/* virNodeGetCPUStats. */
gboolean node_cpu(Driver *driver, int cpu, guint flags, HostCpuTimes *ret, GError **error);
/* virNodeGetFreeMemory. */
gboolean node_free_memory(Driver *driver, guint64 *ret_bytes, GError **error);
/* virNodeGetMemoryStats. */
gboolean node_memory(Driver *driver, int cell, guint flags, HostMemory *ret, GError **error);
/* virNodeGetSecurityModel: a model's name and the domain of its labels. */
void node_security_model(Driver *driver, const char **ret_model, const char **ret_doi);
