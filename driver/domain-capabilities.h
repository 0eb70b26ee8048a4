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
