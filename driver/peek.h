/* peek: a look at what a guest has in its memory.
 */
#pragma once

#include "driver/domain.h"

/* virDomainMemoryPeek(): the result is ay. @flags is VIR_MEMORY_PHYSICAL, or VIR_MEMORY_VIRTUAL for an address of the
 * first vCPU. It waits for no job. */
#define MEMORY_PEEK_MAX (4u << 20) /* libvirt's limit on the wire, and the VMM's */
void domain_memory_peek(Domain *domain, guint64 address, guint64 size, guint flags,
                        DomainReply done, gpointer data);
