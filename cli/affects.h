/* affects: --live, --config, --current and --persistent: what of a domain a command changes. */
#pragma once

#include "cli/domain.h"

#define OPTIONS_AFFECTS                                                                            \
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },                       \
        { "live", OPTION_BOOL, 0, N_("in the guest that runs") },                                  \
    {                                                                                              \
        "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition")        \
    }
#define OPTION_PERSISTENT                                                                          \
    {                                                                                              \
        "persistent", OPTION_BOOL, 0, N_("in the definition, and in the guest where it runs")      \
    }

/* FALSE with an error when options were given that exclude each other. */
gboolean affects_check(const Args *args, GError **error);
/* The same, and VIR_DOMAIN_AFFECT_* for the options; @otherwise where none was given. */
gboolean affects_from_args(Domain *domain, const Args *args, guint otherwise, guint *ret,
                           GError **error);
