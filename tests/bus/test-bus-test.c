/* The test driver: /org/libvirt/Test beside /org/libvirt/QEMU, the same driver without processes, files and host. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <glib/gstdio.h>
#include <signal.h>

#define TEST_ROOT   "/org/libvirt/Test"
#define TEST_DOMAIN TEST_ROOT "/domain/_6695eb01_f6a4_8304_79aa_97f2502e193f"

static char *
define(Fixture *fixture, const char *root, const char *xml)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, root, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static guint
count_domains(Fixture *fixture, const char *root)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, root, CONNECT, "ListDomains",
                                             g_variant_new("(u)", 0), "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(paths);
}

/* Names of files below @dir of the fixture, one after the other. */
static void
list_files(const char *path, GString *names)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (g_file_test(below, G_FILE_TEST_IS_DIR))
            list_files(below, names);
        else
            g_string_append_printf(names, "%s ", name);
    }
}

static void
assert_no_files(Fixture *fixture)
{
    static const char *const dirs[] = { "config", "run", "data", "cache" };
    g_autoptr(GString) names = g_string_new(NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(dirs); i++) {
        g_autofree char *dir = g_build_filename(fixture->dir, dirs[i], NULL);

        list_files(dir, names);
    }
    g_assert_cmpstr(names->str, ==, "vmctld.lock "); /* the other driver's */
}

static void
test_default(void)
{
    Fixture *fixture = fixture_new();
    g_autoptr(GVariant) id = fixture_get(fixture, TEST_DOMAIN, DOMAIN, "Id");
    g_autoptr(GVariant) version = fixture_get(fixture, TEST_ROOT, CONNECT, "Version");

    g_assert_cmpuint(count_domains(fixture, TEST_ROOT), ==, 1);
    g_assert_cmpuint(count_domains(fixture, ROOT_PATH), ==, 0);
    g_assert_cmpint(fixture_state(fixture, TEST_DOMAIN), ==, VIR_DOMAIN_RUNNING);
    g_assert_cmpuint(g_variant_get_uint32(id), ==, 1);
    g_assert_cmpuint(g_variant_get_uint64(version), ==, 2);
    assert_no_files(fixture);
    fixture_free(fixture);
}

/* The CPU of the host that the last one of @n vCPUs is on. */
static int
cpu_of_last(Fixture *fixture, const char *path, guint n)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, VMCTL_DOMAIN, "GetVcpuInfo", NULL, "(a(uitiab))");
    g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
    guint number;
    int state, cpu;

    g_assert_cmpuint(g_variant_n_children(rows), ==, n);
    g_variant_get_child(rows, n - 1, "(uiti@ab)", &number, &state, NULL, &cpu, NULL);
    g_assert_cmpuint(number, ==, n - 1);
    g_assert_cmpint(state, ==, VIR_VCPU_RUNNING);
    return cpu;
}

/* They run, as far as anybody can see, on the last CPU that they may run on. */
static void
test_vcpus(void)
{
    Fixture *fixture = fixture_new();
    g_autofree char *path =
        define(fixture, TEST_ROOT,
               "<domain type='test'><name>pinned</name><memory>65536</memory>"
               "<vcpu cpuset='0'>3</vcpu><os><type>hvm</type></os></domain>");

    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    g_assert_cmpint(cpu_of_last(fixture, path, 3), ==, 0);
    g_assert_cmpint(cpu_of_last(fixture, TEST_DOMAIN, 2), ==, 15);
    fixture_free(fixture);
}

/* The events are those of a guest that obeys at once. */
static void
test_life(void)
{
    Fixture *fixture = fixture_new();

    fixture_do(fixture, TEST_DOMAIN, "Suspend", NULL);
    g_assert_cmpint(fixture_state(fixture, TEST_DOMAIN), ==, VIR_DOMAIN_PAUSED);
    fixture_do(fixture, TEST_DOMAIN, "Resume", NULL);
    fixture_expect_events(fixture, "3,0 4,0");
    fixture_do(fixture, TEST_DOMAIN, "Reboot", g_variant_new("(u)", 0));
    fixture_wait_signal(fixture, "Reboot");
    fixture_do(fixture, TEST_DOMAIN, "Reset", g_variant_new("(u)", 0));
    fixture_wait_signal(fixture, "Reboot");
    fixture_do(fixture, TEST_DOMAIN, "Shutdown", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "6,1 5,0");
    g_assert_cmpint(fixture_state(fixture, TEST_DOMAIN), ==, VIR_DOMAIN_SHUTOFF);
    fixture_do(fixture, TEST_DOMAIN, "Create", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_do(fixture, TEST_DOMAIN, "Destroy", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "5,1");
    fixture_free(fixture);
}

/* Nothing that a document names is looked for on the host. */
static void
test_devices(void)
{
    Fixture *fixture = fixture_new();
    g_autofree char *file = g_build_filename(fixture->dir, "run", "socket", NULL);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>all</name><memory unit='MiB'>64</memory>"
        "<os><type>hvm</type><kernel>/nowhere/kernel</kernel></os><devices>"
        "<disk type='file'><driver type='raw'/><source file='/nowhere/disk'/><target dev='vda' bus='virtio'/></disk>"
        "<interface type='bridge'><mac address='52:54:00:00:00:01'/><source bridge='nowhere0'/></interface>"
        "<channel type='unix'><source mode='bind' path='%s'/><target type='virtio' name='a.b'/></channel>"
        "<serial type='pty'/><vsock><cid auto='yes'/></vsock></devices></domain>",
        file);
    g_autofree char *path = define(fixture, TEST_ROOT, xml);
    static const char rng[] = "<rng model='virtio'><backend model='random'>/nowhere</backend></rng>";
    static const char disk[] = "<disk type='file'><driver type='raw'/><source file='/nowhere/b'/>"
                               "<target dev='vdb' bus='virtio'/></disk>";

    fixture_expect_events(fixture, "0,0");
    g_assert_true(g_file_set_contents(file, "somebody else's", -1, NULL));
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_do(fixture, path, "AttachDevice", g_variant_new("(su)", disk, 0));
    fixture_wait_signal(fixture, "DeviceAdded ('virtio-disk1',)");
    fixture_do(fixture, path, "DetachDevice", g_variant_new("(su)", disk, 0));
    fixture_wait_signal(fixture, "DeviceRemoved ('virtio-disk1',)");
    fixture_do(fixture, path, "SetMemory", g_variant_new("(tu)", (guint64)32768, 0));
    fixture_wait_signal(fixture, "BalloonChange (32768,)");
    fixture_call_fails(fixture, path, DOMAIN, "DetachDevice", g_variant_new("(su)", rng, 0), NULL,
                       "*");
    fixture_do(fixture, path, "Destroy", g_variant_new("(u)", 0));
    fixture_do(fixture, path, "Undefine", g_variant_new("(u)", 0));
    fixture_expect_events(fixture, "5,1 1,0");
    g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
    g_remove(file);
    assert_no_files(fixture);
    fixture_free(fixture);
}

/* What was made of it is forgotten with the daemon. */
static void
test_fresh(void)
{
    Fixture *fixture = fixture_new();
    g_autofree char *path =
        define(fixture, TEST_ROOT,
               "<domain type='test'><name>more</name><memory>65536</memory><os><type>hvm</type></os></domain>");

    g_assert_cmpuint(count_domains(fixture, TEST_ROOT), ==, 2);
    fixture_end_daemon(fixture, SIGTERM);
    fixture_start_daemon(fixture);
    g_assert_cmpuint(count_domains(fixture, TEST_ROOT), ==, 1);
    g_assert_cmpint(fixture_state(fixture, TEST_DOMAIN), ==, VIR_DOMAIN_RUNNING);
    fixture_free(fixture);
}

/* The real driver has no machine for a domain of libvirt's test driver. */
static void
test_not_for_qemu(void)
{
    Fixture *fixture = fixture_new();

    fixture_call_fails(
        fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
        g_variant_new("(s)", "<domain type='test'><name>t</name><memory>65536</memory>"
                             "<os><type>hvm</type></os></domain>"),
        NULL, "unsupported configuration: value 'test' of attribute 'type' of <domain>*");
    fixture_free(fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus-test/default", test_default);
    g_test_add_func("/bus-test/vcpus", test_vcpus);
    g_test_add_func("/bus-test/life", test_life);
    g_test_add_func("/bus-test/devices", test_devices);
    g_test_add_func("/bus-test/fresh", test_fresh);
    g_test_add_func("/bus-test/not-for-qemu", test_not_for_qemu);
    return g_test_run();
}
