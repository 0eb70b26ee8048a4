/* api-stats: the statistics of all domains, as libvirt-dbus tells them and in columns. */
#pragma once

#include "daemon/call.h"

void api_stats_all(Call *call);
void api_stats_columns(Call *call); /* of org.vmctl.Connect */
