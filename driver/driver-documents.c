#include "driver/driver-private.h"

#include "driver/domain-firmware.h"
#include "driver/domain-index.h"
#include "driver/domain-list.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/restore.h"
#include "driver/store.h"

/* What is no machine's needs a driver without a host. */
static gboolean
check_virt(const Driver *driver, const DomainDef *def, GError **error)
{
    return def->virt != DOMAIN_VIRT_TEST || driver->host.env->simulated ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value 'test' of attribute 'type' of <domain> is not supported by this "
                        "driver: it is for test:///default");
}

/* The domain that @def names, NULL where it is new; FALSE where name and uuid are of two. */
static gboolean
find_same(Driver *driver, const DomainDef *def, Domain **ret, GError **error)
{
    Domain *by_uuid = domain_list_find_uuid(driver->host.list, def->uuid);
    Domain *by_name = domain_list_find_name(driver->host.list, def->name);

    if (!check_virt(driver, def, error))
        return FALSE;
    if (by_uuid && by_uuid != by_name)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "domain '%s' is already defined with uuid %s", domain_name(by_uuid),
                            def->uuid);
    if (by_name && by_name != by_uuid)
        return driver_error(error, VIR_ERR_OPERATION_FAILED,
                            "domain '%s' already exists with uuid %s", def->name,
                            domain_uuid(by_name));
    *ret = by_uuid;
    return TRUE;
}

static DomainIdentity
identity_of(const DomainDef *def)
{
    return (DomainIdentity){ g_strdup(def->name), *def->uuid ? g_strdup(def->uuid) : NULL };
}

gboolean
driver_identify(const char *xml, DomainIdentity *ret, GError **error)
{
    g_autoptr(DomainDef) def = domain_xml_parse_identity(xml, error);

    if (def)
        *ret = identity_of(def);
    return def != NULL;
}

gboolean
driver_identify_image(Driver *driver, const char *path, DomainIdentity *ret, GError **error)
{
    g_auto(RestoreSource) source = { .fd = -1 };

    if (!restore_source_open(driver->host.env, &(SavedImage){ path, NULL }, NULL, 0, &source, NULL, error))
        return FALSE;
    *ret = identity_of(source.def);
    return TRUE;
}

/* Whether @xml is valid by the schema, where that is asked for. */
static gboolean
validate(Driver *driver, const char *xml, gboolean asked, GError **error)
{
    g_autofree char *schema =
        asked ? g_build_filename(driver->host.env->schema_dir, "domain.rng", NULL) : NULL;

    return !asked || domain_xml_validate(xml, schema, error);
}

static void
adopt_definition(Domain *domain, DomainDef *def)
{
    domain_def_free(domain->persistent);
    domain->persistent = def;
    g_clear_pointer(&domain->brief, g_free);
    domain->updated = domain_is_active(domain);
    if (domain->guest)
        domain_move(domain, domain->state, domain->reason); /* the status says so, too */
}

Domain *
driver_define(Driver *driver, const char *xml, guint flags, GError **error)
{
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *text = NULL;
    g_autoptr(Domain) made = NULL;
    Domain *domain;
    gboolean added;

    if (!driver_check_flags(flags, VIR_DOMAIN_DEFINE_VALIDATE, "virDomainDefineXMLFlags", error) ||
        !validate(driver, xml, flags & VIR_DOMAIN_DEFINE_VALIDATE, error) ||
        !(def = domain_xml_parse_stored(xml, error)) || !find_same(driver, def, &domain, error) ||
        !domain_firmware_fill(def, driver->host.env, error) || !(text = domain_xml_format_stored(def, error)))
        return NULL;
    if ((!domain && !store_keep_aside(driver->host.env->config_dir, def->uuid, error)) ||
        !store_save(driver->host.env->config_dir, def->uuid, text, error))
        return NULL;
    added = !domain || !domain_is_persistent(domain);
    if (domain) {
        adopt_definition(domain, g_steal_pointer(&def));
    } else {
        domain = made = domain_new(&driver->host, g_steal_pointer(&def), NULL);
        domain_list_add(driver->host.list, domain);
    }
    domain_index_changed(domain);
    domain_let_rest(domain);
    domain_emit(domain, VIR_DOMAIN_EVENT_DEFINED,
                added ? VIR_DOMAIN_EVENT_DEFINED_ADDED : VIR_DOMAIN_EVENT_DEFINED_UPDATED);
    return domain;
}

typedef struct Creation {
    Domain *domain;
    gboolean made; /* for this creation */
    DriverCreateDone done;
    gpointer data;
} Creation;

static void
created(gpointer data, const GError *error)
{
    Creation *creation = data;
    Domain *domain = creation->domain;

    if (error && creation->made && !domain_is_persistent(domain) && !domain_is_active(domain))
        domain_list_remove(domain->host->list, domain);
    creation->done(creation->data, error ? NULL : domain, error);
    domain_unref(domain);
    g_free(creation);
}

/* The domain that is to be started with @def: the one that is defined, or one for this once. */
static Domain *
domain_to_start(Driver *driver, const DomainDef *def, GError **error)
{
    Domain *domain;

    if (!find_same(driver, def, &domain, error))
        return NULL;
    if (domain && (domain_is_active(domain) || domain->launch)) {
        driver_error(error, VIR_ERR_OPERATION_INVALID, "domain '%s' is already active", def->name);
        return NULL;
    }
    if (domain)
        return domain_ref(domain);
    domain = domain_new(&driver->host, NULL, domain_def_copy(def));
    domain_list_add(driver->host.list, domain);
    return domain;
}

static Creation *
creation_new(Domain *domain, DriverCreateDone done, gpointer data)
{
    Creation *creation = g_new(Creation, 1);

    *creation = (Creation){ domain, !domain_is_persistent(domain), done, data };
    return creation;
}

void
driver_create(Driver *driver, const char *xml, guint flags, DriverCreateDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY |
                        VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_RESET_NVRAM;
    g_autoptr(GError) error = NULL;
    g_autoptr(DomainDef) def = NULL;
    Domain *domain = NULL;

    if (driver_check_flags(flags, known, "virDomainCreateXML", &error) &&
        validate(driver, xml, flags & VIR_DOMAIN_START_VALIDATE, &error) && (def = domain_xml_parse(xml, &error)))
        domain = domain_to_start(driver, def, &error);
    if (domain)
        domain_start_with(domain, g_steal_pointer(&def), flags & ~(guint)VIR_DOMAIN_START_VALIDATE,
                          created, creation_new(domain, done, data));
    else
        done(data, NULL, error);
}

void
driver_restore(Driver *driver, const SavedImage *image, const char *xml, guint flags,
               DriverCreateDone done, gpointer data)
{
    const guint known = VIR_DOMAIN_SAVE_BYPASS_CACHE | VIR_DOMAIN_SAVE_RUNNING |
                        VIR_DOMAIN_SAVE_PAUSED | VIR_DOMAIN_SAVE_RESET_NVRAM;
    const DriverEnv *env = driver->host.env;
    g_autoptr(GError) error = NULL;
    g_auto(RestoreSource) source = { .fd = -1 };
    Domain *domain = NULL;

    if (driver_check_save_flags(flags, &error) &&
        driver_check_flags(flags, env->simulated ? 0 : known, "virDomainRestoreFlags", &error) &&
        restore_source_check_xml(env, xml, &error) &&
        restore_source_open(env, image, xml, flags, &source, NULL, &error))
        domain = domain_to_start(driver, source.def, &error);
    if (domain)
        restore_domain(domain, &source, flags, created, creation_new(domain, done, data));
    else
        done(data, NULL, error);
}

char *
driver_save_image_xml(Driver *driver, const SavedImage *image, guint flags, GError **error)
{
    return restore_image_xml(driver->host.env, image, flags, error);
}

gboolean
driver_save_image_define(Driver *driver, const SavedImage *image, const char *xml, guint flags,
                         GError **error)
{
    return restore_image_define(driver->host.env, image, xml, flags, error);
}
