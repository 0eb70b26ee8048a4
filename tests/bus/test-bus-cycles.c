/* Start and stop, attach and detach, many times over: the daemon has as many descriptors as before and no more memory.
 *
 * Environment: CYCLES (150; memory is looked at only after the first hundred), CYCLES_KVM=1: guests of the machine
 * monitor itself, on this host's KVM.
 */
#include "tests/bus/fixture.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CYCLES         150
#define WARM_UP        100
#define GROWTH_MAX_KIB 256
#define MAC            "52:54:00:00:00:02"

/* What comes and goes, one after the other; "%s" is the directory of its image. */
static const struct {
    const char *xml;
    const char *mark; /* by which a document is known that has it */
} plugs[] = {
    { "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", "<rng " },
    { "<disk type='file'><source file='%s/second.img'/><target dev='vdb'/></disk>", "second.img" },
    { "<interface type='user'><mac address='" MAC "'/></interface>", MAC },
};

typedef struct Cycles {
    Fixture *fixture;
    char *path;
    guint n, done;
    double *first_ms, *second_ms; /* how long the two halves of each cycle took */
    guint descriptors, kib;       /* after the first hundred */
} Cycles;

static guint
cycles_wanted(void)
{
    const char *text = g_getenv("CYCLES");

    return text ? MAX(strtoul(text, NULL, 10), WARM_UP + 1) : CYCLES;
}

static gboolean
is_on_kvm(void)
{
    return g_getenv("CYCLES_KVM") != NULL;
}

/* What cannot be shared or dropped: anonymous memory that is resident. */
static guint
memory_kib(Fixture *fixture)
{
    g_autofree char *path =
        g_build_filename("/proc", g_subprocess_get_identifier(fixture->daemon), "status", NULL);
    g_autofree char *text = NULL;
    const char *line;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, "RssAnon:");
    g_assert_nonnull(line);
    return strtoul(line + strlen("RssAnon:"), NULL, 10);
}

static double
ms_since(gint64 begin)
{
    return (g_get_monotonic_time() - begin) / 1000.0;
}

static void
note_end(Cycles *cycles)
{
    if (++cycles->done == WARM_UP) {
        cycles->descriptors = fixture_count_descriptors(cycles->fixture);
        cycles->kib = memory_kib(cycles->fixture);
    }
}

static int
by_value(const void *a, const void *b)
{
    return *(const double *)a > *(const double *)b ? 1 : -1;
}

static void
check(Cycles *cycles, const char *first, const char *second)
{
    guint kib = memory_kib(cycles->fixture);
    guint n = cycles->n;

    qsort(cycles->first_ms, n, sizeof(double), by_value);
    qsort(cycles->second_ms, n, sizeof(double), by_value);
    g_test_message(
        "%u cycles: %s median %.2f ms, 99 %% %.2f ms; %s %.2f ms, %.2f ms; memory grew by "
        "%d KiB after the first %d",
        n, first, cycles->first_ms[n / 2], cycles->first_ms[n * 99 / 100], second,
        cycles->second_ms[n / 2], cycles->second_ms[n * 99 / 100], (int)(kib - cycles->kib),
        WARM_UP);
    fixture_expect_descriptors(cycles->fixture, cycles->descriptors);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while, as valgrind does */
    if (!g_getenv("VMCTL_DAEMON_UNDER"))
        g_assert_cmpint((int)(kib - cycles->kib), <=, GROWTH_MAX_KIB);
#endif
}

static void
make_image(Fixture *fixture, const char *name)
{
    g_autofree char *path = g_build_filename(fixture->dir, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, 1 << 20));
    close(fd);
}

/* A guest with a disk and a card, and two slots that are empty. @scene is what a payload plays. */
static char *
describe(const Fixture *fixture, const char *scene)
{
    g_autofree char *payload = fixture_built("tests/guest/payload/payload.elf");
    g_autofree char *no_kernel = g_build_filename(fixture->dir, "kernel", NULL);

    return g_strdup_printf(
        "<domain type='kvm'><name>again</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>%s</cmdline></os><features><acpi/></features>"
        "<devices><controller type='pci' index='0' model='pcie-root'/>"
        "<controller type='pci' model='pcie-root-port'/>"
        "<controller type='pci' model='pcie-root-port'/>"
        "<disk type='file'><source file='%s/first.img'/><target dev='vda'/>"
        "<address type='pci' bus='0' slot='4'/></disk>"
        "<interface type='user'><address type='pci' bus='0' slot='5'/></interface>"
        "<serial type='file'><source path='%s/serial'/></serial></devices></domain>",
        is_on_kvm() ? payload : no_kernel, scene, fixture->dir, fixture->dir);
}

static void
set_up(Cycles *cycles, gconstpointer scene)
{
    g_autofree char *xml = NULL;
    g_autoptr(GVariant) reply = NULL;

    cycles->fixture = fixture_new_bare();
    if (is_on_kvm())
        fixture_use_kvm(cycles->fixture);
    fixture_start_daemon(cycles->fixture);
    make_image(cycles->fixture, "first.img");
    make_image(cycles->fixture, "second.img");
    xml = describe(cycles->fixture, scene);
    reply = fixture_call(cycles->fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                         g_variant_new("(s)", xml), "(o)");
    g_variant_get(reply, "(o)", &cycles->path);
    cycles->n = cycles_wanted();
    cycles->first_ms = g_new(double, cycles->n);
    cycles->second_ms = g_new(double, cycles->n);
}

static void
tear_down(Cycles *cycles, gconstpointer unused)
{
    fixture_free(cycles->fixture);
    g_free(cycles->path);
    g_free(cycles->first_ms);
    g_free(cycles->second_ms);
}

static void
test_start_stop(Cycles *cycles, gconstpointer unused)
{
    for (guint i = 0; i < cycles->n; i++) {
        gint64 begin = g_get_monotonic_time();

        fixture_do(cycles->fixture, cycles->path, "Create", g_variant_new("(u)", 0));
        cycles->first_ms[i] = ms_since(begin);
        begin = g_get_monotonic_time();
        fixture_do(cycles->fixture, cycles->path, "Destroy", g_variant_new("(u)", 0));
        cycles->second_ms[i] = ms_since(begin);
        note_end(cycles);
    }
    check(cycles, "start", "destroy");
}

static void
plug(Cycles *cycles, const char *member)
{
    g_auto(GStrv) parts = g_strsplit(plugs[cycles->done % G_N_ELEMENTS(plugs)].xml, "%s", 2);
    g_autofree char *xml = g_strjoinv(cycles->fixture->dir, parts);

    fixture_do(cycles->fixture, cycles->path, member,
               g_variant_new("(su)", xml, (guint)VIR_DOMAIN_AFFECT_LIVE));
}

/* Until then nobody in the guest hears of a button. */
static gboolean
is_looking(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(fixture->dir, "serial", NULL);
    g_autofree char *said = NULL;

    return g_file_get_contents(path, &said, NULL, NULL) &&
           strstr(said, "2 slots are looked after\n");
}

static gboolean
is_unplugged(Fixture *fixture, gconstpointer data)
{
    const Cycles *cycles = data;
    g_autofree char *xml = fixture_xml_of(fixture, cycles->path, 0);

    return !strstr(xml, plugs[cycles->done % G_N_ELEMENTS(plugs)].mark);
}

static void
test_attach_detach(Cycles *cycles, gconstpointer unused)
{
    fixture_do(cycles->fixture, cycles->path, "Create", g_variant_new("(u)", 0));
    if (is_on_kvm())
        fixture_wait(cycles->fixture, is_looking, NULL);
    for (guint i = 0; i < cycles->n; i++) {
        gint64 begin = g_get_monotonic_time();

        plug(cycles, "AttachDevice");
        cycles->first_ms[i] = ms_since(begin);
        begin = g_get_monotonic_time();
        plug(cycles, "DetachDevice");
        fixture_wait(cycles->fixture, is_unplugged, cycles);
        cycles->second_ms[i] = ms_since(begin);
        note_end(cycles);
    }
    check(cycles, "attach", "detach");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_use_fake_passt();
    g_test_add("/bus/cycles/start-stop", Cycles, "idle", set_up, test_start_stop, tear_down);
    g_test_add("/bus/cycles/attach-detach", Cycles, "slots", set_up, test_attach_detach, tear_down);
    return g_test_run();
}
