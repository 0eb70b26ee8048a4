/* api-snapshot: the methods of org.libvirt.Domain about a domain's snapshots; those of a snapshot are in the same file. */
#pragma once

#include "daemon/call.h"

void api_list_snapshots(Call *call);
void api_snapshot_create(Call *call);
void api_snapshot_current(Call *call);
void api_snapshot_lookup(Call *call);
