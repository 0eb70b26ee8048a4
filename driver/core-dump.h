/* core-dump: virDomainCoreDumpWithFormat(), of the test driver's guests alone: a file that tells what made it, and no
 * memory, for there is none.
 */
#pragma once

#include "driver/domain.h"

/* @format: virDomainCoreDumpFormat; @flags: VIR_DUMP_*. */
void domain_core_dump(Domain *domain, const char *path, guint format, guint flags, DomainDone done,
                      gpointer data);
