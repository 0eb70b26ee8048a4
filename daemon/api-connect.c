#include "daemon/api.h"

#include "daemon/api-absent.h"
#include "daemon/api-document.h"
#include "daemon/api-test.h"
#include "daemon/api-domain-save.h"
#include "daemon/api-host.h"
#include "daemon/api-list.h"
#include "daemon/api-node.h"
#include "daemon/api-stats.h"
#include "driver/error.h"

static void
reply_domain(Call *call, Domain *domain, GError *error)
{
    if (domain)
        call_reply(call, g_variant_new("(*)", call_name(call, domain)));
    else
        call_fail(call, error);
}

static void
define_xml(Call *call)
{
    GError *error = NULL;
    Domain *domain;
    const char *xml;

    call_get(call, "(&s)", &xml);
    domain = driver_define(call_object(call)->driver, xml, 0, &error);
    reply_domain(call, domain, error);
}

static void
created(gpointer data, Domain *domain, const GError *error)
{
    if (!error)
        call_bind(data, domain);
    reply_domain(data, error ? NULL : domain, error ? g_error_copy(error) : NULL);
}

static void
create_xml(Call *call)
{
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    driver_create(call_object(call)->driver, xml, flags, created, call);
}

/* Of the test driver, where nobody is there to pass the files to. */
static void
create_xml_with_files(Call *call)
{
    const char *xml;
    guint flags;

    call_get(call, "(&s@ahu)", &xml, NULL, &flags);
    driver_create(call_object(call)->driver, xml, flags, created, call);
}

static Domain *
of_id(const ApiObject *object, GVariant *args, GError **error)
{
    int id;

    g_variant_get(args, "(i)", &id);
    return driver_find_id(object->driver, id, error);
}

static Domain *
of_name(const ApiObject *object, GVariant *args, GError **error)
{
    const char *name;

    g_variant_get(args, "(&s)", &name);
    return driver_find_name(object->driver, name, error);
}

static Domain *
of_uuid(const ApiObject *object, GVariant *args, GError **error)
{
    const char *uuid;

    g_variant_get(args, "(&s)", &uuid);
    return driver_find_uuid(object->driver, uuid, error);
}

static void
lookup(Call *call)
{
    GError *error = NULL;
    Domain *domain = call_subject(call, &error);

    reply_domain(call, domain, error);
}

static void
capabilities(Call *call)
{
    g_autofree char *xml = driver_capabilities(call_object(call)->driver);

    call_reply(call, g_variant_new("(s)", xml));
}

static void
domain_capabilities(Call *call)
{
    const char *emulator, *arch, *machine, *virttype;
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(&s&s&s&su)", &emulator, &arch, &machine, &virttype, &flags);
    xml = driver_domain_capabilities(call_object(call)->driver, emulator, arch, machine, virttype,
                                     flags, &error);
    call_reply_text(call, xml, error);
}

static void
baseline_cpu(Call *call)
{
    g_autofree const char **documents = NULL;
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(^a&su)", &documents, &flags);
    if (*documents)
        xml = driver_baseline_cpu(call_object(call)->driver, documents, flags, &error);
    else /* as libvirt-dbus, which has no array for none */
        driver_error_argument(&error, "xmlCPUs in %s must not be NULL", call_libvirt_name(call));
    call_reply_text(call, xml, error);
}

static void
compare_cpu(Call *call)
{
    GError *error = NULL;
    const char *xml;
    guint flags;
    int result;

    call_get(call, "(&su)", &xml, &flags);
    result = driver_compare_cpu(call_object(call)->driver, xml, flags, &error);
    if (error)
        call_fail(call, error);
    else
        call_reply(call, g_variant_new("(i)", result));
}

static void
cpu_models(Call *call)
{
    g_auto(GStrv) names = NULL;
    GError *error = NULL;
    const char *arch;
    guint flags;

    call_get(call, "(&su)", &arch, &flags);
    names = driver_cpu_models(call_object(call)->driver, arch, flags, &error);
    if (names)
        call_reply(call, g_variant_new("(^as)", names));
    else
        call_fail(call, error);
}

static void
sysinfo(Call *call)
{
    g_autofree char *xml = NULL;
    GError *error = NULL;
    guint flags;

    call_get(call, "(u)", &flags);
    xml = driver_sysinfo(call_object(call)->driver, flags, &error);
    call_reply_text(call, xml, error);
}

/* A local driver: nothing is encrypted and nobody else can listen (virConnectIsSecure), which libvirt's test driver does
 * not claim. */
static GVariant *
get_encrypted(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(FALSE);
}

static GVariant *
get_secure(const ApiObject *object, GError **error)
{
    return g_variant_new_boolean(!driver_is_simulated(object->driver));
}

static GVariant *
get_hostname(const ApiObject *object, GError **error)
{
    return g_variant_new_string(driver_hostname(object->driver));
}

static GVariant *
get_lib_version(const ApiObject *object, GError **error)
{
    return g_variant_new_uint64(driver_lib_version());
}

static GVariant *
get_version(const ApiObject *object, GError **error)
{
    return g_variant_new_uint64(driver_version(object->driver));
}

static const Property properties[] = {
    { "Encrypted", get_encrypted }, { "Hostname", get_hostname }, { "LibVersion", get_lib_version },
    { "Secure", get_secure },       { "Version", get_version },   { NULL },
};

static const Method methods[] = {
    { "BaselineCPU", "virConnectBaselineCPU", "connect.write", baseline_cpu },
    { "CompareCPU", "virConnectCompareCPU", "connect.write", compare_cpu },
    { "DomainCreateXML", "virDomainCreateXML", "domain.start", create_xml,
      .identify = api_document_identify },
    { "DomainCreateXMLWithFiles", "virDomainCreateXMLWithFiles", "domain.start",
      .identify = api_document_identify, .test = create_xml_with_files },
    { "DomainDefineXML", "virDomainDefineXML", "domain.write", define_xml,
      .identify = api_document_identify },
    { "DomainLookupByID", "virDomainLookupByID", "domain.getattr", lookup, .subject = of_id },
    { "DomainLookupByName", "virDomainLookupByName", "domain.getattr", lookup, .subject = of_name },
    { "DomainLookupByUUID", "virDomainLookupByUUIDString", "domain.getattr", lookup,
      .subject = of_uuid },
    { "DomainRestore", "virDomainRestoreFlags", "domain.start", api_connect_restore,
      .identify = api_document_identify_image },
    { "DomainSaveImageDefineXML", "virDomainSaveImageDefineXML", "domain.write",
      api_connect_save_image_define, .identify = api_document_identify_image },
    { "DomainSaveImageGetXMLDesc", "virDomainSaveImageGetXMLDesc", "domain.read-secure",
      api_connect_save_image_xml, .identify = api_document_identify_image },
    { "FindStoragePoolSources", "virConnectFindStoragePoolSources",
      "connect.detect-storage-pools", api_host_find_pool_sources },
    { "GetAllDomainStats", "virConnectGetAllDomainStats", "connect.search-domains", api_stats_all,
      .filter = "domain.read" },
    { "GetCapabilities", "virConnectGetCapabilities", "connect.read", capabilities },
    { "GetCPUModelNames", "virConnectGetCPUModelNames", "connect.read", cpu_models },
    { "GetDomainCapabilities", "virConnectGetDomainCapabilities", "connect.write",
      domain_capabilities },
    { "GetSysinfo", "virConnectGetSysinfo", "connect.read", sysinfo },
    { "InterfaceChangeBegin", "virInterfaceChangeBegin", "connect.interface-transaction",
      api_host_begin },
    { "InterfaceChangeCommit", "virInterfaceChangeCommit", "connect.interface-transaction",
      api_host_commit },
    { "InterfaceChangeRollback", "virInterfaceChangeRollback", "connect.interface-transaction",
      api_host_roll_back },
    { "InterfaceDefineXML", "virInterfaceDefineXML", "interface.write", api_host_define },
    { "InterfaceLookupByMAC", "virInterfaceLookupByMACString", "interface.getattr",
      api_host_lookup },
    { "InterfaceLookupByName", "virInterfaceLookupByName", "interface.getattr", api_host_lookup },
    { "ListDomains", "virConnectListAllDomains", "connect.search-domains", api_list_domains,
      .filter = "domain.getattr" },
    { "ListInterfaces", "virConnectListAllInterfaces", "connect.search-interfaces", api_host_list },
    { "ListNetworks", "virConnectListAllNetworks", "connect.search-networks", api_host_list },
    { "ListNodeDevices", "virConnectListAllNodeDevices", "connect.search-node-devices",
      api_host_list },
    { "ListNWFilters", "virConnectListAllNWFilters", "connect.search-nwfilters", api_absent_list,
      .test = api_test_not_supported },
    { "ListSecrets", "virConnectListAllSecrets", "connect.search-secrets", api_absent_list,
      .test = api_test_not_supported },
    { "ListStoragePools", "virConnectListAllStoragePools", "connect.search-storage-pools",
      api_host_list },
    { "NetworkCreateXML", "virNetworkCreateXML", "network.start", api_host_create },
    { "NetworkDefineXML", "virNetworkDefineXML", "network.write", api_host_define },
    { "NetworkLookupByName", "virNetworkLookupByName", "network.getattr", api_host_lookup },
    { "NetworkLookupByUUID", "virNetworkLookupByUUIDString", "network.getattr", api_host_lookup },
    { "NodeDeviceCreateXML", "virNodeDeviceCreateXML", "node-device.start",
      api_host_create_device },
    { "NodeDeviceLookupByName", "virNodeDeviceLookupByName", "node-device.getattr",
      api_host_lookup },
    { "NodeDeviceLookupSCSIHostByWWN", "virNodeDeviceLookupSCSIHostByWWN", "node-device.getattr" },
    { "NWFilterDefineXML", "virNWFilterDefineXML", "nwfilter.write" },
    { "NWFilterLookupByName", "virNWFilterLookupByName", "nwfilter.getattr", api_absent_lookup,
      .test = api_test_not_supported },
    { "NWFilterLookupByUUID", "virNWFilterLookupByUUID", "nwfilter.getattr",
      api_absent_lookup,
      .test = api_test_not_supported },
    { "NodeGetCPUMap", "virNodeGetCPUMap", "connect.read", api_node_cpu_map },
    { "NodeGetCPUStats", "virNodeGetCPUStats", "connect.read", api_node_cpu_stats },
    { "NodeGetFreeMemory", "virNodeGetFreeMemory", "connect.read", api_node_free_memory },
    { "NodeGetMemoryParameters", "virNodeGetMemoryParameters", "connect.read",
      api_node_memory_parameters },
    { "NodeGetMemoryStats", "virNodeGetMemoryStats", "connect.read", api_node_memory_stats },
    { "NodeGetSecurityModel", "virNodeGetSecurityModel", "connect.read", api_node_security_model },
    { "NodeSetMemoryParameters", "virNodeSetMemoryParameters", "connect.write",
      api_node_set_memory_parameters },
    { "SecretDefineXML", "virSecretDefineXML", "secret.write" },
    { "SecretLookupByUUID", "virSecretLookupByUUID", "secret.getattr", api_absent_lookup,
      .test = api_test_not_supported },
    { "SecretLookupByUsage", "virSecretLookupByUsage", "secret.getattr", api_absent_lookup,
      .test = api_test_not_supported },
    { "StoragePoolCreateXML", "virStoragePoolCreateXML", "storage-pool.start", api_host_create },
    { "StoragePoolDefineXML", "virStoragePoolDefineXML", "storage-pool.write", api_host_define },
    { "StoragePoolLookupByName", "virStoragePoolLookupByName", "storage-pool.getattr",
      api_host_lookup },
    { "StoragePoolLookupByUUID", "virStoragePoolLookupByUUIDString", "storage-pool.getattr",
      api_host_lookup },
    { "StorageVolLookupByKey", "virStorageVolLookupByKey", "storage-vol.getattr",
      api_absent_lookup },
    { "StorageVolLookupByPath", "virStorageVolLookupByPath", "storage-vol.getattr",
      api_absent_lookup },
    { NULL },
};

const Interface api_connect = { "org.libvirt.Connect", methods, properties };
