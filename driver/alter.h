/* alter: a verb that changes both definitions, of which the VMM is told in one message.
 *
 * The new persistent definition is made first, then the VMM is told, then both definitions are put into force: what
 * can be wrong with the persistent one is found before the guest is touched.
 */
#pragma once

#include "driver/verb.h"

typedef struct Alteration Alteration;

typedef struct AlterationKind {
    const char *job;      /* a literal */
    const char *function; /* libvirt's */
    /* Changes @def, a copy of the persistent definition. */
    gboolean (*config)(const Alteration *alteration, DomainDef *def, GError **error);
    /* The message for the VMM of a running guest, which will answer it; NULL with @error. */
    VmmMsg *(*tell)(Alteration *alteration, const Domain *domain, VmmLink *link, GError **error);
    /* The VMM has taken it: changes the live definition. */
    void (*live)(const Alteration *alteration, Domain *domain);
    GDestroyNotify free; /* all of the caller's type */
} AlterationKind;

/* The first member of the caller's own type, allocated with g_new0(). */
struct Alteration {
    const AlterationKind *kind;
    DomainDef *config; /* that is to be; alter's own */
};

/* Takes @alteration over; @flags: VIR_DOMAIN_AFFECT_*. */
void alter(Domain *domain, Alteration *alteration, guint flags, DomainDone done, gpointer data);
