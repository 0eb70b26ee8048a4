/* api-absent: the kinds of object that libvirt has and this driver keeps none of: volumes,
 * secrets and so on. Their lists are empty and what is looked up is not found, in
 * libvirt's words.
 */
#pragma once

#include "daemon/call.h"

void api_absent_list(Call *call);
void api_absent_lookup(Call *call);
