/* api-domain-save: members of org.libvirt.Domain about saving, and about the job that does it. */
#pragma once

#include "daemon/call.h"

void api_domain_save(Call *call);
void api_domain_managed_save(Call *call);
void api_domain_has_managed_save(Call *call);
void api_domain_managed_save_remove(Call *call);
void api_domain_job_info(Call *call);
void api_domain_job_stats(Call *call);
void api_domain_abort_job(Call *call);
void api_domain_control_info(Call *call);

/* Of org.vmctl.Domain. */
void api_domain_managed_save_xml(Call *call);
void api_domain_managed_save_define(Call *call);

/* Of org.libvirt.Connect. */
void api_connect_restore(Call *call);
void api_connect_save_image_xml(Call *call);
void api_connect_save_image_define(Call *call);
