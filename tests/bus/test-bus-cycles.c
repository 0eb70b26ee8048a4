/* Start and stop, attach and detach, many times over: the daemon has as many descriptors as before and no more memory.
 *
 * Environment: CYCLES (150; memory is looked at only after the first hundred), CYCLES_KVM=1: guests of the machine
 * monitor itself, on this host's KVM.
 */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CYCLES          150
#define WARM_UP         100
#define GROWTH_MAX_KIB  256
#define RNG             "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"

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
    g_test_message("%u cycles: %s median %.2f ms, 99 %% %.2f ms; %s %.2f ms, %.2f ms; memory grew by "
                   "%d KiB after the first %d",
                   n, first, cycles->first_ms[n / 2], cycles->first_ms[n * 99 / 100], second,
                   cycles->second_ms[n / 2], cycles->second_ms[n * 99 / 100],
                   (int)(kib - cycles->kib), WARM_UP);
    fixture_expect_descriptors(cycles->fixture, cycles->descriptors);
#ifndef __SANITIZE_ADDRESS__ /* which keeps freed memory for a while */
    g_assert_cmpint((int)(kib - cycles->kib), <=, GROWTH_MAX_KIB);
#endif
}

static void
set_up(Cycles *cycles, gconstpointer unused)
{
    g_autofree char *payload = fixture_built("tests/guest/payload/payload.elf");
    g_autofree char *xml = NULL;
    g_autoptr(GVariant) reply = NULL;

    cycles->fixture = fixture_new_bare();
    if (is_on_kvm())
        fixture_use_kvm(cycles->fixture);
    fixture_start_daemon(cycles->fixture);
    xml = g_strdup_printf(
        "<domain type='kvm'><name>again</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s%s</kernel>"
        "<cmdline>idle</cmdline></os><features><acpi/></features>"
        "<devices><controller type='pci' index='0' model='pcie-root'/>"
        "<controller type='pci' model='pcie-root-port'/>"
        "<controller type='pci' model='pcie-root-port'/><serial type='pty'/></devices></domain>",
        is_on_kvm() ? payload : cycles->fixture->dir, is_on_kvm() ? "" : "/kernel");
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
    fixture_do(cycles->fixture, cycles->path, member,
               g_variant_new("(su)", RNG, (guint)VIR_DOMAIN_AFFECT_LIVE));
}

static gboolean
is_unplugged(Fixture *fixture, gconstpointer path)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, 0);

    return !strstr(xml, "<rng ");
}

static void
test_attach_detach(Cycles *cycles, gconstpointer unused)
{
    if (is_on_kvm()) {
        g_test_skip("no payload guest listens to a slot's button");
        return;
    }
    fixture_do(cycles->fixture, cycles->path, "Create", g_variant_new("(u)", 0));
    for (guint i = 0; i < cycles->n; i++) {
        gint64 begin = g_get_monotonic_time();

        plug(cycles, "AttachDevice");
        cycles->first_ms[i] = ms_since(begin);
        begin = g_get_monotonic_time();
        plug(cycles, "DetachDevice");
        fixture_wait(cycles->fixture, is_unplugged, cycles->path);
        cycles->second_ms[i] = ms_since(begin);
        note_end(cycles);
    }
    check(cycles, "attach", "detach");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/bus/cycles/start-stop", Cycles, NULL, set_up, test_start_stop, tear_down);
    g_test_add("/bus/cycles/attach-detach", Cycles, NULL, set_up, test_attach_detach, tear_down);
    return g_test_run();
}
