#include "driver/driver-private.h"

#include "driver/capabilities.h"
#include "driver/cpu-archs.h"
#include "driver/cpu-baseline.h"
#include "driver/cpu-compare.h"
#include "driver/domain-capabilities.h"
#include "driver/domain-xml-sysinfo.h"
#include "driver/error.h"
#include "driver/flags.h"
#include "driver/ksm.h"
#include "driver/test-default.h"

/* The hypervisor version that clients are told: that of the QEMU whose machine ours stands in for, so
 * that they do not fall back to what only older ones had. */
#define HYPERVISOR_VERSION (7 * 1000000 + 2 * 1000)

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
