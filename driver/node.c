#include "driver/node.h"

#include "driver/error.h"
#include "driver/flags.h"
#include "driver/test-default.h"

#include <libvirt/libvirt.h>

void
node_info(Driver *driver, HostNode *ret)
{
    if (driver_is_simulated(driver))
        *ret = test_default_node;
    else
        hostinfo_node(ret);
}

GArray *
node_cpu_map(Driver *driver, guint flags, GError **error)
{
    GArray *map;

    if (!driver_check_flags(flags, 0, "virNodeGetCPUMap", error))
        return NULL;
    if (!driver_is_simulated(driver))
        return hoststats_cpu_map(error);
    map = g_array_new(FALSE, TRUE, sizeof(gboolean));
    g_array_set_size(map, TEST_DEFAULT_CPUS);
    hoststats_parse_cpu_list(TEST_DEFAULT_ONLINE, map);
    return map;
}

/* libvirt's test driver says the same of each. */
gboolean
node_cpu(Driver *driver, int cpu, guint flags, HostCpuTimes *ret, GError **error)
{
    if (!driver_check_flags(flags, 0, "virNodeGetCPUStats", error))
        return FALSE;
    if (!driver_is_simulated(driver))
        return hoststats_cpu(cpu, ret, error);
    *ret = test_default_cpu;
    return TRUE;
}

gboolean
node_free_memory(Driver *driver, guint64 *ret_bytes, GError **error)
{
    HostMemory memory;

    if (driver_is_simulated(driver)) {
        *ret_bytes = TEST_DEFAULT_FREE_MEMORY;
        return TRUE;
    }
    if (!hoststats_memory(VIR_NODE_MEMORY_STATS_ALL_CELLS, &memory, error))
        return FALSE;
    *ret_bytes = memory.free * 1024;
    return TRUE;
}

gboolean
node_memory(Driver *driver, int cell, guint flags, HostMemory *ret, GError **error)
{
    if (driver_is_simulated(driver))
        return driver_error(error, VIR_ERR_NO_SUPPORT, "virNodeGetMemoryStats");
    return driver_check_flags(flags, 0, "virNodeGetMemoryStats", error) &&
           hoststats_memory(cell, ret, error);
}

/* Guests are confined by what the kernel gives every process, not by a labelling module. */
void
node_security_model(Driver *driver, const char **ret_model, const char **ret_doi)
{
    gboolean simulated = driver_is_simulated(driver);

    *ret_model = simulated ? TEST_DEFAULT_SECURITY_MODEL : "none";
    *ret_doi = simulated ? "" : "0";
}
