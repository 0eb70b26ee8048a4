#include "driver/hostinfo.h"

#include <cpuid.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *id; /* CPUID leaf 0 */
    const char *name;
} vendors[] = {
    { "GenuineIntel", "Intel" },
    { "AuthenticAMD", "AMD" },
    { "HygonGenuine", "Hygon" },
};

const char *
hostinfo_cpu_vendor(void)
{
    unsigned eax, ebx, ecx, edx;
    char id[13] = { 0 };

    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
        return NULL;
    memcpy(id, &ebx, 4);
    memcpy(id + 4, &edx, 4);
    memcpy(id + 8, &ecx, 4);
    for (gsize i = 0; i < G_N_ELEMENTS(vendors); i++) {
        if (strcmp(vendors[i].id, id) == 0)
            return vendors[i].name;
    }
    return NULL;
}

guint
hostinfo_cpus(void)
{
    return MAX(1, sysconf(_SC_NPROCESSORS_ONLN));
}

guint64
hostinfo_memory_kib(void)
{
    return (guint64)sysconf(_SC_PHYS_PAGES) * (sysconf(_SC_PAGESIZE) / 1024);
}

void
hostinfo_uuid(char ret[37])
{
    g_autofree char *id = NULL;
    const char *p;

    /* machine-id(5): confidential as it is, so what we show is a digest of it for our own purpose. */
    g_autoptr(GChecksum) digest = g_checksum_new(G_CHECKSUM_SHA256);

    if (g_file_get_contents("/etc/machine-id", &id, NULL, NULL))
        g_checksum_update(digest, (const guchar *)id, -1);
    else
        g_checksum_update(digest, (const guchar *)g_get_host_name(), -1);
    g_checksum_update(digest, (const guchar *)"vmctl host", -1);
    p = g_checksum_get_string(digest);
    g_snprintf(ret, 37, "%.8s-%.4s-4%.3s-8%.3s-%.12s", p, p + 8, p + 12, p + 15, p + 18);
}
