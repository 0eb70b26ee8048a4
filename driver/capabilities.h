/* capabilities: what this host and this driver can run, as virConnectGetCapabilities tells it. */
#pragma once

#include "driver/env.h"

/* The document; free with g_free(). It names no list of machines on purpose: virt-install then leaves
 * out controllers that nobody asked for. */
char *capabilities_format(const DriverEnv *env);
