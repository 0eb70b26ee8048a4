#include "driver/hostinfo.h"

#include <string.h>
#include <sys/utsname.h>
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

/* The directories @dir/@prefix<number>. */
static guint
count_numbered(const char *dir, const char *prefix)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    const char *name;
    guint n = 0;

    while (entries && (name = g_dir_read_name(entries)))
        n += g_str_has_prefix(name, prefix) && g_ascii_isdigit(name[strlen(prefix)]);
    return n;
}

static gboolean
topology_of(guint cpu, const char *file, guint *ret)
{
    g_autofree char *path = g_strdup_printf("/sys/devices/system/cpu/cpu%u/topology/%s", cpu, file);
    g_autofree char *text = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        return FALSE;
    *ret = (guint)g_ascii_strtoull(text, NULL, 10);
    return TRUE;
}

/* Counts packages, and cores and threads of all. */
static void
count_topology(guint *ret_packages, guint *ret_cores, guint *ret_threads)
{
    g_autoptr(GHashTable) packages = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(GHashTable) cores = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint present = (guint)MAX(1, sysconf(_SC_NPROCESSORS_CONF));
    guint package, core, threads = 0;

    for (guint cpu = 0; cpu < present; cpu++) {
        if (!topology_of(cpu, "physical_package_id", &package) ||
            !topology_of(cpu, "core_id", &core))
            continue;
        g_hash_table_add(packages, GUINT_TO_POINTER(package));
        g_hash_table_add(cores, g_strdup_printf("%u/%u", package, core));
        threads++;
    }
    *ret_packages = g_hash_table_size(packages);
    *ret_cores = g_hash_table_size(cores);
    *ret_threads = threads;
}

static guint
cpu_mhz(void)
{
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL))
        return 0;
    line = strstr(text, "cpu MHz");
    line = line ? strchr(line, ':') : NULL;
    return line ? (guint)g_ascii_strtod(line + 1, NULL) : 0;
}

void
hostinfo_node(HostNode *ret)
{
    guint packages, cores, threads;
    struct utsname names;

    uname(&names);
    *ret = (HostNode){ .memory_kib = hostinfo_memory_kib(),
                       .cpus = hostinfo_cpus(),
                       .mhz = cpu_mhz(),
                       .nodes = MAX(1, count_numbered("/sys/devices/system/node", "node")) };
    g_strlcpy(ret->model, names.machine, sizeof ret->model);
    count_topology(&packages, &cores, &threads);
    if (packages && cores && packages % ret->nodes == 0 && cores % packages == 0 &&
        threads % cores == 0 && threads == ret->cpus) {
        ret->sockets = packages / ret->nodes;
        ret->cores = cores / packages;
        ret->threads = threads / cores;
    } else {
        ret->nodes = ret->sockets = ret->threads = 1;
        ret->cores = ret->cpus;
    }
}
