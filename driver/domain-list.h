/* domain-list: all domains, by uuid, by name and, while they run, by id. */
#pragma once

#include "driver/domain.h"

typedef struct DomainList DomainList;

DomainList *domain_list_new(void);
void domain_list_free(DomainList *list);

/* Adds @domain and holds a reference; neither its uuid nor its name is in the list yet. */
void domain_list_add(DomainList *list, Domain *domain);
void domain_list_remove(DomainList *list, Domain *domain);
/* @domain was called @old_name before; its new name is not in the list yet. */
void domain_list_renamed(DomainList *list, Domain *domain, const char *old_name);
/* After a start or the end of a run: @id is the new one, -1 for none. */
void domain_list_set_id(DomainList *list, Domain *domain, int old_id, int id);

/* Borrowed, or NULL. */
Domain *domain_list_find_uuid(DomainList *list, const char *uuid);
Domain *domain_list_find_name(DomainList *list, const char *name);
Domain *domain_list_find_id(DomainList *list, int id);

/* Whether the guest of another domain than @but, which runs or is about to, has the vsock address @cid. */
gboolean domain_list_has_cid(DomainList *list, const Domain *but, guint cid);

/* Those that pass the VIR_CONNECT_LIST_DOMAINS_* filter, ordered by name, each with a reference. */
GPtrArray *domain_list_filter(DomainList *list, guint flags);
