/* api-agent: methods of a domain that its guest agent carries out: for the tables of api-domain and api-vmctl. */
#pragma once

#include "daemon/call.h"

void api_fs_freeze(Call *call);
void api_fs_thaw(Call *call);
void api_fs_trim(Call *call);
void api_get_fs_info(Call *call);
void api_get_guest_info(Call *call);
void api_get_guest_vcpus(Call *call);
void api_set_guest_vcpus(Call *call);
void api_get_hostname(Call *call);
void api_get_time(Call *call);
void api_set_time(Call *call);
void api_set_user_password(Call *call);
void api_pm_suspend(Call *call);
void api_get_ssh_keys(Call *call);
void api_set_ssh_keys(Call *call);
void api_interface_addresses(Call *call);
void api_agent_command(Call *call);
void api_agent_set_timeout(Call *call);
