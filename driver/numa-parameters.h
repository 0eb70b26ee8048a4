/* numa-parameters: on which of the host's NUMA nodes a domain's RAM is, read and changed (virDomainGetNumaParameters,
 * virDomainSetNumaParameters): <numatune>, and the guest that runs.
 */
#pragma once

#include "driver/domain.h"

/* a{sv}, floating; @flags: VIR_DOMAIN_AFFECT_* and VIR_TYPED_PARAM_STRING_OKAY. */
GVariant *domain_numa_parameters(const Domain *domain, guint flags, GError **error);
/* A guest that runs has its pages moved to the new nodes, as far as the host can; how it has them does not change. */
void domain_set_numa_parameters(Domain *domain, GVariant *params, guint flags, DomainDone done,
                                gpointer data);
