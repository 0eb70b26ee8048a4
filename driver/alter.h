/* alter: a verb that changes both definitions, and the guest that runs.
 *
 * The new persistent definition is made first, to see that it can be, then the VMM is told, where it has to know, then the
 * live definition is put into force, then the persistent one: what can be wrong with it is found before the guest is
 * touched. It is made again then, because the domain may have been defined anew while the VMM was waited for.
 */
#pragma once

#include "driver/verb.h"

typedef struct Alteration Alteration;

typedef struct AlterationKind {
    const char *job;      /* a literal */
    const char *function; /* libvirt's */
    guint flags;          /* that it knows beside VIR_DOMAIN_AFFECT_* */
    /* Changes @def, a copy of the persistent definition. */
    gboolean (*config)(const Alteration *alteration, DomainDef *def, GError **error);
    /* The message for the VMM of a running guest, which will answer it; NULL with @error. May be NULL itself: the
     * VMM need not know. */
    VmmMsg *(*tell)(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error);
    /* Changes the live definition, and the guest where that is done from outside; after an error nothing has changed.
     * What the VMM has taken cannot fail any more. */
    gboolean (*live)(const Alteration *alteration, Domain *domain, GError **error);
    GDestroyNotify free; /* all of the caller's type */
} AlterationKind;

/* The first member of the caller's own type, allocated with g_new0(). */
struct Alteration {
    const AlterationKind *kind;
    guint affects; /* alter's own */
};

/* Takes @alteration over; @flags: VIR_DOMAIN_AFFECT_* and the kind's. */
void alter(Domain *domain, Alteration *alteration, guint flags, DomainDone done, gpointer data);
