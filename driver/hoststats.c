#include "driver/hoststats.h"

#include "driver/error.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S 1000000000
#define CPU_DIR  "/sys/devices/system/cpu"
#define NODE_DIR "/sys/devices/system/node"

static char *
read_text(const char *path, GError **error)
{
    char *text = NULL;
    g_autoptr(GError) cause = NULL;

    if (!g_file_get_contents(path, &text, NULL, &cause))
        driver_error(error, VIR_ERR_SYSTEM_ERROR, "%s", cause->message);
    return text;
}

void
hoststats_parse_meminfo(const char *text, HostMemory *ret)
{
    struct {
        const char *name;
        guint64 *value;
    } const fields
        [] = {
            { "MemTotal", &ret->total },   { "MemFree", &ret->free },
            { "Buffers", &ret->buffers },  { "Cached", &ret->cached },
            { "FilePages", &ret->cached }, /* a node's word for buffers and cache together */
        };
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    *ret = (HostMemory){ 0 };
    for (char **line = lines; *line; line++) {
        const char *colon = strchr(*line, ':');
        const char *word = colon ? colon : *line;

        while (word > *line && word[-1] != ' ')
            word--;
        for (gsize i = 0; colon && i < G_N_ELEMENTS(fields); i++) {
            if ((gsize)(colon - word) == strlen(fields[i].name) &&
                strncmp(word, fields[i].name, colon - word) == 0)
                *fields[i].value = g_ascii_strtoull(colon + 1, NULL, 10);
        }
    }
}

gboolean
hoststats_memory(int cell, HostMemory *ret, GError **error)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;

    if (cell == VIR_NODE_MEMORY_STATS_ALL_CELLS)
        path = g_strdup("/proc/meminfo");
    else
        path = g_strdup_printf(NODE_DIR "/node%d/meminfo", cell);
    if (cell < VIR_NODE_MEMORY_STATS_ALL_CELLS || !g_file_test(path, G_FILE_TEST_EXISTS))
        return driver_error(error, VIR_ERR_INVALID_ARG, "there is no NUMA cell %d", cell);
    text = read_text(path, error);
    if (text)
        hoststats_parse_meminfo(text, ret);
    return text != NULL;
}

gboolean
hoststats_parse_stat(const char *text, int cpu, HostCpuTimes *ret)
{
    g_autofree char *name =
        cpu == VIR_NODE_CPU_STATS_ALL_CPUS ? g_strdup("cpu ") : g_strdup_printf("cpu%d ", cpu);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    guint64 tick_ns = NS_PER_S / sysconf(_SC_CLK_TCK);

    for (char **line = lines; *line; line++) {
        guint64 user, nice, kernel, idle, iowait, irq, softirq;

        if (!g_str_has_prefix(*line, name) ||
            sscanf(*line + strlen(name),
                   "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                   " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                   " %" G_GUINT64_FORMAT,
                   &user, &nice, &kernel, &idle, &iowait, &irq, &softirq) != 7)
            continue;
        *ret = (HostCpuTimes){ (user + nice) * tick_ns, (kernel + irq + softirq) * tick_ns,
                          idle * tick_ns, iowait * tick_ns };
        return TRUE;
    }
    return FALSE;
}

gboolean
hoststats_cpu(int cpu, HostCpuTimes *ret, GError **error)
{
    g_autofree char *text = read_text("/proc/stat", error);

    if (!text)
        return FALSE;
    if (cpu < VIR_NODE_CPU_STATS_ALL_CPUS || !hoststats_parse_stat(text, cpu, ret))
        return driver_error(error, VIR_ERR_INVALID_ARG, "there is no online processor %d", cpu);
    return TRUE;
}

void
hoststats_parse_cpu_list(const char *text, GArray *map)
{
    g_auto(GStrv) ranges = g_strsplit(text, ",", 0);

    for (char **range = ranges; *range; range++) {
        char *dash;
        guint64 first = g_ascii_strtoull(*range, &dash, 10);
        guint64 last = *dash == '-' ? g_ascii_strtoull(dash + 1, NULL, 10) : first;

        for (guint64 i = first; dash > *range && i <= last && i < map->len; i++)
            g_array_index(map, gboolean, i) = TRUE;
    }
}

GArray *
hoststats_cpu_map(GError **error)
{
    g_autofree char *online = read_text(CPU_DIR "/online", error);
    GArray *map;

    if (!online)
        return NULL;
    map = g_array_new(FALSE, TRUE, sizeof(gboolean));
    g_array_set_size(map, sysconf(_SC_NPROCESSORS_CONF));
    hoststats_parse_cpu_list(online, map);
    return map;
}
