/* A guest's start and end as a client on the bus sees them: the time of one method call each. */
#include "tests/bench/figures.h"
#include "tests/bus/fixture.h"

static char *
domain_xml(void)
{
    g_autofree char *kernel = guest_payload("payload.elf");

    return g_strdup_printf(
        "<domain type='kvm'><name>bench</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>idle</cmdline></os><features><acpi/></features>"
        "<devices><serial type='pty'/></devices></domain>",
        kernel);
}

static char *
define(Fixture *fixture)
{
    g_autofree char *xml = domain_xml();
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static double
time_call(Fixture *fixture, const char *path, const char *member)
{
    gint64 begin = g_get_monotonic_time();

    fixture_do(fixture, path, member, g_variant_new("(u)", 0));
    return (g_get_monotonic_time() - begin) / 1000.0;
}

static void
measure(const Contender *contender, const void *what, double values[QUANTITIES_MAX])
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autofree char *path = NULL;

    fixture_use_kvm(fixture);
    fixture_start_daemon(fixture);
    path = define(fixture);
    values[0] = time_call(fixture, path, "Create");
    values[1] = time_call(fixture, path, "Destroy");
}

const Experiment domain_life = {
    .quantities = { { "domain-start", "ms" }, { "domain-destroy", "ms" } },
    .contenders = { &contender_vmctl },
    .run = measure,
};
