/* api-test: methods that the test driver alone has, or lacks, as libvirt's does. */
#pragma once

#include "daemon/call.h"

void api_test_core_dump(Call *call);
void api_test_create_with_files(Call *call);
void api_test_send_process_signal(Call *call);
/* VIR_ERR_NO_SUPPORT with the method's function. */
void api_test_not_supported(Call *call);
