/* restore: a guest that was saved goes on (virDomainRestore, and the start of a domain with a managed save). */
#pragma once

#include "driver/restore-source.h"
#include "driver/verb.h"

/* virDomainRestoreFlags: starts @domain, which does not run, of @source, which it takes over. */
void restore_domain(Domain *domain, RestoreSource *source, guint flags, DomainDone done,
                    gpointer data);
/* The start of a domain, which is not active: FALSE where it is to boot instead; else it sees to @verb. */
gboolean restore_managed(Verb *verb);
