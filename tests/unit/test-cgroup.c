/* Cgroups on a tree of plain files that looks like the kernel's, in either version; and sets of CPUs. */
#include "driver/cgroup.h"
#include "driver/cpuset.h"
#include "driver/error.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/sysmacros.h>

static char *root;

static void
make_dirs(const char *name)
{
    g_autofree char *path = g_build_filename(root, name, NULL);

    g_assert_cmpint(g_mkdir_with_parents(path, 0755), ==, 0);
}

static void
put(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    g_autofree char *dir = g_path_get_dirname(name);

    make_dirs(dir);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
assert_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    g_autofree char *have = NULL;

    g_file_get_contents(path, &have, NULL, NULL);
    g_assert_cmpstr(have, ==, text);
}

static gboolean
is_dir(const char *name)
{
    g_autofree char *path = g_build_filename(root, name, NULL);

    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_tree(child);
    }
    g_remove(path);
}

static void
begin(void)
{
    root = g_dir_make_tmp("vmctl-cgroup-XXXXXX", NULL);
    g_assert_nonnull(root);
}

static void
end(void)
{
    remove_tree(root);
    g_clear_pointer(&root, g_free);
}

static Cgroup *
make_v2(void)
{
    g_autoptr(GError) error = NULL;
    Cgroup *group;

    put("cgroup.controllers", "cpuset cpu io memory pids\n");
    group = cgroup_make(root, "machine/guest", &error);
    g_assert_no_error(error);
    put("machine/guest/cgroup.controllers", "cpu memory\n");
    return group;
}

static Cgroup *
make_v1(void)
{
    g_autoptr(GError) error = NULL;
    Cgroup *group;

    put("cpu/tasks", "");
    put("memory/tasks", "");
    group = cgroup_make(root, "/machine/guest", &error);
    g_assert_no_error(error);
    return group;
}

static void
test_make_v2(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v2();

        g_assert_cmpstr(cgroup_path(group), ==, "machine/guest");
        assert_file("cgroup.subtree_control", "+io"); /* the last one written */
        assert_file("machine/cgroup.subtree_control", "+io");
        g_assert_true(cgroup_has(group, CGROUP_CPU));
        g_assert_true(cgroup_has(group, CGROUP_MEMORY));
        g_assert_false(cgroup_has(group, CGROUP_IO));
        g_assert_true(cgroup_add_process(group, 42, NULL));
        assert_file("machine/guest/cgroup.procs", "42");
    }
    end();
}

static void
test_make_v1(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v1();

        g_assert_true(is_dir("cpu/machine/guest"));
        g_assert_true(is_dir("memory/machine/guest"));
        g_assert_false(is_dir("blkio"));
        g_assert_true(cgroup_has(group, CGROUP_CPU));
        g_assert_false(cgroup_has(group, CGROUP_IO));
        g_assert_true(cgroup_add_process(group, 42, NULL));
        assert_file("cpu/machine/guest/cgroup.procs", "42");
        assert_file("memory/machine/guest/cgroup.procs", "42");
        cgroup_remove(group); /* the files of a real one go with it */
    }
    end();
}

static void
test_nothing_there(void)
{
    g_autoptr(GError) error = NULL;

    begin();
    g_assert_null(cgroup_make(root, "machine/guest", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    end();
}

static void
test_remove(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = NULL;

        put("cgroup.controllers", "cpu");
        group = cgroup_open(root, "machine/guest");
        make_dirs("machine/guest/vcpu0");
        make_dirs("machine/guest/emulator");
        cgroup_remove(group);
        g_assert_false(is_dir("machine/guest"));
        g_assert_true(is_dir("machine"));
    }
    end();
}

static void
assert_value(const Cgroup *group, CgroupValue value, guint64 wanted)
{
    g_autoptr(GError) error = NULL;
    guint64 have = 0;

    cgroup_get(group, value, &have, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(have, ==, wanted);
}

static void
test_values_v2(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v2();
        g_autoptr(GError) error = NULL;

        g_assert_true(cgroup_set(group, CGROUP_CPU_SHARES, 200, NULL));
        assert_file("machine/guest/cpu.weight", "200");
        g_assert_true(cgroup_set(group, CGROUP_MEMORY_HARD, 1 << 20, NULL));
        assert_file("machine/guest/memory.max", "1048576");
        /* Version 2 counts swap alone. */
        g_assert_true(cgroup_set(group, CGROUP_MEMORY_SWAP, 3 << 20, NULL));
        assert_file("machine/guest/memory.swap.max", "2097152");
        assert_value(group, CGROUP_MEMORY_SWAP, 3 << 20);
        g_assert_false(cgroup_set(group, CGROUP_MEMORY_SWAP, 4096, &error));
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
        g_assert_true(cgroup_set(group, CGROUP_MEMORY_SOFT, CGROUP_UNLIMITED, NULL));
        assert_file("machine/guest/memory.high", "max");
        assert_value(group, CGROUP_MEMORY_SOFT, CGROUP_UNLIMITED);
        put("machine/guest/io.bfq.weight", "default 100\n");
        assert_value(group, CGROUP_IO_WEIGHT, 100);
        g_assert_true(cgroup_set(group, CGROUP_IO_WEIGHT, 300, NULL));
        assert_file("machine/guest/io.bfq.weight", "300");
    }
    end();
}

static void
test_values_v1(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v1();

        g_assert_true(cgroup_set(group, CGROUP_CPU_SHARES, 2048, NULL));
        assert_file("cpu/machine/guest/cpu.shares", "2048");
        g_assert_true(cgroup_set(group, CGROUP_MEMORY_SWAP, 3 << 20, NULL));
        assert_file("memory/machine/guest/memory.memsw.limit_in_bytes", "3145728");
        g_assert_true(cgroup_set(group, CGROUP_MEMORY_HARD, CGROUP_UNLIMITED, NULL));
        assert_file("memory/machine/guest/memory.limit_in_bytes", "-1");
        put("memory/machine/guest/memory.limit_in_bytes", "9223372036854771712\n");
        assert_value(group, CGROUP_MEMORY_HARD, CGROUP_UNLIMITED);
    }
    end();
}

static void
assert_bandwidth(const Cgroup *group, const char *part, guint64 period, gint64 quota)
{
    guint64 have_period = 0;
    gint64 have_quota = 0;

    g_assert_true(cgroup_get_bandwidth(group, part, &have_period, &have_quota, NULL));
    g_assert_cmpuint(have_period, ==, period);
    g_assert_cmpint(have_quota, ==, quota);
}

static void
test_bandwidth_v2(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v2();

        put("machine/guest/cpu.max", "max 100000\n");
        assert_bandwidth(group, NULL, 100000, -1);
        g_assert_true(cgroup_set_bandwidth(group, NULL, 0, 50000, NULL));
        assert_file("machine/guest/cpu.max", "50000 100000");
        g_assert_true(cgroup_set_bandwidth(group, NULL, 200000, 0, NULL));
        assert_bandwidth(group, NULL, 200000, 50000);
        g_assert_true(cgroup_set_bandwidth(group, NULL, 0, -1, NULL));
        assert_file("machine/guest/cpu.max", "max 200000");
        /* A part that is not there has no limit; one that is made is threaded. */
        assert_bandwidth(group, "vcpu0", 100000, -1);
        g_assert_true(cgroup_add_thread(group, "vcpu0", 43, NULL));
        assert_file("machine/guest/vcpu0/cgroup.type", "threaded");
        assert_file("machine/guest/vcpu0/cgroup.threads", "43");
        assert_file("machine/guest/cgroup.subtree_control", "+cpu");
        g_assert_true(cgroup_set_bandwidth(group, "vcpu0", 1000, 2000, NULL));
        assert_file("machine/guest/vcpu0/cpu.max", "2000 1000");
    }
    end();
}

static void
test_bandwidth_v1(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v1();

        g_assert_true(cgroup_add_thread(group, "emulator", 43, NULL));
        assert_file("cpu/machine/guest/emulator/tasks", "43");
        g_assert_true(cgroup_set_bandwidth(group, "emulator", 20000, -1, NULL));
        assert_file("cpu/machine/guest/emulator/cpu.cfs_period_us", "20000");
        assert_bandwidth(group, "emulator", 20000, -1);
    }
    end();
}

static void
test_disks(void)
{
    const dev_t disk = makedev(8, 16);

    begin();
    {
        g_autoptr(Cgroup) group = make_v2();

        g_assert_true(cgroup_set_rate(group, disk, CGROUP_READ_BYTES, 4096, NULL));
        assert_file("machine/guest/io.max", "8:16 rbps=4096");
        g_assert_true(cgroup_set_rate(group, disk, CGROUP_WRITE_OPERATIONS, 0, NULL));
        assert_file("machine/guest/io.max", "8:16 wiops=max");
        g_assert_true(cgroup_set_disk_weight(group, disk, 500, NULL));
        assert_file("machine/guest/io.weight", "8:16 500");
        g_assert_true(cgroup_set_disk_weight(group, disk, 0, NULL));
        assert_file("machine/guest/io.weight", "8:16 default");
    }
    end();
}

static void
test_cpu_time(void)
{
    begin();
    {
        g_autoptr(Cgroup) group = make_v2();
        guint64 total, user, system;

        put("machine/guest/cpu.stat", "usage_usec 12\nuser_usec 7\nsystem_usec 5\nnr_periods 0\n");
        g_assert_true(cgroup_cpu_time(group, &total, &user, &system, NULL));
        g_assert_cmpuint(total, ==, 12000);
        g_assert_cmpuint(user, ==, 7000);
        g_assert_cmpuint(system, ==, 5000);
    }
    end();
}

/* Sets of CPUs */

static const struct {
    const char *text, *out; /* NULL: refused */
} lists[] = {
    { "0", "0" },     { "0-3,^2", "0-1,3" }, { " 5 , 1-2 ", "1-2,5" },
    { "1,0", "0-1" }, { "1023", "1023" },    { "", "" },
    { "1024", NULL }, { "3-1", NULL },       { "1,", NULL },
    { ",1", NULL },   { "1;2", NULL },       { "1-", NULL },
    { "^", NULL },    { "-1", NULL },        { "99999999999999999999999", NULL },
};

static void
test_cpuset(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *out = NULL;
        CpuSet set;

        if (cpuset_parse(lists[i].text, &set, &error))
            out = cpuset_format(&set);
        else
            g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
        g_assert_cmpstr(out, ==, lists[i].out);
    }
}

static void
test_cpuset_variant(void)
{
    g_autoptr(GVariant) map = NULL;
    CpuSet set, back;

    g_assert_true(cpuset_parse("0,1023", &set, NULL));
    map = g_variant_ref_sink(cpuset_to_variant(&set, cpuset_host_count()));
    g_assert_cmpuint(g_variant_n_children(map), ==, cpuset_host_count());
    back = cpuset_from_variant(map, cpuset_host_count());
    g_assert_true(CPU_ISSET(0, &back.cpus));
    g_assert_cmpint(CPU_COUNT(&back.cpus), ==, 1); /* the host has no CPU 1023 */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup/make/v2", test_make_v2);
    g_test_add_func("/cgroup/make/v1", test_make_v1);
    g_test_add_func("/cgroup/make/nothing", test_nothing_there);
    g_test_add_func("/cgroup/remove", test_remove);
    g_test_add_func("/cgroup/values/v2", test_values_v2);
    g_test_add_func("/cgroup/values/v1", test_values_v1);
    g_test_add_func("/cgroup/bandwidth/v2", test_bandwidth_v2);
    g_test_add_func("/cgroup/bandwidth/v1", test_bandwidth_v1);
    g_test_add_func("/cgroup/disks", test_disks);
    g_test_add_func("/cgroup/cpu-time", test_cpu_time);
    g_test_add_func("/cpuset/lists", test_cpuset);
    g_test_add_func("/cpuset/variant", test_cpuset_variant);
    return g_test_run();
}
