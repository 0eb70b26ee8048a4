#include "tests/bench/process.h"

#include <stdio.h>
#include <string.h>

/* One line of the form "Pss:      12 kB". */
static gboolean
get_field(const char *line, const char *name, double *ret)
{
    gsize len = strlen(name);

    return strncmp(line, name, len) == 0 && line[len] == ':' &&
           sscanf(line + len + 1, "%lf kB", ret) == 1;
}

/* The size comes first of a mapping's fields, and says whose they are. */
Overhead
process_sum_overhead(const char *smaps, guint ram_kib)
{
    g_auto(GStrv) lines = g_strsplit(smaps, "\n", -1);
    Overhead sum = { 0, 0 };
    double value, size = 0;

    for (char **line = lines; *line; line++) {
        if (get_field(*line, "Size", &value))
            size = value;
        else if (size >= ram_kib)
            continue;
        else if (get_field(*line, "Pss", &value))
            sum.pss_kib += value;
        else if (get_field(*line, "Private_Dirty", &value))
            sum.private_dirty_kib += value;
    }
    return sum;
}

Overhead
process_overhead(GPid pid, guint ram_kib)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/smaps", pid);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(path, &text, NULL, &error))
        g_error("%s", error->message);
    return process_sum_overhead(text, ram_kib);
}

static gboolean
is_vcpu(const char *thread)
{
    g_autofree char *file = g_build_filename(thread, "comm", NULL);
    g_autofree char *name = NULL;

    return g_file_get_contents(file, &name, NULL, NULL) &&
           (g_str_has_prefix(name, "vcpu ") || g_str_has_prefix(name, "CPU "));
}

static gint64
sum_cpu(GPid pid, gboolean vcpus)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *thread;
    gint64 sum = 0;

    while (dir && (thread = g_dir_read_name(dir))) {
        g_autofree char *of_thread = g_build_filename(path, thread, NULL);
        g_autofree char *file = g_build_filename(of_thread, "schedstat", NULL);
        g_autofree char *text = NULL;

        if ((vcpus || !is_vcpu(of_thread)) && g_file_get_contents(file, &text, NULL, NULL))
            sum += g_ascii_strtoll(text, NULL, 10);
    }
    return sum;
}

gint64
process_cpu_ns(GPid pid)
{
    return sum_cpu(pid, TRUE);
}

gint64
process_devices_cpu_ns(GPid pid)
{
    return sum_cpu(pid, FALSE);
}
