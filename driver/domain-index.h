/* domain-index: what the definitions are, in one file, so that a starting daemon need not read them all.
 *
 * STATE_DIR/domains.index is a cache and nothing more: it names each definition's file by inode, size and time of its
 * last change, and a file that is not the very one is read. It may be missing, old or damaged. It is written some
 * seconds after a change, and when the daemon ends.
 */
#pragma once

#include "driver/domain-private.h"

typedef struct DomainIndex DomainIndex;

/* The index as the last daemon left it. */
DomainIndex *domain_index_load(const char *state_dir);
void domain_index_free(DomainIndex *index);
/* The brief of @uuid's definition, the caller's; NULL where the file with @stamp has to be read. */
DomainBrief *domain_index_take(DomainIndex *index, const char *uuid, const StoreStamp *stamp);

/* From now on the host's list is what is written, when domain_index_changed() says that it differs. */
void domain_index_serve(DomainIndex *index, DomainHost *host);
/* The definition of @domain is another one, or none any more. */
void domain_index_changed(Domain *domain);
/* The same of no domain in particular. */
void domain_index_save_later(DomainIndex *index);
/* Writes it now, where it has changed. */
void domain_index_save(DomainIndex *index);
