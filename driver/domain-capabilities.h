/* domain-capabilities: what a guest on this host can be, as virConnectGetDomainCapabilities tells it. */
#pragma once

#include "driver/env.h"

/* What a client asks about; NULL or "" is any. */
typedef struct DomainCapabilitiesQuery {
    const char *emulator, *arch, *machine, *virttype;
} DomainCapabilitiesQuery;

/* The document, free with g_free(); VIR_ERR_INVALID_ARG where there are no such guests here. */
char *domain_capabilities_format(const DriverEnv *env, const DomainCapabilitiesQuery *query,
                                 GError **error);
/* The names of CPU models, an array that NULL ends; g_strfreev() it. NULL with VIR_ERR_INVALID_ARG for another
 * architecture. */
char **domain_capabilities_models(const char *arch, GError **error);
