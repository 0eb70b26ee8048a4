/* The host's cells as capabilities tell of them, from made up trees of sysfs. */
#include "driver/host-topology.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

/* Two cells, the second without processors, as memory without a processor of its own has. */
static const char *const two_cells[][2] = {
    { "devices/system/node/online", "0,2\n" },
    { "devices/system/node/node0/meminfo", "Node 0 MemTotal:       1048576 kB\n" },
    { "devices/system/node/node0/distance", "10 21\n" },
    { "devices/system/node/node0/cpulist", "0-1\n" },
    { "devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages", "4\n" },
    { "devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages", "0\n" },
    { "devices/system/node/node2/meminfo", "Node 2 MemTotal:       8192 kB\n" },
    { "devices/system/node/node2/distance", "21 10\n" },
    { "devices/system/node/node2/cpulist", "\n" },
    { "devices/system/cpu/cpu0/topology/physical_package_id", "0\n" },
    { "devices/system/cpu/cpu0/topology/die_id", "1\n" },
    { "devices/system/cpu/cpu0/topology/core_id", "3\n" },
    { "devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1\n" },
    { "devices/system/cpu/cpu1/topology/physical_package_id", "0\n" },
    { "devices/system/cpu/cpu1/topology/die_id", "1\n" },
    { "devices/system/cpu/cpu1/topology/core_id", "3\n" },
    { "devices/system/cpu/cpu1/topology/thread_siblings_list", "0-1\n" },
};

/* A kernel that knows of no NUMA. */
static const char *const no_cells[][2] = {
    { "devices/system/cpu/online", "0\n" },
    { "devices/system/cpu/cpu0/topology/thread_siblings_list", "0\n" },
};

static char *
make_tree(const char *const (*files)[2], gsize n)
{
    char *sys = g_dir_make_tmp("vmctl-topology-XXXXXX", NULL);

    for (gsize i = 0; i < n; i++) {
        g_autofree char *path = g_build_filename(sys, files[i][0], NULL);
        g_autofree char *dir = g_path_get_dirname(path);

        g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
        g_assert_true(g_file_set_contents(path, files[i][1], -1, NULL));
    }
    return sys;
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        remove_tree(below);
    }
    g_remove(path);
}

static void
test_two_cells(void)
{
    g_autofree char *sys = make_tree(two_cells, G_N_ELEMENTS(two_cells));
    g_autoptr(GString) cells = g_string_new(NULL);
    g_autofree char *expected = g_strdup_printf(
        "      <cells num='2'>\n"
        "        <cell id='0'>\n"
        "          <memory unit='KiB'>1048576</memory>\n"
        "          <pages unit='KiB' size='%1$d'>%2$d</pages>\n"
        "          <pages unit='KiB' size='2048'>4</pages>\n"
        "          <pages unit='KiB' size='1048576'>0</pages>\n"
        "          <distances>\n"
        "            <sibling id='0' value='10'/>\n"
        "            <sibling id='2' value='21'/>\n"
        "          </distances>\n"
        "          <cpus num='2'>\n"
        "            <cpu id='0' socket_id='0' die_id='1' core_id='3' siblings='0-1'/>\n"
        "            <cpu id='1' socket_id='0' die_id='1' core_id='3' siblings='0-1'/>\n"
        "          </cpus>\n"
        "        </cell>\n"
        "        <cell id='2'>\n"
        "          <memory unit='KiB'>8192</memory>\n"
        "          <pages unit='KiB' size='%1$d'>%3$d</pages>\n"
        "          <distances>\n"
        "            <sibling id='0' value='21'/>\n"
        "            <sibling id='2' value='10'/>\n"
        "          </distances>\n"
        "          <cpus num='0'>\n"
        "          </cpus>\n"
        "        </cell>\n"
        "      </cells>\n",
        getpagesize() / 1024, (1048576 - 4 * 2048) / (getpagesize() / 1024),
        8192 / (getpagesize() / 1024));
    const CpuSet nodes = host_topology_nodes(sys);
    g_autofree char *list = cpuset_format(&nodes);

    host_topology_put_cells(sys, cells);
    g_assert_cmpstr(cells->str, ==, expected);
    g_assert_cmpstr(list, ==, "0,2");
    remove_tree(sys);
}

static void
test_no_cells(void)
{
    g_autofree char *sys = make_tree(no_cells, G_N_ELEMENTS(no_cells));
    g_autoptr(GString) cells = g_string_new(NULL);
    const CpuSet nodes = host_topology_nodes(sys), first = cpuset_first(1);

    g_assert_true(cpuset_equal(&nodes, &first));
    host_topology_put_cells(sys, cells);
    g_assert_true(g_str_has_prefix(cells->str, "      <cells num='1'>\n        <cell id='0'>\n"));
    g_assert_nonnull(strstr(cells->str, "          <cpus num='1'>\n"
                                        "            <cpu id='0' socket_id='0' die_id='0' "
                                        "core_id='0' siblings='0'/>\n"));
    g_assert_null(strstr(cells->str, "<distances>"));
    remove_tree(sys);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/host-topology/two-cells", test_two_cells);
    g_test_add_func("/host-topology/no-cells", test_no_cells);
    return g_test_run();
}
