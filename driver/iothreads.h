/* iothreads: the I/O threads of a domain: what there are, and how they come, go and change, in the guest that runs and in
 * the definition. A disk says which one serves it when it is attached.
 */
#pragma once

#include "driver/domain.h"
#include "driver/vmm-link.h"

/* Floating a(uab): their numbers, and the host's CPUs that each may run on; @flags: VIR_DOMAIN_AFFECT_*, as below. */
GVariant *domain_iothreads(const Domain *domain, guint flags, GError **error);

void domain_add_iothread(Domain *domain, guint id, guint flags, DomainDone done, gpointer data);
/* Not one that serves a disk. */
void domain_del_iothread(Domain *domain, guint id, guint flags, DomainDone done, gpointer data);
/* @map: ab, a boolean for each of the host's CPUs. */
void domain_pin_iothread(Domain *domain, guint id, GVariant *map, guint flags, DomainDone done,
                         gpointer data);
/* @params: a{sv} of VIR_DOMAIN_IOTHREAD_*: how it looks for events, of a guest that runs alone; and how many threads a
 * disk has for its calls that is opened from now on. */
void domain_set_iothread(Domain *domain, guint id, GVariant *params, guint flags, DomainDone done,
                         gpointer data);

/* For what makes a guest: how a thread looks for events at first; a request that is about thread @id. */
IoThreadPoll iothread_first_poll(void);
VmmMsg *iothread_request(VmmLink *link, const char *verb, guint id);
/* Whether it can be a thread's number at all. */
gboolean iothread_check_id(guint id, GError **error);
/* For a daemon that was restarted: asks how they look for events. */
void iothreads_refresh(Domain *domain);
