#include "driver/driver-private.h"

#include "driver/adopt.h"
#include "driver/agent.h"
#include "driver/disk-resize.h"
#include "driver/domain-index.h"
#include "driver/domain-list.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/hook.h"
#include "driver/hotplug.h"
#include "driver/launch.h"
#include "driver/managed-save.h"
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

void
driver_unit_failed(Driver *driver, const char *unit, const char *text)
{
    if (driver->host.units)
        units_failed(driver->host.units, unit, text);
}
