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

gint64
process_cpu_ns(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/task", pid);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *thread;
    gint64 sum = 0;

    while (dir && (thread = g_dir_read_name(dir))) {
        g_autofree char *file = g_build_filename(path, thread, "schedstat", NULL);
        g_autofree char *text = NULL;

        if (g_file_get_contents(file, &text, NULL, NULL))
            sum += g_ascii_strtoll(text, NULL, 10);
    }
    return sum;
}
