/* A domain that is undefined, or defined anew, while something else waits for its guest: the definition that was there
 * before does not come back. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define BOTH     ((guint)(VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))
#define PORT     "<controller type='pci' model='pcie-root-port'/>" /* to plug something into */
#define RNG      "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"

static const struct Meanwhile {
    const char *name, *member, *args;
} all_calls[] = {
    { "/bus/undefined/memory", "SetMemory", "(uint64 32768, uint32 3)" },
    { "/bus/undefined/memory-stats", "SetMemoryStatsPeriod", "(5, uint32 3)" },
    { "/bus/undefined/attach", "AttachDevice", "(\"" RNG "\", uint32 3)" },
};

static const struct Anew {
    const char *name, *member, *args, *mark;
} all_anew[] = {
    { "/bus/undefined/anew/attach", "AttachDevice", "(\"" RNG "\", uint32 3)", "<rng " },
    { "/bus/undefined/anew/iothread", "AddIOThread", "(uint32 1, uint32 3)", "<iothreads>1<" },
    { "/bus/undefined/anew/memory", "SetMemory", "(uint64 32768, uint32 3)", ">32768</currentMemory>" },
};

static void
test_meanwhile(gconstpointer data)
{
    const struct Meanwhile *meanwhile = data;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(
        fixture, "web", "",
        "<controller type='pci' index='0' model='pcie-root'/>" PORT PORT PORT PORT);
    g_autoptr(GDir) dir = NULL;
    g_autofree char *definitions = g_build_filename(fixture->dir, "config/vmctl/domains", NULL);
    FixtureCall call;

    G_STATIC_ASSERT(BOTH == 3);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_signal_guests(fixture, SIGSTOP);
    fixture_begin(fixture, &call, path, meanwhile->member, g_variant_new_parsed(meanwhile->args));
    fixture_do(fixture, path, "Undefine", FLAGS(0));
    fixture_signal_guests(fixture, SIGCONT);
    fixture_end(
        fixture, &call,
        "Requested operation is not valid: transient domains do not have any persistent config");
    fixture_expect_events(fixture, "4,0 2,0 1,0");
    dir = g_dir_open(definitions, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_cmpuint(fixture_count_listed(fixture, 0), ==, 0);
}

static void
define_titled(Fixture *fixture, const char *path)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_auto(GStrv) parts = g_strsplit(xml, "</uuid>", 2);
    g_autofree char *titled = g_strjoinv("</uuid><title>anew</title>", parts);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", titled), "(o)");
}

static void
test_defined_anew(gconstpointer data)
{
    const struct Anew *anew = data;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(
        fixture, "web", "",
        "<controller type='pci' index='0' model='pcie-root'/>" PORT PORT PORT PORT);
    g_autofree char *xml = NULL;
    FixtureCall call;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_signal_guests(fixture, SIGSTOP);
    fixture_begin(fixture, &call, path, anew->member, g_variant_new_parsed(anew->args));
    define_titled(fixture, path);
    fixture_signal_guests(fixture, SIGCONT);
    fixture_end(fixture, &call, NULL);
    xml = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_assert_nonnull(strstr(xml, "<title>anew</title>"));
    g_assert_nonnull(strstr(xml, anew->mark));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(all_calls); i++)
        g_test_add_data_func(all_calls[i].name, &all_calls[i], test_meanwhile);
    for (gsize i = 0; i < G_N_ELEMENTS(all_anew); i++)
        g_test_add_data_func(all_anew[i].name, &all_anew[i], test_defined_anew);
    return g_test_run();
}
