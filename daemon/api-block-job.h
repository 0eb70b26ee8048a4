/* api-block-job: methods of org.libvirt.Domain about jobs on its disks. */
#pragma once

#include "daemon/call.h"

void api_get_block_job_info(Call *call);
void api_block_job_abort(Call *call);
void api_block_job_set_speed(Call *call);
