#include "driver/capabilities.h"

#include "driver/host-cpu.h"
#include "driver/host-topology.h"
#include "driver/hostinfo.h"
#include "driver/test-default.h"

#define SYSFS "/sys"

static void
put_counter(GString *text, const DriverEnv *env)
{
    gboolean scaling;
    guint64 hz;

    if (host_cpu_tsc(env->kvm, &hz, &scaling))
        g_string_append_printf(
            text, "      <counter name='tsc' frequency='%" G_GUINT64_FORMAT "' scaling='%s'/>\n",
            hz, scaling ? "yes" : "no");
}

/* The model that the processor has all features of, and those that it has beyond them. */
static void
put_features(GString *text, const HostCpu *host, const CpuModel *model)
{
    g_autoptr(GPtrArray) names = NULL;
    CpuBits more = host->own, of_model = { { 0 } };

    if (model)
        cpu_model_bits(model, &of_model);
    cpu_bits_remove(&more, &of_model);
    names = cpu_bits_sorted(&more);
    for (guint i = 0; i < names->len; i++)
        g_string_append_printf(text, "      <feature name='%s'/>\n", (char *)names->pdata[i]);
}

static char *
cpu_parts(const DriverEnv *env)
{
    GString *text = g_string_new(NULL);
    const char *vendor;
    const CpuModel *model;
    HostCpu host;

    host_cpu_probe(env->kvm, &host, NULL);
    vendor = host_cpu_vendor(host.vendor_id);
    model = host_cpu_decode(&host, &host.own, FALSE);
    if (model)
        g_string_append_printf(text, "      <model>%s</model>\n", model->name);
    if (vendor)
        g_string_append_printf(text, "      <vendor>%s</vendor>\n", vendor);
    g_string_append_printf(text, "      <signature family='%u' model='%u' stepping='%u'/>\n",
                           host.signature.family, host.signature.model, host.signature.stepping);
    put_counter(text, env);
    g_string_append_printf(text, "      <maxphysaddr mode='emulate' bits='%u'/>\n",
                           host.physical_bits);
    host_topology_put_pages(SYSFS, text);
    put_features(text, &host, model);
    return g_string_free(text, FALSE);
}

char *
capabilities_format(const DriverEnv *env)
{
    g_autoptr(GString) cells = g_string_new(NULL);
    g_autofree char *emulator = NULL, *cpu = NULL;
    char uuid[37];

    if (env->simulated)
        return test_default_capabilities();
    emulator = g_markup_escape_text(env->vmm, -1);
    cpu = cpu_parts(env);
    host_topology_put_cells(SYSFS, cells);
    hostinfo_uuid(uuid);
    return g_strdup_printf("<capabilities>\n\n"
                           "  <host>\n"
                           "    <uuid>%s</uuid>\n"
                           "    <cpu>\n"
                           "      <arch>x86_64</arch>\n"
                           "%s"
                           "    </cpu>\n"
                           "    <topology>\n"
                           "%s"
                           "    </topology>\n"
                           "  </host>\n\n"
                           "  <guest>\n"
                           "    <os_type>hvm</os_type>\n"
                           "    <arch name='x86_64'>\n"
                           "      <wordsize>64</wordsize>\n"
                           "      <emulator>%s</emulator>\n"
                           "      <domain type='kvm'/>\n"
                           "    </arch>\n"
                           "    <features>\n"
                           "      <acpi default='on' toggle='yes'/>\n"
                           "      <apic default='on' toggle='no'/>\n"
                           "    </features>\n"
                           "  </guest>\n\n"
                           "</capabilities>\n",
                           uuid, cpu, cells->str, emulator);
}
