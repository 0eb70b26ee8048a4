#include "driver/alter.h"

#define FLAGS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static void
alteration_free(gpointer data)
{
    Alteration *alteration = data;

    domain_def_free(alteration->config);
    alteration->kind->free(alteration);
}

static void
finish(Verb *verb)
{
    Alteration *alteration = verb->detail;
    g_autoptr(GError) error = NULL;

    if (alteration->config)
        verb_save(verb, g_steal_pointer(&alteration->config), &error);
    verb_finish(verb, error);
}

static void
told(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;
    const Alteration *alteration = verb->detail;
    Domain *domain = verb->domain;

    if (error || !domain_is_active(domain)) {
        verb_finish(verb, error);
        return;
    }
    alteration->kind->live(alteration, domain);
    domain_write_live(domain);
    finish(verb);
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
        vmm_link_send(link, request, VMM_LINK_TIMEOUT_MS, told, verb);
    else
        verb_finish(verb, error);
}

static void
begin(Verb *verb)
{
    Alteration *alteration = verb->detail;
    guint affects = verb_affects(verb);
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
    if (affects & VIR_DOMAIN_AFFECT_LIVE)
        tell(verb);
    else
        finish(verb);
}

void
alter(Domain *domain, Alteration *alteration, guint flags, DomainDone done, gpointer data)
{
    const AlterationKind *kind = alteration->kind;

    verb_start_checked(kind->job,
                       &(Verb){ domain, flags, alteration, alteration_free, begin, done, data },
                       kind->function, FLAGS);
}
