#include "driver/alter.h"

#define AFFECTS (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static void
alteration_free(gpointer data)
{
    Alteration *alteration = data;

    alteration->kind->free(alteration);
}

static DomainDef *
altered_config(Verb *verb, GError **error)
{
    const Alteration *alteration = verb->detail;
    g_autoptr(DomainDef) def = verb_copy_config(verb, error);

    return def && alteration->kind->config(alteration, def, error) ? g_steal_pointer(&def) : NULL;
}

static void
put_into_force(Verb *verb)
{
    Alteration *alteration = verb->detail;
    Domain *domain = verb->domain;
    gboolean live = (alteration->affects & VIR_DOMAIN_AFFECT_LIVE) != 0;
    DomainDef *config = NULL;
    g_autoptr(GError) error = NULL;

    if (live && !alteration->kind->live(alteration, domain, &error)) {
        verb_finish(verb, error);
        return;
    }
    if (live)
        domain_write_live(domain);
    if (alteration->affects & VIR_DOMAIN_AFFECT_CONFIG)
        config = altered_config(verb, &error);
    if (config)
        verb_save(verb, config, &error);
    verb_finish(verb, error);
}

static void
told(gpointer data, VmmMsg *reply, const GError *error)
{
    Verb *verb = data;

    if (error || !domain_is_active(verb->domain))
        verb_finish(verb, error);
    else
        put_into_force(verb);
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
    g_autoptr(DomainDef) checked = NULL;
    g_autoptr(GError) error = NULL;

    if (!affects) /* it is over, and @alteration gone */
        return;
    alteration->affects = affects;
    if (affects & VIR_DOMAIN_AFFECT_CONFIG)
        checked = altered_config(verb, &error);
    if (error)
        verb_finish(verb, error);
    else if (affects & VIR_DOMAIN_AFFECT_LIVE && alteration->kind->tell)
        tell(verb);
    else
        put_into_force(verb);
}

void
alter(Domain *domain, Alteration *alteration, guint flags, DomainDone done, gpointer data)
{
    const AlterationKind *kind = alteration->kind;

    verb_start_checked(kind->job,
                       &(Verb){ domain, flags, alteration, alteration_free, begin, done, data },
                       kind->function, AFFECTS | kind->flags);
}
