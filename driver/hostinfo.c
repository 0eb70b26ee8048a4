#include "driver/hostinfo.h"

#include <unistd.h>

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
