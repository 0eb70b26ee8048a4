/* verb: one call of one function that changes a domain: it waits for the domain's job, does its work in
 * steps that may wait for the VMM, and answers exactly once.
 */
#pragma once

#include "driver/domain-private.h"

#include <libvirt/virterror.h>

typedef struct Verb Verb;
struct Verb {
    Domain *domain;
    guint flags;
    gpointer detail; /* the function's own */
    GDestroyNotify detail_free;
    void (*begin)(Verb *verb);
    DomainDone done;
    gpointer data;
    gboolean patient; /* waits for the job as long as it takes: who asked sees to a limit */
};

/* Begins a copy of @verb, whose domain is borrowed, under the job @name, a literal. */
void verb_start(const char *name, const Verb *verb);
/* The same for a call of the libvirt function @function, which knows the flags @known. */
void verb_start_checked(const char *name, const Verb *verb, const char *function, guint known);

/* Ends it: the job is the next one's. */
void verb_finish(Verb *verb, const GError *error);
void verb_fail(Verb *verb, virErrorNumber code, const char *text);
/* verb_finish() as a DomainDone. */
void verb_finished(gpointer verb, const GError *error);

/* The link to the guest of the verb's domain; NULL with the verb finished where there is none. */
VmmLink *verb_link(Verb *verb);
/* verb_finish() as a VmmLinkReply. */
void verb_answered(gpointer verb, VmmMsg *reply, const GError *error);

/* What VIR_DOMAIN_AFFECT_* in the verb's flags means here: LIVE or CONFIG or both, instead of CURRENT. 0
 * with the verb finished where that is impossible. */
guint verb_affects(Verb *verb);
/* A copy of the persistent definition, to change; NULL with @error where the domain was undefined while the verb waited. */
DomainDef *verb_copy_config(Verb *verb, GError **error);
/* Replaces the persistent definition, on disk as well, where there is one still; takes @def over. */
gboolean verb_save(Verb *verb, DomainDef *def, GError **error);
