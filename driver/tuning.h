/* tuning: how much of the host a domain may have, read and changed: libvirt's scheduler, memory and block I/O
 * parameters, live and in the definition.
 */
#pragma once

#include "driver/domain.h"

/* One family of parameters. */
typedef struct Tuning Tuning;
extern const Tuning tuning_memory;    /* virDomain*MemoryParameters */
extern const Tuning tuning_blkio;     /* virDomain*BlkioParameters */

/* virDomain*SchedulerParametersFlags. */
const Tuning *domain_scheduler(const Domain *domain);

/* a{sv}, floating; @flags: VIR_DOMAIN_AFFECT_* and VIR_TYPED_PARAM_STRING_OKAY. */
GVariant *domain_tuning_get(const Domain *domain, const Tuning *tuning, guint flags,
                            GError **error);
/* The ones in @params; either all are set or, but for what the kernel refuses half way, none. */
void domain_tuning_set(Domain *domain, const Tuning *tuning, GVariant *params, guint flags,
                       DomainDone done, gpointer data);

/* virDomainGetSchedulerType: its name, and how many parameters there are. */
const char *domain_scheduler_type(const Domain *domain);
int domain_scheduler_parameter_count(const Domain *domain);
