/* api-list: which domains there are, in the words of libvirt-dbus and in those of our own. */
#pragma once

#include "daemon/call.h"

void api_list_domains(Call *call);

/* Of org.vmctl.Connect. */
void api_list_all_domains(Call *call);
void api_list_all_titles(Call *call);
void api_list_columns(Call *call);
