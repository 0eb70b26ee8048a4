/* api-node: members of org.libvirt.Connect about the host. */
#pragma once

#include "daemon/call.h"

void api_node_cpu_map(Call *call);
void api_node_cpu_stats(Call *call);
void api_node_free_memory(Call *call);
/* org.vmctl.Connect */
void api_node_info(Call *call);
void api_node_memory_parameters(Call *call);
void api_node_set_memory_parameters(Call *call);
void api_node_memory_stats(Call *call);
void api_node_security_model(Call *call);
