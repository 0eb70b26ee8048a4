/* How much of the host a guest may have: cgroups on a tree of plain files, threads for real. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define LIVE     VIR_DOMAIN_AFFECT_LIVE
#define CONFIG   VIR_DOMAIN_AFFECT_CONFIG

/* The room that a guest called @name will find: the kernel would make its files. */
static void
make_room(Fixture *fixture, const char *name)
{
    g_autofree char *room = g_strdup_printf("%s/cgroup/machine/vmctl-%s", fixture->dir, name);
    g_autofree char *controllers = g_build_filename(room, "cgroup.controllers", NULL);
    g_autofree char *top = g_build_filename(fixture->dir, "cgroup/cgroup.controllers", NULL);

    g_assert_cmpint(g_mkdir_with_parents(room, 0755), ==, 0);
    g_assert_true(g_file_set_contents(top, "cpu io memory\n", -1, NULL));
    g_assert_true(g_file_set_contents(controllers, "cpu io memory\n", -1, NULL));
}

static char *
room_file(Fixture *fixture, const char *name, const char *file)
{
    g_autofree char *path =
        g_strdup_printf("%s/cgroup/machine/vmctl-%s/%s", fixture->dir, name, file);
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

static void
set_room_file(Fixture *fixture, const char *name, const char *file, const char *text)
{
    g_autofree char *path =
        g_strdup_printf("%s/cgroup/machine/vmctl-%s/%s", fixture->dir, name, file);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void
assert_room_file(Fixture *fixture, const char *name, const char *file, const char *wanted)
{
    g_autofree char *text = room_file(fixture, name, file);

    if (g_strcmp0(text, wanted) != 0)
        g_error("%s is '%s', not '%s'", file, text, wanted);
}

static void
assert_xml(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    if (!strstr(xml, text))
        g_error("no %s in %s", text, xml);
}

/* What a getter answers, as text; values are wrapped twice, as libvirt-dbus does. */
static char *
params_of(Fixture *fixture, const char *path, const char *member, guint flags)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, member, FLAGS(flags), "(a{sv})");
    g_autoptr(GVariant) params = g_variant_get_child_value(reply, 0);

    return g_variant_print(params, FALSE);
}

static void
assert_params(Fixture *fixture, const char *path, const char *member, guint flags, const char *text)
{
    g_autofree char *params = params_of(fixture, path, member, flags);

    if (!strstr(params, text))
        g_error("no %s in %s", text, params);
}

static GVariant *
params_arg(const char *text, guint flags)
{
    GVariant *params = g_variant_parse(G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);

    g_assert_nonnull(params);
    return g_variant_new("(@a{sv}u)", params, flags);
}

static void
test_start(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(
        fixture, "tuned",
        "<cputune><shares>300</shares><period>20000</period><quota>10000</quota>"
        "<global_quota>90000</global_quota><vcpupin vcpu='0' cpuset='0'/></cputune>"
        "<memtune><hard_limit unit='MiB'>512</hard_limit></memtune>"
        "<blkiotune><weight>700</weight></blkiotune>");
    g_autofree char *procs = NULL;
    g_autofree char *thread = NULL;

    make_room(fixture, "tuned");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_room_file(fixture, "tuned", "cpu.weight", "300");
    assert_room_file(fixture, "tuned", "cpu.max", "90000 100000");
    assert_room_file(fixture, "tuned", "memory.max", "536870912");
    assert_room_file(fixture, "tuned", "io.weight", "700");
    assert_room_file(fixture, "tuned", "vcpu0/cpu.max", "10000 20000");
    procs = room_file(fixture, "tuned", "cgroup.procs");
    thread = room_file(fixture, "tuned", "vcpu0/cgroup.threads");
    g_assert_cmpint(atoi(procs), >, 1);
    g_assert_cmpint(atoi(thread), >, 1);
    g_assert_cmpint(atoi(thread), !=, atoi(procs)); /* not the main thread */
}

static void
test_scheduler(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "shares", "");

    assert_params(fixture, path, "GetSchedulerParameters", 0, "'cpu_shares': <<uint64 0>>");
    make_room(fixture, "shares");
    set_room_file(fixture, "shares", "cpu.weight", "100\n");
    set_room_file(fixture, "shares", "cpu.max", "max 100000\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_params(fixture, path, "GetSchedulerParameters", 0,
                  "{'cpu_shares': <<uint64 100>>, 'vcpu_period': <<uint64 100000>>, "
                  "'vcpu_quota': <<int64 -1>>, 'emulator_period'");
    fixture_do(fixture, path, "SetSchedulerParameters",
               params_arg("{'cpu_shares': <uint64 250>, 'vcpu_quota': <int64 5000>}", 0));
    fixture_wait_signal(fixture, "Tunable ({'cputune.cpu_shares': <<uint64 250>>, "
                                 "'cputune.vcpu_quota': <<int64 5000>>},)");
    assert_params(fixture, path, "GetSchedulerParameters", LIVE,
                  "{'cpu_shares': <<uint64 250>>, 'vcpu_period': <<uint64 100000>>, "
                  "'vcpu_quota': <<int64 5000>>");
    assert_room_file(fixture, "shares", "vcpu0/cpu.max", "5000 100000");
    assert_xml(fixture, path, 0, "<shares>250</shares>");
    assert_params(fixture, path, "GetSchedulerParameters", CONFIG, "'cpu_shares': <<uint64 0>>");
    fixture_do(fixture, path, "SetSchedulerParameters",
               params_arg("{'global_period': <uint64 50000>}", LIVE | CONFIG));
    assert_room_file(fixture, "shares", "cpu.max", "max 50000");
    assert_xml(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<global_period>50000</global_period>");
}

static void
test_memory(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "bounded", "");

    assert_params(fixture, path, "GetMemoryParameters", 0,
                  "'hard_limit': <<uint64 9007199254740991>>");
    make_room(fixture, "bounded");
    set_room_file(fixture, "bounded", "memory.max", "max\n");
    set_room_file(fixture, "bounded", "memory.high", "max\n");
    set_room_file(fixture, "bounded", "memory.swap.max", "max\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SetMemoryParameters",
               params_arg("{'hard_limit': <uint64 2048>, 'swap_hard_limit': <uint64 3072>}", LIVE));
    assert_room_file(fixture, "bounded", "memory.max", "2097152");
    assert_room_file(fixture, "bounded", "memory.swap.max", "1048576");
    assert_params(fixture, path, "GetMemoryParameters", 0,
                  "{'hard_limit': <<uint64 2048>>, 'soft_limit': <<uint64 9007199254740991>>, "
                  "'swap_hard_limit': <<uint64 3072>>}");
    /* What stands for both follows. */
    fixture_do(fixture, path, "SetMemoryParameters",
               params_arg("{'hard_limit': <uint64 1024>}", LIVE));
    assert_room_file(fixture, "bounded", "memory.swap.max", "2097152");
    fixture_call_fails(fixture, path, DOMAIN, "SetMemoryParameters",
                       params_arg("{'hard_limit': <uint64 4096>}", LIVE), NULL,
                       "invalid argument: memory hard_limit tunable value must be lower than or "
                       "equal to swap_hard_limit");
    fixture_do(fixture, path, "SetMemoryParameters",
               params_arg("{'soft_limit': <uint64 512>}", CONFIG));
    assert_xml(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<soft_limit unit='KiB'>512</soft_limit>");
}

static void
test_blkio(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "slow", "");

    make_room(fixture, "slow");
    fixture_do(fixture, path, "SetBlockIOParameters",
               params_arg("{'device_read_bytes_sec': <'/dev/a,10,/dev/b,20'>, 'weight': <uint32 "
                          "200>}",
                          0));
    assert_params(fixture, path, "GetBlockIOParameters", 0,
                  "'device_read_bytes_sec': <<'/dev/a,10,/dev/b,20'>>");
    assert_xml(fixture, path, 0, "<read_bytes_sec>20</read_bytes_sec>");
    fixture_do(fixture, path, "SetBlockIOParameters",
               params_arg("{'device_read_bytes_sec': <'/dev/a,0,/dev/b,0'>}", 0));
    assert_params(fixture, path, "GetBlockIOParameters", 0, "'device_read_bytes_sec': <<''>>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "SetBlockIOParameters",
                       params_arg("{'device_weight': <'/dev/null,100'>}", LIVE), NULL,
                       "Path '/dev/null' must be a block device*");
    fixture_call_fails(fixture, path, DOMAIN, "SetBlockIOParameters",
                       params_arg("{'device_weight': <'/dev/null'>}", 0), NULL,
                       "invalid argument: unable to parse blkio device 'device_weight' "
                       "'/dev/null'");
    fixture_do(fixture, path, "SetBlockIOParameters", params_arg("{'weight': <uint32 300>}", 0));
    assert_room_file(fixture, "slow", "io.weight", "300");
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "strict", "");

    fixture_call_fails(fixture, path, DOMAIN, "SetSchedulerParameters",
                       params_arg("{'cpu_sharez': <uint64 1>}", 0), NULL,
                       "argument unsupported: parameter 'cpu_sharez' not supported");
    fixture_call_fails(fixture, path, DOMAIN, "SetSchedulerParameters",
                       params_arg("{'cpu_shares': <uint32 1>}", 0), NULL,
                       "invalid argument: invalid type 'uint' for parameter 'cpu_shares', "
                       "expected 'ullong'");
    fixture_call_fails(fixture, path, DOMAIN, "SetSchedulerParameters",
                       params_arg("{'vcpu_period': <uint64 999>}", 0), NULL,
                       "invalid argument: value of 'vcpu_period' is out of range *");
    fixture_call_fails(fixture, path, DOMAIN, "SetSchedulerParameters",
                       params_arg("{'cpu_shares': <uint64 5>}", LIVE), NULL,
                       "Requested operation is not valid: domain is not running");
}

/* A session without cgroups of its own can keep a definition, and not start it. */
static void
test_without(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "free", "");
    g_autofree char *tuned = fixture_define_saying(
        fixture, "wanting", "<memtune><hard_limit>65536</hard_limit></memtune>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "GetSchedulerParameters", FLAGS(0), NULL,
                       "Operation not supported: CPU tuning is not available in session mode");
    fixture_call_fails(fixture, path, DOMAIN, "SetMemoryParameters",
                       params_arg("{'hard_limit': <uint64 4096>}", 0), NULL,
                       "Operation not supported: Memory tuning is not available in session mode");
    fixture_call_fails(fixture, path, DOMAIN, "GetBlockIOParameters", FLAGS(0), NULL,
                       "Operation not supported: Block I/O tuning is not available in session "
                       "mode");
    fixture_call_fails(fixture, tuned, DOMAIN, "Create", FLAGS(0), NULL,
                       "unsupported configuration: Memory cgroup is not available in session "
                       "mode");
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 1);
}

static gboolean
is_there(Fixture *fixture, gconstpointer path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static gboolean
is_gone(Fixture *fixture, gconstpointer path)
{
    return !g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
ignore_reply(GObject *client, GAsyncResult *result, gpointer data)
{
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(client), result, NULL);
}

/* A daemon that is killed between the room and the guest leaves no room: it stands still there, in front of a pipe that
 * nobody reads. Its guest may be there or have gone with it, for it had nothing to do yet. */
static void
test_room_of_killed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "halfway", "");
    g_autofree char *room = g_strdup_printf("%s/cgroup/machine/vmctl-halfway", fixture->dir);
    g_autofree char *pipe = g_build_filename(room, "cgroup.procs", NULL);
    g_autofree char *controllers = g_build_filename(room, "cgroup.controllers", NULL);
    g_autofree char *dir = g_strdup_printf("%s/run/vmctl/guests/", fixture->dir);
    g_autofree char *uuid = g_strdelimit(g_strdup(strrchr(path, '/') + 2), "_", '-');
    g_autofree char *file = g_strconcat(dir, uuid, "/cgroup", NULL);

    make_room(fixture, "halfway");
    g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, "Create", FLAGS(0), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, ignore_reply, NULL);
    fixture_wait(fixture, is_there, file);
    fixture_end_daemon(fixture, SIGKILL);
    g_assert_no_errno(g_unlink(pipe)); /* the kernel's files would go with the directory */
    g_assert_no_errno(g_unlink(controllers));
    fixture_start_daemon(fixture);
    fixture_wait(fixture, is_gone, room);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
}

/* The first CPU, and no other. */
static GVariant *
first_cpu(void)
{
    return g_variant_parse(G_VARIANT_TYPE("ab"), "[true, false]", NULL, NULL, NULL);
}

static char *
text_of(Fixture *fixture, const char *path, const char *interface, const char *member,
        GVariant *args, const char *type)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, interface, member, args, type);

    return g_variant_print(reply, FALSE);
}

/* Each thread has an affinity of its own. */
static void
test_pin(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "pinned", "");
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    g_autofree char *info = NULL;
    g_autofree char *emulator = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    before = text_of(fixture, path, DOMAIN, "GetVcpuPinInfo", FLAGS(0), "(aab)");
    fixture_do(fixture, path, "PinVcpu", g_variant_new("(u@abu)", 0, first_cpu(), LIVE | CONFIG));
    fixture_wait_signal(fixture, "Tunable ({'cputune.vcpupin0': <<'0'>>},)");
    after = text_of(fixture, path, DOMAIN, "GetVcpuPinInfo", FLAGS(0), "(aab)");
    g_assert_true(g_get_num_processors() == 1 || !g_str_equal(before, after));
    g_assert_true(g_str_has_prefix(after, "([[true"));
    assert_xml(fixture, path, 0, "<vcpupin vcpu='0' cpuset='0'/>");
    assert_xml(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<vcpupin vcpu='0' cpuset='0'/>");
    info = text_of(fixture, path, VMCTL_DOMAIN, "GetVcpuInfo", NULL, "(a(uitiab))");
    g_assert_true(g_str_has_prefix(info, "([(0, 1, "));
    g_assert_true(g_get_num_processors() == 1 || strstr(info, "[true, false"));
    fixture_do(fixture, path, "PinEmulator", g_variant_new("(@abu)", first_cpu(), LIVE));
    fixture_wait_signal(fixture, "Tunable ({'cputune.emulatorpin': <<'0'>>},)");
    emulator = text_of(fixture, path, DOMAIN, "GetEmulatorPinInfo", FLAGS(0), "(ab)");
    g_assert_true(g_str_has_prefix(emulator, "([true"));
    g_assert_true(g_get_num_processors() == 1 || strstr(emulator, "false"));
    fixture_call_fails(fixture, path, DOMAIN, "PinVcpu",
                       g_variant_new("(u@abu)", 99, first_cpu(), LIVE), NULL,
                       "invalid argument: vcpu 99 is out of range of live cpu count *");
    fixture_call_fails(
        fixture, path, DOMAIN, "PinVcpu",
        g_variant_new("(u@abu)", 0, g_variant_new_array(G_VARIANT_TYPE_BOOLEAN, NULL, 0), 0), NULL,
        "invalid argument: Empty cpu list for pinning");
    fixture_call_fails(fixture, path, DOMAIN, "PinIOThread",
                       g_variant_new("(u@abu)", 1, first_cpu(), 0), NULL,
                       "invalid argument: iothread 1 not found");
}

/* The live definition and the room are found again. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "kept", "");

    make_room(fixture, "kept");
    set_room_file(fixture, "kept", "cpu.max", "max 100000\n");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SetSchedulerParameters",
               params_arg("{'cpu_shares': <uint64 250>}", 0));
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    assert_xml(fixture, path, 0, "<shares>250</shares>");
    fixture_do(fixture, path, "SetSchedulerParameters",
               params_arg("{'cpu_shares': <uint64 260>}", 0));
    assert_room_file(fixture, "kept", "cpu.weight", "260");
}

static void
test_figures(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "counted", "");
    g_autofree char *stats = NULL;
    g_autofree char *numa = NULL;

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "GetCPUStats", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "GetVcpuInfo", NULL, NULL,
                       "Requested operation is not valid: cannot retrieve vcpu information for "
                       "inactive domain");
    fixture_do(fixture, path, "Create", FLAGS(0));
    make_room(fixture, "counted"); /* too late: /proc it is */
    stats = text_of(fixture, path, VMCTL_DOMAIN, "GetCPUStats", FLAGS(0), "(a{sv})");
    g_assert_nonnull(strstr(stats, "'cpu_time': <uint64 "));
    g_assert_nonnull(strstr(stats, "'system_time': <uint64 "));
    numa = params_of(fixture, path, "GetNumaParameters", 0);
    g_assert_cmpstr(numa, ==, "{'numa_mode': <<0>>, 'numa_nodeset': <<''>>}");
}

#define NUMA(mode, nodes) "{'numa_mode': <" mode ">, 'numa_nodeset': <'" nodes "'>}"

/* Every host has node 0, and none the last one that a list can name. */
static void
test_numa(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "placed", "");
    g_autofree char *live = NULL, *config = NULL;

    fixture_call_fails(fixture, path, DOMAIN, "SetNumaParameters",
                       params_arg("{'numa_mode': <1>}", 0), NULL,
                       "unsupported configuration: nodeset for NUMA memory tuning must be set if "
                       "'placement' is 'static'");
    fixture_call_fails(fixture, path, DOMAIN, "SetNumaParameters",
                       params_arg("{'numa_mode': <9>}", 0), NULL,
                       "invalid argument: unsupported numatune mode: '9'");
    fixture_call_fails(fixture, path, DOMAIN, "SetNumaParameters",
                       params_arg("{'numa_nodeset': <'^1'>}", 0), NULL,
                       "Requested operation is not valid: Invalid nodeset of 'numatune': ^1");
    fixture_do(fixture, path, "SetNumaParameters", params_arg(NUMA("0", "0,1023"), 0));
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "unsupported configuration: NUMA node 1023 is unavailable");
    fixture_do(fixture, path, "SetNumaParameters", params_arg("{'numa_nodeset': <'0'>}", 0));
    assert_xml(fixture, path, 0, "<memory mode='strict' nodeset='0'/>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(
        fixture, path, DOMAIN, "SetNumaParameters", params_arg("{'numa_mode': <2>}", 0), NULL,
        "Requested operation is not valid: can't change numatune mode for running domain");
    fixture_call_fails(fixture, path, DOMAIN, "SetNumaParameters",
                       params_arg("{'numa_nodeset': <'1023'>}", 0), NULL,
                       "unsupported configuration: NUMA node 1023 is unavailable");
    fixture_do(fixture, path, "SetNumaParameters", params_arg("{'numa_nodeset': <'0'>}", 1));
    fixture_do(fixture, path, "SetNumaParameters", params_arg(NUMA("1", "0-3"), 2));
    live = params_of(fixture, path, "GetNumaParameters", 1);
    config = params_of(fixture, path, "GetNumaParameters", 2);
    g_assert_cmpstr(live, ==, "{'numa_mode': <<0>>, 'numa_nodeset': <<'0'>>}");
    g_assert_cmpstr(config, ==, "{'numa_mode': <<1>>, 'numa_nodeset': <<'0-3'>>}");
}

/* One whose memory was nowhere in particular gets its first nodes, and then those of its mode. */
static void
test_numa_first(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "floating", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SetNumaParameters", params_arg(NUMA("2", "0"), 1));
    assert_xml(fixture, path, 0, "<memory mode='interleave' nodeset='0'/>");
    fixture_call_fails(
        fixture, path, DOMAIN, "SetNumaParameters", params_arg("{'numa_nodeset': <'0'>}", 1), NULL,
        "Requested operation is not valid: change of nodeset for running domain requires "
        "strict numa mode");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/tuning/start", test_start);
    g_test_add_func("/bus/tuning/scheduler", test_scheduler);
    g_test_add_func("/bus/tuning/memory", test_memory);
    g_test_add_func("/bus/tuning/blkio", test_blkio);
    g_test_add_func("/bus/tuning/refused", test_refused);
    g_test_add_func("/bus/tuning/without", test_without);
    g_test_add_func("/bus/tuning/pin", test_pin);
    g_test_add_func("/bus/tuning/restart", test_restart);
    g_test_add_func("/bus/tuning/figures", test_figures);
    g_test_add_func("/bus/tuning/numa", test_numa);
    g_test_add_func("/bus/tuning/numa-first", test_numa_first);
    g_test_add_func("/bus/tuning/room-of-killed", test_room_of_killed);
    return g_test_run();
}
