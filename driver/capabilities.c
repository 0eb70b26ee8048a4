#include "driver/capabilities.h"

#include "driver/hostinfo.h"

char *
capabilities_format(const DriverEnv *env)
{
    const char *vendor = hostinfo_cpu_vendor();
    g_autofree char *emulator = g_markup_escape_text(env->vmm, -1);
    g_autofree char *vendor_element =
        vendor ? g_strdup_printf("      <vendor>%s</vendor>\n", vendor) : g_strdup("");
    char uuid[37];

    hostinfo_uuid(uuid);
    return g_strdup_printf("<capabilities>\n\n"
                           "  <host>\n"
                           "    <uuid>%s</uuid>\n"
                           "    <cpu>\n"
                           "      <arch>x86_64</arch>\n"
                           "%s"
                           "    </cpu>\n"
                           "    <topology>\n"
                           "      <cells num='1'>\n"
                           "        <cell id='0'>\n"
                           "          <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>\n"
                           "          <cpus num='%u'/>\n"
                           "        </cell>\n"
                           "      </cells>\n"
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
                           uuid, vendor_element, hostinfo_memory_kib(), hostinfo_cpus(), emulator);
}
