/* The host's figures, from texts of the kernel's and from the kernel itself. */
#include "driver/error.h"
#include "driver/hoststats.h"

#include <libvirt/libvirt.h>
#include <unistd.h>

#define NS_PER_S 1000000000

static void
test_meminfo(void)
{
    HostMemory memory;

    hoststats_parse_meminfo("MemTotal:       16384 kB\nMemFree:         4096 kB\n"
                            "MemAvailable:    9999 kB\nBuffers:           12 kB\n"
                            "Cached:           345 kB\nSwapCached:         7 kB\n",
                            &memory);
    g_assert_cmpuint(memory.total, ==, 16384);
    g_assert_cmpuint(memory.free, ==, 4096);
    g_assert_cmpuint(memory.buffers, ==, 12);
    g_assert_cmpuint(memory.cached, ==, 345);
    hoststats_parse_meminfo("Node 0 MemTotal:  100 kB\nNode 0 MemFree:   40 kB\n"
                            "Node 0 FilePages: 30 kB\n",
                            &memory);
    g_assert_cmpuint(memory.total, ==, 100);
    g_assert_cmpuint(memory.free, ==, 40);
    g_assert_cmpuint(memory.cached, ==, 30);
    hoststats_parse_meminfo("nonsense", &memory);
    g_assert_cmpuint(memory.total, ==, 0);
}

static void
test_stat(void)
{
    const char *text =
        "cpu  10 2 30 400 5 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 0 0 0\ncpu10 9 0 0 0 0 0 0\n";
    guint64 tick = NS_PER_S / sysconf(_SC_CLK_TCK);
    HostCpuTimes cpu;

    g_assert_true(hoststats_parse_stat(text, VIR_NODE_CPU_STATS_ALL_CPUS, &cpu));
    g_assert_cmpuint(cpu.user, ==, 12 * tick);
    g_assert_cmpuint(cpu.kernel, ==, 43 * tick);
    g_assert_cmpuint(cpu.idle, ==, 400 * tick);
    g_assert_cmpuint(cpu.iowait, ==, 5 * tick);
    g_assert_true(hoststats_parse_stat(text, 10, &cpu));
    g_assert_cmpuint(cpu.user, ==, 9 * tick);
    g_assert_false(hoststats_parse_stat(text, 1, &cpu));
}

static void
check_list(const char *text, const char *expected)
{
    g_autoptr(GArray) map = g_array_new(FALSE, TRUE, sizeof(gboolean));
    g_autoptr(GString) got = g_string_new(NULL);

    g_array_set_size(map, 8);
    hoststats_parse_cpu_list(text, map);
    for (guint i = 0; i < map->len; i++)
        g_string_append_c(got, g_array_index(map, gboolean, i) ? 'y' : '-');
    g_assert_cmpstr(got->str, ==, expected);
}

static void
test_cpu_list(void)
{
    check_list("0-3,6\n", "yyyy--y-");
    check_list("0\n", "y-------");
    check_list("5-99999999999\n", "-----yyy");
    check_list("\n", "--------");
    check_list("3-1,x,7", "-------y");
}

static void
test_this_host(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) map = hoststats_cpu_map(&error);
    HostMemory memory;
    HostCpuTimes cpu;

    g_assert_no_error(error);
    g_assert_cmpuint(map->len, >=, 1);
    g_assert_true(hoststats_memory(VIR_NODE_MEMORY_STATS_ALL_CELLS, &memory, &error));
    g_assert_cmpuint(memory.total, >=, memory.free);
    g_assert_cmpuint(memory.free, >, 0);
    g_assert_true(hoststats_cpu(VIR_NODE_CPU_STATS_ALL_CPUS, &cpu, &error));
    g_assert_cmpuint(cpu.user + cpu.kernel, >, 0);
    g_assert_false(hoststats_memory(4711, &memory, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
    g_clear_error(&error);
    g_assert_false(hoststats_cpu(-2, &cpu, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hoststats/meminfo", test_meminfo);
    g_test_add_func("/hoststats/stat", test_stat);
    g_test_add_func("/hoststats/cpu-list", test_cpu_list);
    g_test_add_func("/hoststats/this-host", test_this_host);
    return g_test_run();
}
