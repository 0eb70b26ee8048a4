#include "driver/verb.h"

#include "driver/domain-index.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/store.h"

static void
verb_free(Verb *verb)
{
    if (verb->detail_free)
        verb->detail_free(verb->detail);
    domain_unref(verb->domain);
    g_free(verb);
}

void
verb_finish(Verb *verb, const GError *error)
{
    verb->done(verb->data, error);
    job_end(&verb->domain->job);
    domain_let_rest(verb->domain);
    verb_free(verb);
}

void
verb_fail(Verb *verb, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, code, "%s", text);
    verb_finish(verb, error);
}

void
verb_finished(gpointer data, const GError *error)
{
    verb_finish(data, error);
}

static void
may_run(gpointer data, const GError *error)
{
    Verb *verb = data;
    g_autoptr(GError) unread = NULL;

    if (error) {
        verb->done(verb->data, error);
        verb_free(verb);
    } else if (verb->domain->removed) {
        driver_error(&unread, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s' (%s)",
                     domain_uuid(verb->domain), domain_name(verb->domain));
        verb_finish(verb, unread);
    } else if (!domain_wake(verb->domain, &unread)) {
        verb_finish(verb, unread);
    } else {
        verb->begin(verb);
    }
}

void
verb_start(const char *name, const Verb *verb)
{
    Verb *copy = g_memdup2(verb, sizeof(*verb));

    domain_ref(copy->domain);
    job_begin(&copy->domain->job, name, copy->patient ? JOB_WAIT_FOREVER : JOB_WAIT_MS, may_run,
              copy);
}

void
verb_start_checked(const char *name, const Verb *verb, const char *function, guint known)
{
    g_autoptr(GError) error = NULL;

    if (driver_check_flags(verb->flags, known, function, &error)) {
        verb_start(name, verb);
        return;
    }
    verb->done(verb->data, error);
    if (verb->detail_free)
        verb->detail_free(verb->detail);
}

VmmLink *
verb_link(Verb *verb)
{
    VmmLink *link = domain_is_active(verb->domain) ? guest_link(verb->domain->guest) : NULL;

    if (!domain_is_active(verb->domain))
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is not running");
    else if (!link)
        verb_fail(verb, VIR_ERR_OPERATION_FAILED, "the guest's process cannot be reached");
    return link;
}

void
verb_answered(gpointer data, VmmMsg *reply, const GError *error)
{
    verb_finish(data, error);
}

guint
verb_affects(Verb *verb)
{
    guint affects = verb->flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG);
    gboolean active = domain_is_active(verb->domain);

    if (affects == VIR_DOMAIN_AFFECT_CURRENT)
        affects = active ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
    if (affects & VIR_DOMAIN_AFFECT_LIVE && !active) {
        verb_fail(verb, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return 0;
    }
    if (affects & VIR_DOMAIN_AFFECT_CONFIG && !verb->domain->persistent) {
        verb_fail(verb, VIR_ERR_OPERATION_INVALID,
                  "transient domains do not have any persistent config");
        return 0;
    }
    return affects;
}

/* One that waits for the guest may find its domain undefined. */
static gboolean
check_persistent(const Verb *verb, GError **error)
{
    return (verb->domain->persistent && !verb->domain->removed) ||
           driver_error(error, VIR_ERR_OPERATION_INVALID,
                        "transient domains do not have any persistent config");
}

DomainDef *
verb_copy_config(Verb *verb, GError **error)
{
    return check_persistent(verb, error) ? domain_def_copy(verb->domain->persistent) : NULL;
}

gboolean
verb_save(Verb *verb, DomainDef *def, GError **error)
{
    Domain *domain = verb->domain;
    g_autoptr(DomainDef) owned = def;
    g_autofree char *text = NULL;

    if (!check_persistent(verb, error))
        return FALSE;
    text = domain_xml_format_stored(def, error);
    if (!text || !store_save(domain->host->env->config_dir, def->uuid, text, error))
        return FALSE;
    domain_def_free(domain->persistent);
    domain->persistent = g_steal_pointer(&owned);
    domain_index_changed(domain);
    return TRUE;
}
