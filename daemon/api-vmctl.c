#include "daemon/api.h"

#include "daemon/api-agent.h"
#include "daemon/api-document.h"
#include "daemon/api-domain-save.h"
#include "daemon/api-list.h"
#include "daemon/api-node.h"
#include "daemon/api-stats.h"
#include "daemon/api-tuning.h"
#include "driver/device-stats.h"
#include "driver/lifecycle-action.h"

static void
define_xml_flags(Call *call)
{
    GError *error = NULL;
    Domain *domain;
    const char *xml;
    guint flags;

    call_get(call, "(&su)", &xml, &flags);
    domain = driver_define(call_object(call)->driver, xml, flags, &error);
    if (domain)
        call_reply(call, g_variant_new("(*)", call_name(call, domain)));
    else
        call_fail(call, error);
}

static GVariant *
get_daemon_version(const ApiObject *object, GError **error)
{
    return g_variant_new_string(PACKAGE_VERSION);
}

static void
open_console(Call *call)
{
    GError *error = NULL;
    const char *device;
    guint flags;
    int fd;

    call_get(call, "(&su)", &device, &flags);
    fd = domain_open_console(call_object(call)->domain, *device ? device : NULL, flags, &error);
    if (fd >= 0)
        call_reply_fd(call, fd);
    else
        call_fail(call, error);
}

static void
detach_device_alias(Call *call)
{
    const char *alias;
    guint flags;

    call_get(call, "(&su)", &alias, &flags);
    domain_detach_device_alias(call_object(call)->domain, alias, flags, call_done, call);
}

static void
set_lifecycle_action(Call *call)
{
    guint type, action, flags;

    call_get(call, "(uuu)", &type, &action, &flags);
    domain_set_lifecycle_action(call_object(call)->domain, type, action, flags, call_done, call);
}

static void
get_block_info(Call *call)
{
    const char *disk;
    guint flags;

    call_get(call, "(&su)", &disk, &flags);
    domain_block_info(call_object(call)->domain, disk, flags, call_answer, call);
}

static const Method connect_methods[] = {
    { "DomainDefineXMLFlags", "virDomainDefineXMLFlags", "domain.write", define_xml_flags,
      .identify = api_document_identify },
    { "GetAllDomainStatsInColumns", "virConnectGetAllDomainStats", "connect.search-domains",
      api_stats_columns, .filter = "domain.read" },
    { "ListAllDomains", "virConnectListAllDomains", "connect.search-domains", api_list_all_domains,
      .filter = "domain.getattr" },
    { "ListAllDomainsInColumns", "virConnectListAllDomains", "connect.search-domains",
      api_list_columns, .filter = "domain.getattr" },
    { "ListAllDomainTitles", "virConnectListAllDomains", "connect.search-domains",
      api_list_all_titles, .filter = "domain.read" },
    { "NodeGetInfo", "virNodeGetInfo", "connect.read", api_node_info },
    { NULL },
};

static const Property connect_properties[] = {
    { "DaemonVersion", get_daemon_version },
    { NULL },
};

static const Method domain_methods[] = {
    { "AgentSetResponseTimeout", "virDomainAgentSetResponseTimeout", "domain.write",
      api_agent_set_timeout },
    { "AuthorizedSSHKeysGet", "virDomainAuthorizedSSHKeysGet", "domain.write", api_get_ssh_keys },
    { "AuthorizedSSHKeysSet", "virDomainAuthorizedSSHKeysSet", "domain.write", api_set_ssh_keys },
    { "DetachDeviceAlias", "virDomainDetachDeviceAlias", "domain.write", detach_device_alias },
    { "GetCPUStats", "virDomainGetCPUStats", "domain.read", api_get_cpu_stats },
    { "GetGuestInfo", "virDomainGetGuestInfo", "domain.write", api_get_guest_info },
    { "GetVcpuInfo", "virDomainGetVcpus", "domain.read", api_get_vcpu_info },
    { "ManagedSaveDefineXML", "virDomainManagedSaveDefineXML", "domain.write",
      api_domain_managed_save_define },
    { "ManagedSaveGetXMLDesc", "virDomainManagedSaveGetXMLDesc", "domain.read",
      api_domain_managed_save_xml, VIR_DOMAIN_SAVE_IMAGE_XML_SECURE, "domain.read-secure" },
    { "GetBlockInfo", "virDomainGetBlockInfo", "domain.read", get_block_info },
    { "OpenConsole", "virDomainOpenConsole", "domain.open-device", open_console },
    { "PMSuspendForDuration", "virDomainPMSuspendForDuration", "domain.pm-control",
      api_pm_suspend },
    { "QemuAgentCommand", "virDomainQemuAgentCommand", "domain.write", api_agent_command },
    { "SetIOThreadParams", "virDomainSetIOThreadParams", "domain.write", api_set_iothread },
    { "SetLifecycleAction", "virDomainSetLifecycleAction", "domain.write", set_lifecycle_action },
    { NULL },
};

const Interface api_vmctl_connect = { "org.vmctl.Connect", connect_methods, connect_properties };
const Interface api_vmctl_domain = { "org.vmctl.Domain", domain_methods, NULL };
