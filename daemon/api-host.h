/* api-host: the members of a connection that list, find and make networks, pools, interfaces and devices of the host. What
 * each of these can do is in api-host-objects.c.
 */
#pragma once

#include "daemon/call.h"

/* Which kind and by what tells the member's name. */
void api_host_list(Call *call);
void api_host_lookup(Call *call);
void api_host_define(Call *call);
void api_host_create(Call *call);
void api_host_find_pool_sources(Call *call);
void api_host_create_device(Call *call);
/* Changes of interfaces. */
void api_host_begin(Call *call);
void api_host_commit(Call *call);
void api_host_roll_back(Call *call);
