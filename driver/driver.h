/* driver: all domains of one instance, and the events that tell of their lives. */
#pragma once

#include "driver/domain.h"
#include "driver/env.h"
#include "driver/events.h"
#include "driver/host-objects.h"
#include "driver/units.h"

typedef struct Driver Driver;

/* Opens the instance: takes its lock (a second one on the same directories is refused), reads the
 * definitions, finds the guests that still run, and starts the autostart ones that do not. Takes @env
 * over. NULL with @error where the directories cannot be used. */
Driver *driver_new(DriverEnv *env, const DriverEvents *events, GError **error);
/* The test driver: simulated guests, fresh each time, no lock and no files. Begins the start of its domain
 * "test"; the main context has to run until driver_is_settled(). */
Driver *driver_new_test(const DriverEvents *events, GError **error);
gboolean driver_is_settled(Driver *driver);
/* Lets go of everything; guests go on. */
void driver_free(Driver *driver);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Driver, driver_free)

/* The service manager could not start @unit. */
void driver_unit_failed(Driver *driver, const char *unit, const char *text);

/* Finding. NULL with VIR_ERR_NO_DOMAIN, or VIR_ERR_INVALID_ARG for what is no uuid; the result is
 * borrowed. */
Domain *driver_find_id(Driver *driver, int id, GError **error);
Domain *driver_find_name(Driver *driver, const char *name, GError **error);
Domain *driver_find_uuid(Driver *driver, const char *uuid, GError **error);
/* Domains that pass the VIR_CONNECT_LIST_DOMAINS_* filter @flags, in the order of their names; NULL for
 * an unknown flag. Free with g_ptr_array_unref(). */
GPtrArray *driver_list(Driver *driver, guint flags, GError **error);

/* Whose document @xml is, and which guest is in the save image @path, as far as they can be read. */
gboolean driver_identify(const char *xml, DomainIdentity *ret, GError **error);
gboolean driver_identify_image(Driver *driver, const char *path, DomainIdentity *ret, GError **error);

/* virDomainDefineXMLFlags: a new domain, or another definition for one of the same name and uuid. */
Domain *driver_define(Driver *driver, const char *xml, guint flags, GError **error);
/* virDomainCreateXML: a transient domain, started. On success @done gets the domain. */
typedef void (*DriverCreateDone)(gpointer data, Domain *domain, const GError *error);
void driver_create(Driver *driver, const char *xml, guint flags, DriverCreateDone done,
                   gpointer data);

/* virDomainRestoreFlags: a domain of @image, as it was when it was saved; @xml: another document for
 * it, NULL: its own. */
void driver_restore(Driver *driver, const SavedImage *image, const char *xml, guint flags,
                    DriverCreateDone done, gpointer data);

/* The document in @image, for g_free(), and another one for it. */
char *driver_save_image_xml(Driver *driver, const SavedImage *image, guint flags, GError **error);
gboolean driver_save_image_define(Driver *driver, const SavedImage *image, const char *xml, guint flags,
                                  GError **error);

/* The networks, pools and so on, borrowed: there always are some, possibly none of any kind. */
HostObjects *driver_host_objects(Driver *driver);

/* Whether it is libvirt's test driver. */
gboolean driver_is_simulated(const Driver *driver);
/* "QEMU" or "Test". */
const char *driver_name(const Driver *driver);
/* About the host; @ret texts are the caller's. */
const char *driver_hostname(Driver *driver);
char *driver_capabilities(Driver *driver);
/* virConnectGetDomainCapabilities; "" is any. */
char *driver_domain_capabilities(Driver *driver, const char *emulator, const char *arch,
                                 const char *machine, const char *virttype, guint flags,
                                 GError **error);
/* virNodeGetMemoryParameters, a{sv} and floating, and virNodeSetMemoryParameters. */
GVariant *driver_memory_parameters(Driver *driver, guint flags, GError **error);
gboolean driver_set_memory_parameters(Driver *driver, GVariant *params, guint flags,
                                      GError **error);
/* virConnectGetSysinfo, for g_free(). */
char *driver_sysinfo(Driver *driver, guint flags, GError **error);
/* virConnectCompareCPU: a virCPUCompareResult, VIR_CPU_COMPARE_ERROR with @error. */
int driver_compare_cpu(Driver *driver, const char *xml, guint flags, GError **error);
/* virConnectBaselineCPU, for g_free(); NULL ends @documents. */
char *driver_baseline_cpu(Driver *driver, const char *const *documents, guint flags,
                          GError **error);
/* virConnectGetCPUModelNames; g_strfreev() it. */
char **driver_cpu_models(Driver *driver, const char *arch, guint flags, GError **error);
gulong driver_lib_version(void); /* libvirt's own form: major * 1000000 + minor * 1000 + release */
gulong driver_version(Driver *driver); /* of the hypervisor, the same form */
