#include "driver/alter.h"

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static void
alteration_free(gpointer data)
{
    Alteration *alteration = data;

    domain_def_free(alteration->config);
    alteration->kind->free(alteration);
}

static void
put_into_force(Verb *verb, gboolean live)
{
    Alteration *alteration = verb->detail;
    Domain *domain = verb->domain;
    g_autoptr(GError) error = NULL;

    if (live && !alteration->kind->live(alteration, domain, &error)) {
        verb_finish(verb, error);
        return;
    }
    if (live)
        domain_write_live(domain);
    if (alteration->config)
        verb_save(verb, g_steal_pointer(&alteration->config), &error);
    verb_finish(verb, error);
}

static void
told(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;

    if (error || !domain_is_active(verb->domain))
        verb_finish(verb, error);
    else
        put_into_force(verb, TRUE);
}

static void
tell(Verb *verb)
{
    Alteration *alteration = verb->detail;
    VmmLink *link = verb_link(verb);
    g_autoptr(GError) error = NULL;
    VmmMsg *request;

    if (!link)
        return;
    request = alteration->kind->tell(alteration, verb->domain, link, &error);
    if (request)
        vmm_link_send(link, request, VMM_LINK_NO_TIMEOUT, told, verb);
    else
        verb_finish(verb, error);
}

static void
begin(Verb *verb)
{
    Alteration *alteration = verb->detail;
    guint affects = verb_affects(verb);
    gboolean live = (affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    g_autoptr(GError) error = NULL;

    if (!affects)
        return;
    if (affects & VIR_DOMAIN_AFFECT_CONFIG) {
        alteration->config = domain_def_copy(verb->domain->persistent);
        if (!alteration->kind->config(alteration, alteration->config, &error)) {
            verb_finish(verb, error);
            return;
        }
    }
    if (live && alteration->kind->tell)
        tell(verb);
    else
        put_into_force(verb, live);
}

void
alter(Domain *domain, Alteration *alteration, guint flags, DomainDone done, gpointer data)
{
    const AlterationKind *kind = alteration->kind;

    verb_start_checked(kind->job,
                       &(Verb){ domain, flags, alteration, alteration_free, begin, done, data },
                       kind->function, AFFECTS | kind->flags);
}
