#include "driver/driver.h"

#include "driver/adopt.h"
#include "driver/agent.h"
#include "driver/capabilities.h"
#include "driver/cpu-archs.h"
#include "driver/cpu-baseline.h"
#include "driver/cpu-compare.h"
#include "driver/domain-firmware.h"
#include "driver/disk-resize.h"
#include "driver/domain-capabilities.h"
#include "driver/domain-index.h"
#include "driver/domain-list.h"
#include "driver/domain-private.h"
#include "driver/domain-xml-sysinfo.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/hook.h"
#include "driver/hotplug.h"
#include "driver/ksm.h"
#include "driver/launch.h"
#include "driver/managed-save.h"
#include "driver/restore.h"
#include "driver/save.h"
#include "driver/store.h"
#include "driver/test-default.h"
#include "driver/unit-requests.h"
#include "driver/uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The hypervisor version that clients are told: that of the QEMU whose machine ours stands in for, so
 * that they do not fall back to what only older ones had. */
#define HYPERVISOR_VERSION (7 * 1000000 + 2 * 1000)

struct Driver {
    DomainHost host;
    char *hostname;
    int lock_fd;
    HostObjects *objects;
    gboolean settling; /* the test driver's domain is about to run */
};

/* One daemon per run directory. The lock goes with its descriptor, however the daemon ends. */
static gboolean
take_lock(Driver *driver, GError **error)
{
    g_autofree char *path = g_build_filename(driver->host.env->run_dir, "vmctld.lock", NULL);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    if (g_mkdir_with_parents(driver->host.env->run_dir, 0755) < 0)
        return driver_error_errno(error, errno, "cannot make the directory '%s'",
                                  driver->host.env->run_dir);
    driver->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (driver->lock_fd < 0)
        return driver_error_errno(error, errno, "cannot open '%s'", path);
    if (fcntl(driver->lock_fd, F_OFD_SETLK, &lock) == 0)
        return TRUE;
    if (errno == EAGAIN || errno == EACCES)
        return driver_error(error, VIR_ERR_OPERATION_FAILED, "another daemon already serves '%s'",
                            driver->host.env->run_dir);
    return driver_error_errno(error, errno, "cannot lock '%s'", path);
}

/* What the definitions are loaded with. */
typedef struct Loading {
    Driver *driver;
    DomainIndex *index;
    GHashTable *autostart;
    guint read; /* definitions that the index did not know */
} Loading;

/* The definition in the file; it is read where the index does not know it. NULL where it cannot be. */
static Domain *
load_domain(Loading *loading, const char *uuid, const StoreStamp *stamp, GError **error)
{
    Driver *driver = loading->driver;
    DomainBrief *brief = domain_index_take(loading->index, uuid, stamp);
    g_autofree char *xml = NULL;
    DomainDef *def = NULL;
    Domain *domain;

    if (!brief) {
        loading->read++;
        xml = store_read(driver->host.env->config_dir, uuid, error);
        def = xml ? domain_xml_parse_stored(xml, error) : NULL;
        if (!def)
            return NULL;
    }
    domain = domain_new(&driver->host, def, NULL);
    domain->brief = brief;
    domain->stamp = *stamp;
    return domain;
}

static void
load_definition(gpointer data, const char *uuid, const StoreStamp *stamp)
{
    Loading *loading = data;
    DomainList *list = loading->driver->host.list;
    g_autoptr(GError) error = NULL;
    g_autoptr(Domain) domain = load_domain(loading, uuid, stamp, &error);

    if (!domain) {
        g_warning("The definition %s cannot be read and is left alone: %s", uuid, error->message);
        return;
    }
    if (strcmp(domain_uuid(domain), uuid) != 0 ||
        domain_list_find_name(list, domain_name(domain))) {
        g_warning(
            "The definition %s has another's uuid or the name '%s', which is taken: left alone",
            uuid, domain_name(domain));
        return;
    }
    domain->autostart = g_hash_table_contains(loading->autostart, uuid);
    domain_list_add(list, domain);
    domain_let_rest(domain);
}

static gboolean
load(Driver *driver, GError **error)
{
    const DriverEnv *env = driver->host.env;
    Loading loading = { .driver = driver, .index = domain_index_load(env->state_dir) };
    gboolean done;

    loading.autostart = store_load_autostart(env->config_dir);
    done = store_load(env->config_dir, load_definition, &loading, error);
    g_hash_table_unref(loading.autostart);
    domain_index_serve(loading.index, &driver->host);
    if (loading.read)
        domain_index_save_later(loading.index);
    return done;
}

static void
autostarted(gpointer data, const GError *error)
{
    g_autoptr(Domain) domain = data;

    if (error)
        g_warning("Cannot start domain '%s': %s", domain_name(domain), error->message);
}

/* Where units start with the host, the manager knows which: what was said before there was one, too. */
static void
enable_units(Driver *driver)
{
    const guint persistent = VIR_CONNECT_LIST_DOMAINS_PERSISTENT;
    g_autoptr(GPtrArray) domains = domain_list_filter(driver->host.list, persistent);

    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = g_ptr_array_index(domains, i);
        g_autoptr(GError) error = NULL;

        if (domain->autostart && domain_set_autostart(domain, TRUE, &error) &&
            store_set_autostart(driver->host.env->config_dir, domain_uuid(domain), FALSE, &error))
            domain->autostart = FALSE;
        if (error)
            g_warning("%s", error->message);
    }
}

static void
autostart(Driver *driver)
{
    const guint wanted = VIR_CONNECT_LIST_DOMAINS_AUTOSTART | VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    g_autoptr(GPtrArray) domains = domain_list_filter(driver->host.list, wanted);

    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = g_ptr_array_index(domains, i);

        domain_start(domain, 0, autostarted, domain_ref(domain));
    }
}

/* The lock's file is empty until a driver has done it. */
static gboolean
is_time_to_autostart(Driver *driver)
{
    struct stat lock;

    switch (driver->host.env->autostart) {
    case DRIVER_AUTOSTART_ALWAYS:
        return TRUE;
    case DRIVER_AUTOSTART_NEVER:
        return FALSE;
    default:
        return fstat(driver->lock_fd, &lock) < 0 || lock.st_size == 0;
    }
}

static void
autostart_in_time(Driver *driver)
{
    if (!is_time_to_autostart(driver))
        return;
    autostart(driver);
    if (pwrite(driver->lock_fd, "autostarted\n", strlen("autostarted\n"), 0) < 0)
        g_warning("The next daemon will start domains again: %s", g_strerror(errno));
}

static Driver *
driver_alloc(DriverEnv *env, const DriverEvents *events)
{
    Driver *driver = g_new0(Driver, 1);

    driver->host.env = env;
    driver->host.list = domain_list_new();
    driver->host.events = *events;
    driver->objects =
        host_objects_new(env->simulated ? test_default_objects : NULL, &driver->host.events);
    driver->host.objects = driver->objects;
    driver->hostname = g_strdup(g_get_host_name());
    driver->lock_fd = -1;
    return driver;
}

Driver *
driver_new(DriverEnv *env, const DriverEvents *events, GError **error)
{
    g_autoptr(Driver) driver = driver_alloc(env, events);

    if (!take_lock(driver, error) || !load(driver, error))
        return NULL;
    adopt_guests(&driver->host);
    managed_save_scan(&driver->host);
    if (env->unit_manager) {
        driver->host.units = unit_requests_serve(&driver->host, env->units_fd, env->unit_manager);
        enable_units(driver);
    } else {
        autostart_in_time(driver);
    }
    return g_steal_pointer(&driver);
}

static void
settled(gpointer data, const GError *error)
{
    Driver *driver = data;

    Domain *domain = domain_list_find_name(driver->host.list, TEST_DEFAULT_NAME);

    if (error)
        g_warning("Cannot start the test driver's domain: %s", error->message);
    else if (domain)
        domain->reason = VIR_DOMAIN_RUNNING_UNKNOWN; /* as libvirt's forgets why it runs */
    driver->settling = FALSE;
}

Driver *
driver_new_test(const DriverEvents *events, GError **error)
{
    g_autoptr(Driver) driver = driver_alloc(driver_env_new_test(), events);
    Domain *domain = driver_define(driver, test_default_domain, 0, error);

    if (!domain)
        return NULL;
    driver->settling = TRUE;
    domain_start(domain, 0, settled, driver);
    return g_steal_pointer(&driver);
}

gboolean
driver_is_settled(Driver *driver)
{
    return !driver->settling;
}

static void
let_go(Driver *driver)
{
    g_autoptr(GPtrArray) domains = domain_list_filter(driver->host.list, 0);
    g_autoptr(GError) error = NULL;

    driver_error(&error, VIR_ERR_OPERATION_ABORTED, "the daemon is stopping");
    driver->host.events = (DriverEvents){ 0 };
    g_clear_pointer(&driver->host.units, units_free);
    for (guint i = 0; i < domains->len; i++) {
        Domain *domain = g_ptr_array_index(domains, i);

        job_clear(&domain->job);
        job_clear(&domain->agent_job);
        agent_closed(domain);
        if (domain->launch)
            launch_drop(domain->launch);
        hook_drop(domain);
        hotplug_forget(domain);
        domain_forget_files(domain);
        disk_resize_forget(domain);
        save_drop(domain);
        guest_free(g_steal_pointer(&domain->guest)); /* the process goes on */
        domain_tell_end(domain, error);
        domain_forget_rest(domain);
    }
}

void
driver_free(Driver *driver)
{
    if (!driver)
        return;
    let_go(driver);
    if (driver->host.index)
        domain_index_save(driver->host.index);
    domain_list_free(driver->host.list);
    domain_index_free(driver->host.index);
    host_objects_free(driver->objects);
    driver_env_free(driver->host.env);
    g_free(driver->hostname);
    if (driver->lock_fd >= 0)
        close(driver->lock_fd);
    g_free(driver);
}

HostObjects *
driver_host_objects(Driver *driver)
{
    return driver->objects;
}

Domain *
driver_find_id(Driver *driver, int id, GError **error)
{
    Domain *domain = domain_list_find_id(driver->host.list, id);

    if (id < 0)
        g_set_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG,
                    "id in virDomainLookupByID must be zero or greater");
    else if (!domain)
        driver_error(error, VIR_ERR_NO_DOMAIN, "no domain with matching id %d", id);
    return domain;
}

Domain *
driver_find_name(Driver *driver, const char *name, GError **error)
{
    Domain *domain = domain_list_find_name(driver->host.list, name);

    if (!domain)
        driver_error(error, VIR_ERR_NO_DOMAIN, "no domain with matching name '%s'", name);
    return domain;
}

Domain *
driver_find_uuid(Driver *driver, const char *text, GError **error)
{
    char uuid[UUID_SIZE];
    Domain *domain;

    if (!uuid_parse(text, uuid)) {
        driver_error_argument(error, "Invalid UUID");
        return NULL;
    }
    domain = domain_list_find_uuid(driver->host.list, uuid);
    if (!domain)
        driver_error(error, VIR_ERR_NO_DOMAIN, "no domain with matching uuid '%s'", uuid);
    return domain;
}

GPtrArray *
driver_list(Driver *driver, guint flags, GError **error)
{
    const guint known = (VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT << 1) - 1;

    if (!driver_check_flags(flags, known, "virConnectListAllDomains", error))
        return NULL;
    return domain_list_filter(driver->host.list, flags);
}

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
    const guint known =
        VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_VALIDATE | VIR_DOMAIN_START_RESET_NVRAM;
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
driver_restore(Driver *driver, const char *path, const char *xml, guint flags,
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
        restore_source_open(env, path, xml, flags, &source, NULL, &error))
        domain = domain_to_start(driver, source.def, &error);
    if (domain)
        restore_domain(domain, &source, flags, created, creation_new(domain, done, data));
    else
        done(data, NULL, error);
}

char *
driver_save_image_xml(Driver *driver, const char *path, guint flags, GError **error)
{
    return restore_image_xml(driver->host.env, path, flags, error);
}

gboolean
driver_save_image_define(Driver *driver, const char *path, const char *xml, guint flags,
                         GError **error)
{
    return restore_image_define(driver->host.env, path, xml, flags, error);
}

gboolean
driver_is_simulated(const Driver *driver)
{
    return driver->host.env->simulated;
}

const char *
driver_name(const Driver *driver)
{
    return driver->host.env->name;
}

const char *
driver_hostname(Driver *driver)
{
    return driver->hostname;
}

char *
driver_capabilities(Driver *driver)
{
    return capabilities_format(driver->host.env);
}

/* libvirt's test driver has no such host either. */
static gboolean
check_host(const Driver *driver, const char *function, GError **error)
{
    return !driver->host.env->simulated || driver_error(error, VIR_ERR_NO_SUPPORT, "%s", function);
}

char *
driver_domain_capabilities(Driver *driver, const char *emulator, const char *arch,
                           const char *machine, const char *virttype, guint flags, GError **error)
{
    const DomainCapabilitiesQuery query = { emulator, arch, machine, virttype };

    if (!check_host(driver, "virConnectGetDomainCapabilities", error) ||
        !driver_check_flags(flags, 0, "virConnectGetDomainCapabilities", error))
        return NULL;
    return domain_capabilities_format(driver->host.env, &query, error);
}

GVariant *
driver_memory_parameters(Driver *driver, guint flags, GError **error)
{
    static const char function[] = "virNodeGetMemoryParameters";

    /* There are no texts in them, so that the flag for these changes nothing. */
    if (!check_host(driver, function, error) ||
        !driver_check_flags(flags, VIR_TYPED_PARAM_STRING_OKAY, function, error))
        return NULL;
    return ksm_read(KSM_DIR, error);
}

gboolean
driver_set_memory_parameters(Driver *driver, GVariant *params, guint flags, GError **error)
{
    static const char function[] = "virNodeSetMemoryParameters";

    return check_host(driver, function, error) && driver_check_flags(flags, 0, function, error) &&
           ksm_write(KSM_DIR, params, error);
}

char *
driver_sysinfo(Driver *driver, guint flags, GError **error)
{
    char *xml = NULL;
    Sysinfo sysinfo = { 0 };

    if (!driver_check_flags(flags, 0, "virConnectGetSysinfo", error))
        return NULL;
    sysinfo_init(&sysinfo);
    if (driver->host.env->simulated)
        test_default_sysinfo(&sysinfo);
    else
        sysinfo_read_host(&sysinfo);
    if (sysinfo.has_smbios)
        xml = domain_xml_sysinfo(&sysinfo);
    else
        driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Host SMBIOS information is not available");
    sysinfo_clear(&sysinfo);
    return xml;
}

int
driver_compare_cpu(Driver *driver, const char *xml, guint flags, GError **error)
{
    static const char function[] = "virConnectCompareCPU";
    HostCpu host = { 0 };

    if (!check_host(driver, function, error) ||
        !driver_check_flags(flags, VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE, function, error))
        return VIR_CPU_COMPARE_ERROR;
    host_cpu_probe(driver->host.env->kvm, &host, NULL); /* the processor tells without KVM, too */
    return cpu_compare(&host, xml, flags & VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE, error);
}

/* libvirt's test driver knows one flag less. */
char *
driver_baseline_cpu(Driver *driver, const char *const *documents, guint flags, GError **error)
{
    guint known = VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES;

    if (!driver->host.env->simulated)
        known |= VIR_CONNECT_BASELINE_CPU_MIGRATABLE;
    if (!driver_check_flags(flags, known, "virConnectBaselineCPU", error))
        return NULL;
    return cpu_baseline(documents, flags, error);
}

char **
driver_cpu_models(Driver *driver, const char *arch, guint flags, GError **error)
{
    if (!driver_check_flags(flags, 0, "virConnectGetCPUModelNames", error))
        return NULL;
    return cpu_arch_models(arch, error);
}

gulong
driver_lib_version(void)
{
    return LIBVIR_VERSION_NUMBER;
}

gulong
driver_version(Driver *driver)
{
    return driver->host.env->simulated ? TEST_DEFAULT_VERSION : HYPERVISOR_VERSION;
}

void
driver_unit_failed(Driver *driver, const char *unit, const char *text)
{
    if (driver->host.units)
        units_failed(driver->host.units, unit, text);
}
