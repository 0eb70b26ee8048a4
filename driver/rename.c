/* rename: a domain by another name. Everything that is kept of it goes by its uuid, and stays where it is, but for the
 * variables of its firmware. */
#include "driver/domain-firmware.h"
#include "driver/domain-list.h"
#include "driver/error.h"
#include "driver/verb.h"

#include <string.h>

static gboolean
check_state(const Domain *domain, GError **error)
{
    if (domain_is_active(domain))
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "cannot rename active domain");
    if (!domain->persistent)
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "cannot rename a transient domain");
    if (domain->managed_save)
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "domain with a managed saved state can't be renamed");
    return TRUE;
}

static gboolean
check_name(const Domain *domain, const char *name, GError **error)
{
    if (strcmp(name, domain_name(domain)) == 0)
        return driver_error(error, VIR_ERR_OPERATION_INVALID, "Can't rename domain to itself");
    if (domain_list_find_name(domain->host->list, name))
        return driver_error(error, VIR_ERR_OPERATION_INVALID,
                            "domain with name '%s' already exists", name);
    return domain_def_check_name(name, error);
}

/* Units go by the name: what starts with the host has both of them for a moment. */
static gboolean
enable_unit(const Domain *domain, const char *name, gboolean *ret_enabled, GError **error)
{
    *ret_enabled = domain->host->units && units_enabled(domain_name(domain));
    return !*ret_enabled || units_set_enabled(name, TRUE, error);
}

static void
disable_unit(const char *name)
{
    g_autoptr(GError) error = NULL;

    if (!units_set_enabled(name, FALSE, &error))
        g_warning("%s", error->message);
}

/* Takes @def over. */
static gboolean
save(Verb *verb, DomainDef *def, GError **error)
{
    Domain *domain = verb->domain;
    g_autofree char *old_name = g_strdup(domain_name(domain));
    g_autofree char *name = g_strdup(def->name);
    gboolean enabled, saved;

    if (!enable_unit(domain, name, &enabled, error)) {
        domain_def_free(def);
        return FALSE;
    }
    saved = verb_save(verb, def, error);
    if (saved)
        domain_list_renamed(domain->host->list, domain, old_name);
    if (enabled)
        disable_unit(saved ? old_name : name);
    return saved;
}

/* The variables' file has both names until it is known which one stays. */
static gboolean
save_as(Verb *verb, const char *name, GError **error)
{
    Domain *domain = verb->domain;
    g_autoptr(DomainDef) def = domain_def_copy(domain->persistent);
    g_autofree char *old = g_strdup(def->os.nvram.path);
    g_autofree char *new = NULL;
    gboolean renamed, saved;

    renamed = domain_firmware_rename(def, name, domain->host->env, error);
    new = g_strdup(def->os.nvram.path);
    saved = renamed && save(verb, g_steal_pointer(&def), error);
    domain_firmware_drop_link(saved ? old : new, saved ? new : old);
    return saved;
}

static void
rename_begin(Verb *verb)
{
    Domain *domain = verb->domain;
    const char *name = verb->detail;
    g_autoptr(GError) error = NULL;

    if (check_state(domain, &error) && check_name(domain, name, &error) &&
        save_as(verb, name, &error)) {
        domain_emit(domain, VIR_DOMAIN_EVENT_UNDEFINED, VIR_DOMAIN_EVENT_UNDEFINED_RENAMED);
        domain_emit(domain, VIR_DOMAIN_EVENT_DEFINED, VIR_DOMAIN_EVENT_DEFINED_RENAMED);
    }
    verb_finish(verb, error);
}

void
domain_rename(Domain *domain, const char *name, guint flags, DomainDone done, gpointer data)
{
    g_autoptr(GError) error = NULL;

    if (!*name) {
        driver_error_argument(&error, "string %s in %s must not be empty", "new_name",
                              "virDomainRename");
        done(data, error);
        return;
    }
    verb_start_checked("rename",
                       &(Verb){ domain, flags, g_strdup(name), g_free, rename_begin, done, data },
                       "virDomainRename", 0);
}
