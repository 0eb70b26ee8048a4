#include "driver/host-topology.h"

#include "driver/cpuset.h"
#include "driver/hostinfo.h"
#include "driver/hoststats.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The first line of a file of sysfs, for g_free(); NULL: it cannot be read. */
G_GNUC_PRINTF(1, 2)
static char *
read_line(const char *format, ...)
{
    g_autofree char *path = NULL;
    char *text = NULL;
    va_list args;

    va_start(args, format);
    path = g_strdup_vprintf(format, args);
    va_end(args);
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static guint64
number(const char *text)
{
    return text ? g_ascii_strtoull(text, NULL, 10) : 0;
}

static CpuSet
set_of(const char *text)
{
    CpuSet set = { 0 };

    if (text)
        cpuset_parse(text, &set, NULL);
    return set;
}

/* Pages */

static gint
compare_sizes(gconstpointer one, gconstpointer other)
{
    guint64 a = *(const guint64 *)one, b = *(const guint64 *)other;

    return a < b ? -1 : a > b;
}

/* The sizes in KiB of the huge pages that @dir has a pool of, the smallest first. */
static GArray *
huge_sizes(const char *dir)
{
    GArray *sizes = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GDir) pools = g_dir_open(dir, 0, NULL);
    const char *name;

    while (pools && (name = g_dir_read_name(pools))) {
        guint64 kib;

        if (sscanf(name, "hugepages-%" G_GUINT64_FORMAT "kB", &kib) == 1)
            g_array_append_val(sizes, kib);
    }
    g_array_sort(sizes, compare_sizes);
    return sizes;
}

static guint64
small_kib(void)
{
    return sysconf(_SC_PAGESIZE) / 1024;
}

void
host_topology_put_pages(const char *sys, GString *out)
{
    g_autofree char *dir = g_build_filename(sys, "kernel/mm/hugepages", NULL);
    g_autoptr(GArray) sizes = huge_sizes(dir);
    guint64 kib = small_kib();

    g_array_prepend_val(sizes, kib);
    for (guint i = 0; i < sizes->len; i++)
        g_string_append_printf(out, "      <pages unit='KiB' size='%" G_GUINT64_FORMAT "'/>\n",
                               g_array_index(sizes, guint64, i));
}

static void
put_page(GString *out, guint64 size_kib, guint64 n)
{
    g_string_append_printf(out,
                           "          <pages unit='KiB' size='%" G_GUINT64_FORMAT
                           "'>%" G_GUINT64_FORMAT "</pages>\n",
                           size_kib, n);
}

/* Of a cell of @memory_kib, whose pools of huge pages are in @dir: what these do not have is small pages. */
static void
put_cell_pages(GString *out, const char *dir, guint64 memory_kib)
{
    g_autoptr(GArray) sizes = huge_sizes(dir);
    g_autoptr(GArray) counts = g_array_new(FALSE, FALSE, sizeof(guint64));

    for (guint i = 0; i < sizes->len; i++) {
        guint64 size = g_array_index(sizes, guint64, i);
        g_autofree char *text =
            read_line("%s/hugepages-%" G_GUINT64_FORMAT "kB/nr_hugepages", dir, size);
        guint64 n = number(text);

        g_array_append_val(counts, n);
        memory_kib -= MIN(memory_kib, n * size);
    }
    put_page(out, small_kib(), memory_kib / small_kib());
    for (guint i = 0; i < sizes->len; i++)
        put_page(out, g_array_index(sizes, guint64, i), g_array_index(counts, guint64, i));
}

/* Distances: a number for each of the cells that are online, in their order. */
static void
put_distances(GString *out, const char *text, const CpuSet *cells)
{
    g_auto(GStrv) words = text ? g_strsplit(text, " ", -1) : NULL;
    guint n = 0;

    if (!words || !words[0])
        return;
    g_string_append(out, "          <distances>\n");
    for (guint i = 0; i < CPUSET_MAX && words[n]; i++) {
        if (CPU_ISSET(i, &cells->cpus))
            g_string_append_printf(out,
                                   "            <sibling id='%u' value='%" G_GUINT64_FORMAT "'/>\n",
                                   i, number(words[n++]));
    }
    g_string_append(out, "          </distances>\n");
}

/* Processors */

static void
put_cpu(GString *out, const char *sys, guint cpu)
{
    g_autofree char *dir = g_strdup_printf("%s/devices/system/cpu/cpu%u/topology", sys, cpu);
    g_autofree char *socket = read_line("%s/physical_package_id", dir);
    g_autofree char *die = read_line("%s/die_id", dir);
    g_autofree char *core = read_line("%s/core_id", dir);
    g_autofree char *threads = read_line("%s/thread_siblings_list", dir);
    const CpuSet siblings = set_of(threads);
    g_autofree char *list = cpuset_format(&siblings);

    g_string_append_printf(out,
                           "            <cpu id='%u' socket_id='%" G_GUINT64_FORMAT
                           "' die_id='%" G_GUINT64_FORMAT "' core_id='%" G_GUINT64_FORMAT
                           "' siblings='%s'/>\n",
                           cpu, number(socket), number(die), number(core), list);
}

static void
put_cpus(GString *out, const char *sys, const CpuSet *cpus)
{
    g_string_append_printf(out, "          <cpus num='%d'>\n", CPU_COUNT(&cpus->cpus));
    for (guint i = 0; i < CPUSET_MAX; i++) {
        if (CPU_ISSET(i, &cpus->cpus))
            put_cpu(out, sys, i);
    }
    g_string_append(out, "          </cpus>\n");
}

/* Cells */

static void
put_memory(GString *out, guint cell, guint64 memory_kib)
{
    g_string_append_printf(out,
                           "        <cell id='%u'>\n"
                           "          <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>\n",
                           cell, memory_kib);
}

static void
put_cell(GString *out, const char *sys, guint cell, const CpuSet *cells)
{
    g_autofree char *dir = g_strdup_printf("%s/devices/system/node/node%u", sys, cell);
    g_autofree char *pools = g_build_filename(dir, "hugepages", NULL);
    g_autofree char *meminfo = g_build_filename(dir, "meminfo", NULL);
    g_autofree char *distances = read_line("%s/distance", dir);
    g_autofree char *list = read_line("%s/cpulist", dir);
    g_autofree char *text = NULL;
    const CpuSet cpus = set_of(list);
    HostMemory memory = { 0 };

    if (g_file_get_contents(meminfo, &text, NULL, NULL))
        hoststats_parse_meminfo(text, &memory);
    put_memory(out, cell, memory.total);
    put_cell_pages(out, pools, memory.total);
    put_distances(out, distances, cells);
    put_cpus(out, sys, &cpus);
    g_string_append(out, "        </cell>\n");
}

static void
put_only_cell(GString *out, const char *sys)
{
    g_autofree char *pools = g_build_filename(sys, "kernel/mm/hugepages", NULL);
    g_autofree char *online = read_line("%s/devices/system/cpu/online", sys);
    const CpuSet cpus = set_of(online);

    put_memory(out, 0, hostinfo_memory_kib());
    put_cell_pages(out, pools, hostinfo_memory_kib());
    put_cpus(out, sys, &cpus);
    g_string_append(out, "        </cell>\n");
}

CpuSet
host_topology_nodes(const char *sys)
{
    g_autofree char *online = read_line("%s/devices/system/node/online", sys);
    CpuSet nodes = set_of(online);

    return cpuset_is_empty(&nodes) ? cpuset_first(1) : nodes;
}

void
host_topology_put_cells(const char *sys, GString *out)
{
    g_autofree char *online = read_line("%s/devices/system/node/online", sys);
    const CpuSet cells = set_of(online);
    int n = CPU_COUNT(&cells.cpus);

    g_string_append_printf(out, "      <cells num='%d'>\n", MAX(n, 1));
    for (guint i = 0; i < CPUSET_MAX; i++) {
        if (CPU_ISSET(i, &cells.cpus))
            put_cell(out, sys, i, &cells);
    }
    if (n == 0)
        put_only_cell(out, sys);
    g_string_append(out, "      </cells>\n");
}
