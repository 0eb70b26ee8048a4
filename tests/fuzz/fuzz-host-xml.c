/* Fuzz target: the documents of anybody that are no domain's. The first byte says whose: a network, a pool, an interface of
 * the host, a device of the host, the sources of a pool, a CPU to compare with the host's, or CPUs to join, of which an
 * empty line ends one. What is accepted is accepted again as it was kept. */
#include "driver/cpu-baseline.h"
#include "driver/cpu-compare.h"
#include "driver/host-objects.h"
#include "driver/pool-sources.h"
#include "driver/test-default.h"
#include "driver/xml-host.h"

#include <libvirt/libvirt.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(gboolean ok, const GError *error)
{
    g_assert_true(ok == !error);
    g_assert_true(!error || (error->code > 0 && *error->message && g_utf8_validate(error->message, -1, NULL)));
}

static void
define(HostKind kind, const char *xml)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GInetAddress) address = NULL;
    HostFacts facts = { 0 }, again = { 0 };
    guint prefix = 0;
    gboolean ok = xml_host_parse(kind, xml, &facts, &error);

    check(ok, error);
    if (!ok)
        return;
    g_assert_true(facts.name && *facts.name && g_utf8_validate(facts.xml, -1, NULL));
    xml_host_parse(kind, facts.xml, &again, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(facts.xml, ==, again.xml);
    g_assert_cmpstr(facts.name, ==, again.name);
    g_assert_cmpstr(facts.uuid, ==, again.uuid);
    address = xml_host_first_address(facts.xml, &prefix);
    host_facts_clear(&facts);
    host_facts_clear(&again);
}

static void
define_network(const char *xml)
{
    define(HOST_NETWORK, xml);
}

static void
define_pool(const char *xml)
{
    define(HOST_POOL, xml);
}

static void
define_interface(const char *xml)
{
    define(HOST_INTERFACE, xml);
}

static void
create_device(const char *xml)
{
    const DriverEvents events = { 0 };
    HostObjects *objects = host_objects_new(test_default_objects, &events);
    g_autoptr(GError) error = NULL;
    HostObject *device = host_device_create(objects, xml, &error);

    check(device != NULL, error);
    if (device)
        g_assert_true(host_device_destroy(objects, device, &error));
    host_objects_free(objects);
}

static void
find_sources(const char *xml)
{
    static const char *const types[] = { "logical", "netfs", "iscsi", "dir", "no-such-type" };
    g_autoptr(GError) error = NULL;
    g_autofree char *sources = pool_sources_find(types[*xml % G_N_ELEMENTS(types)], *xml ? xml + 1 : xml, &error);

    check(sources != NULL, error);
}

/* The same on every host. */
static void
compare_cpu(const char *xml)
{
    HostCpu host = { .vendor_id = "GenuineIntel" };
    g_autoptr(GError) error = NULL;
    int result;

    cpu_model_bits(cpu_model_find("Skylake-Client"), &host.own);
    result = cpu_compare(&host, xml, *xml == ' ', &error);
    check(result != VIR_CPU_COMPARE_ERROR, error);
}

static void
join_cpus(const char *xml)
{
    g_auto(GStrv) documents = g_strsplit(xml, "\n\n", 4);
    g_autoptr(GError) error = NULL;
    g_autofree char *cpu =
        cpu_baseline((const char *const *)documents, VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES, &error);

    check(cpu != NULL, error);
}

static const struct {
    char letter;
    void (*read)(const char *xml);
} kinds[] = {
    { 'n', define_network }, { 'p', define_pool }, { 'i', define_interface }, { 'd', create_device },
    { 's', find_sources },   { 'c', compare_cpu }, { 'b', join_cpus },
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = size > 0 ? g_strndup((const char *)data + 1, size - 1) : NULL;

    for (gsize i = 0; xml && i < G_N_ELEMENTS(kinds); i++) {
        if (kinds[i].letter == data[0])
            kinds[i].read(xml);
    }
    return 0;
}
