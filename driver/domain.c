#include "driver/domain.h"

#include "driver/agent-link.h"
#include "driver/test-default.h"
#include "driver/console.h"
#include "driver/domain-private.h"
#include "driver/domain-state.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/guest-cpu.h"
#include "driver/snapshot-tree.h"
#include "driver/store.h"

#include <string.h>

#define AWAKE_MAX 64 /* definitions that are kept though nothing needs them */

Domain *
domain_new(DomainHost *host, DomainDef *persistent, DomainDef *live)
{
    Domain *domain = g_new0(Domain, 1);

    domain->refs = 1;
    domain->host = host;
    domain->persistent = persistent;
    domain->live = live;
    domain->id = -1;
    domain->agent_timeout_s = AGENT_BLOCK;
    domain->test.seconds = TEST_DEFAULT_SECONDS;
    domain->state = VIR_DOMAIN_SHUTOFF;
    domain->reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
    return domain;
}

Domain *
domain_ref(Domain *domain)
{
    domain->refs++;
    return domain;
}

void
domain_unref(Domain *domain)
{
    if (!domain || --domain->refs > 0)
        return;
    domain_forget_files(domain);
    agent_link_free(domain->agent);
    console_set_free(domain->consoles);
    g_clear_pointer(&domain->figures, g_hash_table_unref);
    guest_free(domain->guest);
    guest_record_clear(&domain->words);
    domain_forget_rest(domain);
    snapshot_tree_free(domain->snapshots);
    g_free(domain->job_completed);
    domain_def_free(domain->live);
    domain_def_free(domain->persistent);
    domain_def_free(domain->stand_in);
    g_free(domain->brief);
    g_free(domain);
}

/* A definition that rests, and one that is read again. */

gboolean
domain_wake(Domain *domain, GError **error)
{
    if (!domain->brief)
        return TRUE;
    domain->persistent = domain_brief_read(domain->brief, domain->host->env->config_dir, error);
    if (!domain->persistent)
        return FALSE;
    g_clear_pointer(&domain->brief, g_free);
    domain_let_rest(domain);
    return TRUE;
}

/* One that is needed stays, until whoever is done with it says so. */
static void
rest(Domain *domain)
{
    if (domain->live || domain->guest || domain->launch || domain->job.active ||
        !domain->persistent)
        return;
    domain->brief = domain_brief_of(domain->persistent);
    g_clear_pointer(&domain->persistent, domain_def_free);
}

void
domain_forget_rest(Domain *domain)
{
    if (domain->resting.data)
        g_queue_unlink(&domain->host->awake, &domain->resting);
    domain->resting.data = NULL;
}

void
domain_let_rest(Domain *domain)
{
    GQueue *awake = &domain->host->awake;

    domain_forget_rest(domain);
    if (!domain->host->env->config_dir) /* there is no file to rest in */
        return;
    domain->resting.data = domain;
    g_queue_push_tail_link(awake, &domain->resting);
    while (awake->length > AWAKE_MAX) {
        Domain *oldest = awake->head->data;

        domain_forget_rest(oldest);
        rest(oldest);
    }
}

const DomainDef *
domain_persistent_def(const Domain *domain)
{
    Domain *awake = (Domain *)domain; /* reading it changes nothing that anybody sees */
    g_autoptr(GError) error = NULL;

    if (domain_wake(awake, &error))
        return domain->persistent;
    g_warning("%s", error->message);
    if (!awake->stand_in)
        awake->stand_in = domain_brief_stand_in(awake->brief);
    return awake->stand_in;
}

const DomainDef *
domain_def(const Domain *domain)
{
    return domain->live ? domain->live : domain_persistent_def(domain);
}

void
domain_identity_clear(DomainIdentity *identity)
{
    g_clear_pointer(&identity->name, g_free);
    g_clear_pointer(&identity->uuid, g_free);
}

const char *
domain_name(const Domain *domain)
{
    if (domain->live)
        return domain->live->name;
    return domain->brief ? domain->brief->name : domain->persistent->name;
}

const char *
domain_uuid(const Domain *domain)
{
    if (domain->live)
        return domain->live->uuid;
    return domain->brief ? domain->brief->uuid : domain->persistent->uuid;
}

DomainFigures
domain_figures(const Domain *domain)
{
    if (!domain->live && domain->brief)
        return domain->brief->figures;
    return domain_def_figures(domain->live ? domain->live : domain->persistent);
}

int
domain_id(const Domain *domain)
{
    return domain->id;
}

gboolean
domain_is_active(const Domain *domain)
{
    return domain->id >= 0;
}

gboolean
domain_is_left(const Domain *domain, const GError *error)
{
    return error && domain_is_active(domain) && !domain->guest;
}

gboolean
domain_is_persistent(const Domain *domain)
{
    return domain->persistent || domain->brief;
}

gboolean
domain_is_updated(const Domain *domain)
{
    return domain->updated;
}

gboolean
domain_is_simulated(const Domain *domain)
{
    return domain->host->env->simulated;
}

gboolean
domain_autostart(const Domain *domain)
{
    return domain->host->units ? units_enabled(domain_name(domain)) : domain->autostart;
}

const DomainDef *
domain_affected_def(const Domain *domain, guint flags, GError **error)
{
    gboolean live = flags & VIR_DOMAIN_AFFECT_LIVE, config = flags & VIR_DOMAIN_AFFECT_CONFIG;

    if (!driver_check_affect_flags(flags, error))
        return NULL;
    if (live && !domain_is_active(domain))
        driver_error(error, VIR_ERR_OPERATION_INVALID, "%s", "domain is not running");
    else if (config && !domain_is_persistent(domain))
        driver_error(error, VIR_ERR_OPERATION_INVALID, "%s",
                     "transient domains do not have any persistent config");
    else
        return config ? domain_persistent_def(domain) : domain_def(domain);
    return NULL;
}

gboolean
domain_set_autostart(Domain *domain, gboolean autostart, GError **error)
{
    if (!domain_is_persistent(domain) && !domain_is_simulated(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "cannot set autostart for transient domain");
    if (domain->host->units)
        return units_set_enabled(domain_name(domain), autostart, error);
    if (!store_set_autostart(domain->host->env->config_dir, domain_uuid(domain), autostart, error))
        return FALSE;
    domain->autostart = autostart;
    return TRUE;
}

const char *
domain_os_type(const Domain *domain)
{
    return domain->host->env->simulated ? "linux" : "hvm"; /* libvirt's test driver says so of all */
}

void
domain_state(const Domain *domain, int *ret_state, int *ret_reason)
{
    *ret_state = domain->state;
    *ret_reason = domain->reason;
}

void
domain_move(Domain *domain, int state, int reason)
{
    if (!domain_state_may_move(domain->state, state))
        g_warning("Domain '%s' goes from '%s' to '%s', which no table allows", domain_name(domain),
                  domain_state_to_string(domain->state), domain_state_to_string(state));
    domain->state = state;
    domain->reason = reason;
    if (domain->guest)
        domain_write_status(domain);
}

void
domain_emit(Domain *domain, int event, int detail)
{
    domain_tell(domain, lifecycle, event, detail);
}

void
domain_wait_end(Domain *domain, DomainDone done, gpointer data)
{
    EndWait *wait = g_new(EndWait, 1);

    *wait = (EndWait){ done, data };
    g_queue_push_tail(&domain->end_waits, wait);
}

void
domain_tell_end(Domain *domain, const GError *error)
{
    EndWait *wait;

    while ((wait = g_queue_pop_head(&domain->end_waits))) {
        wait->done(wait->data, error);
        g_free(wait);
    }
}

char *
domain_title(const Domain *domain)
{
    const DomainDef *def = domain->live ? domain->live : domain->persistent;

    if (!def)
        return domain_brief_title(domain->brief);
    return g_strdup(def->title ? def->title : "");
}

/* @def with the CPU that a guest of it would get now. */
static char *
format_updated(const Domain *domain, const DomainDef *def, guint format, GError **error)
{
    g_autoptr(DomainDef) updated = domain_def_copy(def);
    HostCpu host;

    host_cpu_probe(domain->host->env->kvm, &host, NULL); /* which says so where there is no KVM */
    return guest_cpu_update(&updated->cpu, &host, error) ? domain_xml_format(updated, -1, format) : NULL;
}

/* What a guest runs with needs no update. */
static char *
format_inactive(const Domain *domain, const DomainDef *def, guint flags, guint format, GError **error)
{
    return flags & VIR_DOMAIN_XML_UPDATE_CPU && guest_cpu_is_relative(&def->cpu)
               ? format_updated(domain, def, format, error)
               : domain_xml_format(def, -1, format);
}

char *
domain_xml(const Domain *domain, guint flags, GError **error)
{
    const guint known = VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_MIGRATABLE |
                        (domain_is_simulated(domain) ? 0 : VIR_DOMAIN_XML_UPDATE_CPU);
    gboolean live =
        domain->live && !(flags & VIR_DOMAIN_XML_INACTIVE && domain_is_persistent(domain));
    guint format = flags & VIR_DOMAIN_XML_SECURE ? DOMAIN_FORMAT_SECURE : 0;

    if (!driver_check_flags(flags, known, "virDomainGetXMLDesc", error))
        return NULL;
    if (!live && !domain_wake((Domain *)domain, error))
        return NULL;
    if (!live)
        return format_inactive(domain, domain->persistent, flags, format, error);
    if (!(flags & VIR_DOMAIN_XML_INACTIVE) &&
        (!(flags & VIR_DOMAIN_XML_MIGRATABLE) || domain_is_simulated(domain)))
        return domain_xml_format(domain->live, domain->id, format | DOMAIN_FORMAT_LIVE);
    return domain_xml_format(domain->live, -1, format);
}

int
domain_open_console(Domain *domain, const char *device, guint flags, GError **error)
{
    if (!driver_check_flags(flags, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE,
                            "virDomainOpenConsole", error))
        return -1;
    if (!domain_is_active(domain)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID, "domain is not running");
        return -1;
    }
    if (!domain->consoles)
        domain->consoles = console_set_new();
    return console_open(domain->consoles, domain->live, device, flags & VIR_DOMAIN_CONSOLE_FORCE,
                        error);
}
