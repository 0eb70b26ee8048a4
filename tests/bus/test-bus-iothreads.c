/* The I/O threads of domains: threads for real, of guests that are fake. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n)     g_variant_new("(u)", (guint)(n))
#define ONE(id, n)   g_variant_new("(uu)", (guint)(id), (guint)(n))
#define LIVE         VIR_DOMAIN_AFFECT_LIVE
#define CONFIG       VIR_DOMAIN_AFFECT_CONFIG
#define TWO_THREADS  "<iothreads>2</iothreads>"
#define TEST_CONNECT "/org/libvirt/Test"

static gboolean
has(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    return strstr(xml, text) != NULL;
}

static void
refused(Fixture *fixture, const char *path, const char *member, guint id, guint flags,
        const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, member, ONE(id, flags), NULL, text);
}

static GVariant *
map_of(gboolean first, gboolean second)
{
    const gboolean map[] = { first, second };
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("ab"));
    for (guint i = 0; i < g_get_num_processors(); i++)
        g_variant_builder_add(&builder, "b", i < G_N_ELEMENTS(map) && map[i]);
    return g_variant_builder_end(&builder);
}

/* "1 3 5": the numbers that there are. */
static void
assert_ids(Fixture *fixture, const char *path, guint flags, const char *wanted)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetIOThreadInfo", FLAGS(flags), "(a(uab))");
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autoptr(GVariantIter) rows = NULL;
    guint id;

    g_variant_get(reply, "(a(uab))", &rows);
    while (g_variant_iter_loop(rows, "(u@ab)", &id, NULL))
        g_string_append_printf(ids, "%s%u", ids->len ? " " : "", id);
    g_assert_cmpstr(ids->str, ==, wanted);
}

/* Whether @map, however many CPUs it is of, has the first alone. */
static gboolean
is_first_alone(GVariant *map)
{
    gsize n;
    const guchar *cpus = g_variant_get_fixed_array(map, &n, 1);

    for (gsize i = 0; i < n; i++) {
        if (cpus[i] != (i == 0))
            return FALSE;
    }
    return n > 0;
}

/* Whether thread @id runs on the first CPU alone. */
static gboolean
is_on_first(Fixture *fixture, const char *path, guint id, guint flags)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetIOThreadInfo", FLAGS(flags), "(a(uab))");
    g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
    gboolean found = FALSE;

    for (gsize i = 0; i < g_variant_n_children(rows); i++) {
        g_autoptr(GVariant) map = NULL;
        guint number;

        g_variant_get_child(rows, i, "(u@ab)", &number, &map);
        found |= number == id && is_first_alone(map);
    }
    return found;
}

/* The thread of the only guest that is called @name; 0: there is none. */
static pid_t
thread_called(Fixture *fixture, const char *name)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%d/task", (int)fixture_guest_pid(fixture));
    g_autoptr(GDir) dir = g_dir_open(tasks, 0, NULL);
    const char *tid;

    while (dir && (tid = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(tasks, tid, "comm", NULL);
        g_autofree char *comm = NULL;

        if (g_file_get_contents(path, &comm, NULL, NULL) && g_str_equal(g_strchomp(comm), name))
            return atoi(tid);
    }
    return 0;
}

static char *
stats_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetStats",
                     g_variant_new("(uu)", VIR_DOMAIN_STATS_IOTHREAD, 0), "(a{sv})");
    g_autoptr(GVariant) stats = g_variant_get_child_value(reply, 0);

    return g_variant_print(stats, FALSE);
}

static void
set(Fixture *fixture, const char *path, guint id, const char *params, guint flags)
{
    GVariant *values = g_variant_parse(G_VARIANT_TYPE_VARDICT, params, NULL, NULL, NULL);
    g_autoptr(GVariant) reply = fixture_call(fixture, path, VMCTL_DOMAIN, "SetIOThreadParams",
                                             g_variant_new("(u@a{sv}u)", id, values, flags), "()");
}

static void
set_refused(Fixture *fixture, const char *path, guint id, const char *params, guint flags,
            const char *text)
{
    GVariant *values = g_variant_parse(G_VARIANT_TYPE_VARDICT, params, NULL, NULL, NULL);

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetIOThreadParams",
                       g_variant_new("(u@a{sv}u)", id, values, flags), NULL, text);
}

/* What the document says holds as soon as the guest is there. */
static void
test_start(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(
        fixture, "begun",
        TWO_THREADS
        "<cputune><iothreadpin iothread='2' cpuset='0'/>"
        "<iothreadsched iothreads='2' scheduler='batch'/><emulatorpin cpuset='1'/></cputune>");
    g_autofree char *stats = NULL;
    pid_t second;

    assert_ids(fixture, path, 0, "1 2");
    g_assert_true(is_on_first(fixture, path, 2, 0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_ids(fixture, path, 0, "1 2");
    g_assert_cmpint(thread_called(fixture, "io 1"), >, 0);
    second = thread_called(fixture, "io 2");
    g_assert_cmpint(second, >, 0);
    g_assert_cmpint(sched_getscheduler(second), ==, SCHED_BATCH);
    g_assert_cmpint(sched_getscheduler(thread_called(fixture, "io 1")), ==, sched_getscheduler(0));
    g_assert_true(is_on_first(fixture, path, 2, LIVE));
    g_assert_true(g_get_num_processors() == 1 || !is_on_first(fixture, path, 1, LIVE));
    stats = stats_of(fixture, path);
    g_assert_nonnull(strstr(stats, "'iothread.count': <<uint32 2>>"));
    g_assert_nonnull(strstr(stats, "'iothread.2.poll-max-ns': <<uint64 32768>>"));
}

static void
test_come_and_go(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(fixture, "changing", TWO_THREADS);

    refused(fixture, path, "AddIOThread", 0, 0,
            "invalid argument: invalid value of 0 for iothread_id");
    refused(fixture, path, "AddIOThread", 3, LIVE,
            "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "AddIOThread", ONE(9, 0));
    assert_ids(fixture, path, 0, "1 2 9");
    fixture_do(fixture, path, "DelIOThread", ONE(9, 0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "AddIOThread", ONE(3, 0));
    refused(fixture, path, "AddIOThread", 3, 0,
            "invalid argument: an IOThread is already using iothread_id '3'");
    fixture_do(fixture, path, "AddIOThread", ONE(7, LIVE | CONFIG));
    assert_ids(fixture, path, LIVE, "1 2 3 7");
    assert_ids(fixture, path, CONFIG, "1 2 7");
    g_assert_cmpint(thread_called(fixture, "io 7"), >, 0);
    g_assert_true(has(fixture, path, 0, "<iothread id='3'/>\n    <iothread id='7'/>"));
    /* What only one of them has fails for both, and changes neither. */
    refused(fixture, path, "DelIOThread", 3, LIVE | CONFIG,
            "invalid argument: cannot find IOThread '3' in iothreadids list");
    assert_ids(fixture, path, LIVE, "1 2 3 7");
    fixture_do(fixture, path, "DelIOThread", ONE(3, 0));
    g_assert_cmpint(thread_called(fixture, "io 3"), ==, 0);
    refused(fixture, path, "DelIOThread", 3, 0,
            "invalid argument: cannot find IOThread '3' in iothreadids list");
    fixture_do(fixture, path, "DelIOThread", ONE(7, LIVE | CONFIG));
    assert_ids(fixture, path, LIVE, "1 2");
    assert_ids(fixture, path, CONFIG, "1 2");
}

static char *
disk_on(Fixture *fixture, guint iothread)
{
    g_autofree char *zeros = g_malloc0(65536);
    g_autofree char *image = g_build_filename(fixture->dir, "image", NULL);

    g_assert_true(g_file_set_contents(image, zeros, 65536, NULL));
    return g_strdup_printf("<disk type='file'><driver name='qemu' type='raw' iothread='%u'/>"
                           "<source file='%s'/><target dev='vdb'/></disk>",
                           iothread, image);
}

static void
test_in_use(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(fixture, "busy", TWO_THREADS);
    g_autofree char *lost = disk_on(fixture, 99), *disk = disk_on(fixture, 5);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "AttachDevice", g_variant_new("(su)", lost, LIVE),
                       NULL,
                       "unsupported configuration: Disk iothread '99' not defined in iothreadid");
    fixture_do(fixture, path, "AddIOThread", ONE(5, LIVE | CONFIG));
    fixture_do(fixture, path, "AttachDevice", g_variant_new("(su)", disk, LIVE));
    fixture_wait_signal(fixture, "DeviceAdded ('virtio-disk1',)");
    refused(fixture, path, "DelIOThread", 5, LIVE,
            "invalid argument: cannot remove IOThread 5 since it is being used by disk 'vdb'");
    fixture_do(fixture, path, "DelIOThread", ONE(5, CONFIG));
    /* A daemon that comes later knows it, too. */
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    refused(fixture, path, "DelIOThread", 5, 0,
            "invalid argument: cannot remove IOThread 5 since it is being used by disk 'vdb'");
    fixture_do(fixture, path, "DetachDevice", g_variant_new("(su)", disk, LIVE));
    fixture_wait_signal(fixture, "DeviceRemoved ('virtio-disk1',)");
    fixture_do(fixture, path, "DelIOThread", ONE(5, 0));
    assert_ids(fixture, path, LIVE, "1 2");
}

static void
test_pin(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(fixture, "pinned", TWO_THREADS);

    fixture_do(fixture, path, "PinIOThread",
               g_variant_new("(u@abu)", 1, map_of(TRUE, FALSE), CONFIG));
    g_assert_true(has(fixture, path, 0, "<iothreadpin iothread='1' cpuset='0'/>"));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "PinIOThread",
               g_variant_new("(u@abu)", 2, map_of(TRUE, FALSE), LIVE));
    fixture_wait_signal(fixture, "Tunable ({'cputune.iothreadpin2': <<'0'>>},)");
    g_assert_true(is_on_first(fixture, path, 2, LIVE));
    g_assert_true(has(fixture, path, 0, "<iothreadpin iothread='2' cpuset='0'/>"));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<iothreadpin iothread='2'"));
    fixture_call_fails(fixture, path, DOMAIN, "PinIOThread",
                       g_variant_new("(u@abu)", 9, map_of(TRUE, FALSE), LIVE), NULL,
                       "invalid argument: iothread 9 not found");
    fixture_call_fails(fixture, path, DOMAIN, "PinIOThread",
                       g_variant_new("(u@abu)", 9, map_of(TRUE, FALSE), CONFIG), NULL,
                       "invalid argument: iothreadid 9 not found");
    fixture_call_fails(fixture, path, DOMAIN, "PinIOThread",
                       g_variant_new("(u@abu)", 1, map_of(FALSE, FALSE), LIVE), NULL,
                       "invalid argument: Empty iothread cpumap list for pinning");
}

static gboolean
knows_poll(Fixture *fixture, gconstpointer path)
{
    g_autofree char *stats = stats_of(fixture, path);

    return strstr(stats, "'iothread.1.poll-max-ns': <<uint64 5000>>") &&
           strstr(stats, "'iothread.2.poll-max-ns': <<uint64 32768>>");
}

static void
test_params(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(fixture, "set", TWO_THREADS);
    g_autofree char *stats = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    set(fixture, path, 1, "{'poll_max_ns': <uint64 5000>, 'poll_grow': <uint32 3>}", 0);
    set(fixture, path, 1, "{'poll_shrink': <uint32 4>}", LIVE);
    set(fixture, path, 2, "{'thread_pool_min': <2>, 'thread_pool_max': <4>}", LIVE | CONFIG);
    g_assert_true(
        has(fixture, path, 0, "<iothread id='2' thread_pool_min='2' thread_pool_max='4'/>"));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "thread_pool_max='4'"));
    set_refused(fixture, path, 1, "{'poll_max_ns': <uint64 1>}", CONFIG,
                "Operation not supported: configuring persistent polling values is not supported");
    set_refused(
        fixture, path, 1, "{'poll_max_ns': <uint64 99999999999>}", LIVE,
        "unsupported configuration: poll-max-ns (99999999999) must be less than or equal to "
        "2147483647");
    set_refused(fixture, path, 9, "{'poll_grow': <uint32 1>}", LIVE,
                "invalid argument: cannot find IOThread '9' in iothreadids");
    set_refused(fixture, path, 2, "{'thread_pool_min': <9>}", LIVE,
                "Requested operation is not valid: thread_pool_min (9) can't be greater than "
                "thread_pool_max (4)");
    set_refused(
        fixture, path, 2, "{'thread_pool_max': <-1>}", LIVE,
        "Requested operation is not valid: thread_pool_max (-1) must be equal to or greater "
        "than 0 for live change");
    set_refused(fixture, path, 2, "{'thread_pool_max': <0>}", LIVE,
                "unsupported configuration: thread_pool_max (0) must be a positive number or -1");
    set_refused(
        fixture, path, 2, "{'thread_pool_min': <-2>}", LIVE,
        "unsupported configuration: thread_pool_min (-2) must be equal to or greater than -1");
    set_refused(fixture, path, 2, "{'poll_often': <uint32 1>}", LIVE,
                "argument unsupported: parameter 'poll_often' not supported");
    /* How they look for events is in no document, and found again none the less. */
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_wait(fixture, knows_poll, path);
    stats = stats_of(fixture, path);
    g_assert_nonnull(strstr(stats, "'iothread.1.poll-grow': <<uint32 3>>"));
    g_assert_nonnull(strstr(stats, "'iothread.1.poll-shrink': <<uint32 4>>"));
}

/* They have rooms of their own, which go with them. */
static void
test_room(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path =
        fixture_define_saying(fixture, "bounded",
                              TWO_THREADS "<cputune><iothread_period>20000</iothread_period>"
                                          "<iothread_quota>10000</iothread_quota></cputune>");
    g_autofree char *room = g_strdup_printf("%s/cgroup/machine/vmctl-bounded", fixture->dir);
    g_autofree char *top = g_build_filename(fixture->dir, "cgroup/cgroup.controllers", NULL);
    g_autofree char *own = g_build_filename(room, "cgroup.controllers", NULL);
    g_autofree char *second = g_build_filename(room, "iothread2", "cpu.max", NULL);
    g_autofree char *third = g_build_filename(room, "iothread3", "cpu.max", NULL);
    g_autofree char *text = NULL;

    g_assert_cmpint(g_mkdir_with_parents(room, 0755), ==, 0);
    g_assert_true(g_file_set_contents(top, "cpu io memory\n", -1, NULL));
    g_assert_true(g_file_set_contents(own, "cpu io memory\n", -1, NULL));
    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_true(g_file_get_contents(second, &text, NULL, NULL));
    g_assert_cmpstr(g_strchomp(text), ==, "10000 20000");
    fixture_do(fixture, path, "AddIOThread", ONE(3, LIVE));
    g_assert_true(g_file_test(third, G_FILE_TEST_EXISTS));
}

/* What is saved comes back with them. */
static void
test_save(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_saying(fixture, "saved", TWO_THREADS);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "AddIOThread", ONE(6, LIVE));
    fixture_do(fixture, path, "PinIOThread",
               g_variant_new("(u@abu)", 6, map_of(TRUE, FALSE), LIVE));
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    assert_ids(fixture, path, 0, "1 2");
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_ids(fixture, path, LIVE, "1 2 6");
    g_assert_cmpint(thread_called(fixture, "io 6"), >, 0);
    g_assert_true(is_on_first(fixture, path, 6, LIVE));
}

/* libvirt's test driver changes one definition at a time, and knows less. */
static void
test_simulated(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) reply = fixture_call(fixture, TEST_CONNECT, CONNECT, "DomainLookupByName",
                                             g_variant_new("(s)", "test"), "(o)");
    g_autofree char *path = NULL, *stats = NULL;

    g_variant_get(reply, "(o)", &path);
    refused(fixture, path, "AddIOThread", 3, LIVE | CONFIG,
            "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
    fixture_do(fixture, path, "AddIOThread", ONE(3, 0));
    assert_ids(fixture, path, LIVE, "3");
    assert_ids(fixture, path, CONFIG, "");
    fixture_do(fixture, path, "PinIOThread", g_variant_new("(u@abu)", 3, map_of(TRUE, FALSE), 0));
    g_assert_true(is_on_first(fixture, path, 3, LIVE));
    set(fixture, path, 3, "{'poll_max_ns': <uint64 99999999999>}", 0);
    set_refused(fixture, path, 3, "{'thread_pool_max': <2>}", 0,
                "argument unsupported: parameter 'thread_pool_max' not supported");
    set_refused(fixture, path, 3, "{}", CONFIG,
                "unsupported flags (0x2) in function virDomainSetIOThreadParams");
    stats = stats_of(fixture, path);
    g_assert_nonnull(strstr(stats, "'iothread.3.poll-max-ns': <<uint64 99999999999>>"));
    fixture_do(fixture, path, "DelIOThread", ONE(3, 0));
    assert_ids(fixture, path, LIVE, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/iothreads/start", test_start);
    g_test_add_func("/bus/iothreads/come-and-go", test_come_and_go);
    g_test_add_func("/bus/iothreads/in-use", test_in_use);
    g_test_add_func("/bus/iothreads/pin", test_pin);
    g_test_add_func("/bus/iothreads/params", test_params);
    g_test_add_func("/bus/iothreads/room", test_room);
    g_test_add_func("/bus/iothreads/save", test_save);
    g_test_add_func("/bus/iothreads/simulated", test_simulated);
    return g_test_run();
}
