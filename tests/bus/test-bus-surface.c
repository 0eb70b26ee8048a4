/* What clients of libvirt-dbus see: the shapes of the replies, the texts of the errors. */
#include "tests/bus/surface.h"

#include <libvirt/libvirt.h>

#define FLAGS(n)     g_variant_new("(u)", (guint)(n))
#define BUS_ERROR(x) "org.freedesktop.DBus.Error." x

/* Properties */

static void
assert_all(Fixture *fixture, const char *path, const char *interface, const char *wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, PROPERTIES, "GetAll",
                                             g_variant_new("(s)", interface), "(a{sv})");
    g_autofree char *text = g_variant_print(reply, FALSE);

    if (!g_pattern_match_simple(wanted, text))
        g_error("%s is not like %s", text, wanted);
}

static void
test_get_all(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    surface_define(fixture, "all");
    assert_all(
        fixture, PATH, DOMAIN,
        "({'Active': <<false>>, 'Autostart': <<false>>, 'Id': <<uint32 0>>, 'Name': <<'all'>>, "
        "'OSType': <<'hvm'>>, 'Persistent': <<true>>, 'SchedulerType': <<('posix', 9)>>, "
        "'UUID': <<'" UUID "'>>, 'Updated': <<false>>},)");
    assert_all(fixture, ROOT_PATH, CONNECT,
               "({'Encrypted': <<false>>, 'Hostname': <<'*'>>, 'LibVersion': <<uint64 *>>, "
               "'Secure': <<true>>, 'Version': <<uint64 *>>},)");
    assert_all(fixture, ROOT_PATH, VMCTL_CONNECT, "({'DaemonVersion': <'*'>},)");
    assert_all(fixture, PATH, VMCTL_DOMAIN, "({},)");
    assert_all(fixture, ROOT_PATH "/domain/_nothing", DOMAIN, "({},)"); /* as libvirt-dbus has it */
}

static void
test_get_and_set(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) version = fixture_get(fixture, ROOT_PATH, CONNECT, "LibVersion");
    g_autoptr(GVariant) autostart = NULL;

    g_assert_cmpint(g_variant_get_uint64(version), >=, 9000000);
    surface_define(fixture, "set");
    g_variant_unref(fixture_call(
        fixture, PATH, PROPERTIES, "Set",
        g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_boolean(TRUE)), "()"));
    autostart = fixture_get(fixture, PATH, DOMAIN, "Autostart");
    g_assert_true(g_variant_get_boolean(autostart));
    fixture_call_fails(fixture, PATH, PROPERTIES, "Set",
                       g_variant_new("(ssv)", DOMAIN, "Autostart", g_variant_new_string("yes")),
                       BUS_ERROR("InvalidArgs"), "*Autostart*");
    fixture_call_fails(fixture, PATH, PROPERTIES, "Set",
                       g_variant_new("(ssv)", DOMAIN, "Name", g_variant_new_string("other")),
                       BUS_ERROR("InvalidArgs"), "*Name*not writable*");
    fixture_call_fails(fixture, PATH, PROPERTIES, "Get", g_variant_new("(ss)", DOMAIN, "Colour"),
                       BUS_ERROR("InvalidArgs"), "No such property*Colour*");
    fixture_call_fails(fixture, ROOT_PATH "/domain/_nothing", PROPERTIES, "Get",
                       g_variant_new("(ss)", DOMAIN, "Name"), NULL, "Invalid UUID");
}

/* Errors of the bus itself */

static void
test_unknown(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    surface_define(fixture, "known");
    fixture_call_fails(fixture, PATH, DOMAIN, "Explode", FLAGS(0), BUS_ERROR("UnknownMethod"), "*");
    fixture_call_fails(fixture, ROOT_PATH, DOMAIN, "Create", FLAGS(0), BUS_ERROR("UnknownMethod"),
                       "*");
    fixture_call_fails(fixture, ROOT_PATH "/domain", DOMAIN, "Create", FLAGS(0),
                       BUS_ERROR("UnknownMethod"), "*");
    fixture_call_fails(fixture, ROOT_PATH "/secret/_x", "org.libvirt.Secret", "Undefine", NULL,
                       BUS_ERROR("UnknownMethod"), "*");
    fixture_call_fails(fixture, ROOT_PATH "/network/_x", "org.libvirt.Network", "Create", NULL,
                       NULL, "uuidstr in virNetworkLookupByUUIDString must be a valid UUID");
    fixture_call_fails(fixture, ROOT_PATH "/nodedev/computer", "org.libvirt.NodeDevice", "ListCaps",
                       NULL, NULL,
                       "Node device not found: no node device with matching name 'computer'");
    fixture_call_fails(fixture, PATH "/below", DOMAIN, "Create", FLAGS(0),
                       BUS_ERROR("UnknownMethod"), "*");
    fixture_call_fails(fixture, PATH, DOMAIN, "Create", NULL, BUS_ERROR("InvalidArgs"), "*");
    fixture_call_fails(fixture, PATH, DOMAIN, "Create", g_variant_new("(s)", "0"),
                       BUS_ERROR("InvalidArgs"), "*");
}

/* Paths below "domain" are anything that a caller makes up. */
static void
test_paths(void)
{
    static const char *const nodes[] = {
        "_",
        "a",
        "_______",
        "_c7a5fdbd_edaf_9455_926a_d65c16db180",
        "_c7a5fdbd_edaf_9455_926a_d65c16db180Z",
        "_c7a5fdbd_edaf_9455_926a_d65c16db18099",
    };
    g_autoptr(Fixture) fixture = fixture_new();

    for (gsize i = 0; i < G_N_ELEMENTS(nodes); i++) {
        g_autofree char *path = g_strconcat(ROOT_PATH "/domain/", nodes[i], NULL);

        fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Invalid UUID");
    }
    fixture_call_fails(fixture, PATH, DOMAIN, "GetState", FLAGS(0), NULL,
                       "Domain not found: no domain with matching uuid '" UUID "'");
}

/* Errors of libvirt */

typedef struct Refusal {
    const char *path, *interface, *member, *args, *text;
} Refusal;

static const Refusal refusals[] = {
    { ROOT_PATH, CONNECT, "DomainLookupByName", "('nobody',)",
      "Domain not found: no domain with matching name 'nobody'" },
    { ROOT_PATH, CONNECT, "DomainLookupByID", "(77,)",
      "Domain not found: no domain with matching id 77" },
    { ROOT_PATH, CONNECT, "DomainLookupByID", "(-1,)",
      "id in virDomainLookupByID must be zero or greater" },
    { ROOT_PATH, CONNECT, "DomainLookupByUUID", "('00000000-0000-0000-0000-000000000001',)",
      "Domain not found: no domain with matching uuid '00000000-0000-0000-0000-000000000001'" },
    { ROOT_PATH, CONNECT, "DomainLookupByUUID", "('nobody',)", "Invalid UUID" },
    { ROOT_PATH, CONNECT, "ListDomains", "(uint32 2147483648,)",
      "unsupported flags (0x80000000) in function virConnectListAllDomains" },
    { ROOT_PATH, CONNECT, "NetworkLookupByName", "('default',)",
      "Network not found: no network with matching name 'default'" },
    { ROOT_PATH, CONNECT, "StoragePoolLookupByName", "('default',)",
      "Storage pool not found: no storage pool with matching name 'default'" },
    { ROOT_PATH, CONNECT, "StorageVolLookupByPath", "('/x',)",
      "Storage volume not found: no storage vol with matching path '/x'" },
    { ROOT_PATH, CONNECT, "SecretLookupByUsage", "(1, 'disk')",
      "Secret not found: no secret with matching usage 'disk'" },
    { ROOT_PATH, CONNECT, "NodeDeviceLookupByName", "('pci',)",
      "Node device not found: no node device with matching name 'pci'" },
    { ROOT_PATH, CONNECT, "NWFilterLookupByName", "('clean',)",
      "Network filter not found: no nwfilter with matching name 'clean'" },
    { ROOT_PATH, CONNECT, "NetworkDefineXML", "('<network><name>a</name></network>',)",
      "this function is not supported by the connection driver: virNetworkDefineXML" },
    { ROOT_PATH, CONNECT, "InterfaceLookupByName", "('eth0',)",
      "Interface not found: couldn't find interface named 'eth0'" },
    { ROOT_PATH, CONNECT, "DomainDefineXML", "('<domain>\\n<name>x</nam>\\n</domain>',)",
      "*:2: *" },
    { ROOT_PATH, CONNECT, "DomainDefineXML", "('',)", "*" },
    { ROOT_PATH, CONNECT, "BaselineCPU", "(@as [], uint32 0)",
      "xmlCPUs in virConnectBaselineCPU must not be NULL" },
    { ROOT_PATH, CONNECT, "BaselineCPU", "(['<cpu/>'], uint32 4)",
      "unsupported flags (0x4) in function virConnectBaselineCPU" },
    { ROOT_PATH, CONNECT, "BaselineCPU", "(['<cpu><arch>x86_64</arch></cpu>'], uint32 2)",
      "XML error: Missing CPU model name" },
    { ROOT_PATH, CONNECT, "GetDomainCapabilities", "('', 'ppc64', '', '', uint32 0)",
      "invalid argument: the architecture 'ppc64' is not supported by this machine, which is "
      "'x86_64'" },
    { ROOT_PATH, CONNECT, "GetDomainCapabilities", "('', '', 'pc', '', uint32 0)",
      "invalid argument: the machine 'pc' is not supported by emulator *" },
    { ROOT_PATH, CONNECT, "GetDomainCapabilities", "('', '', '', 'xen', uint32 0)",
      "invalid argument: the virtualization type 'xen' is not supported by this machine, which is "
      "'kvm'" },
    { ROOT_PATH, CONNECT, "GetCPUModelNames", "('nope', uint32 0)",
      "invalid argument: cannot find architecture nope" },
    { PATH, DOMAIN, "AttachDevice", "('<disk/>', uint32 1)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "SnapshotLookupByName", "('s1', uint32 0)",
      "Domain snapshot not found: no domain snapshot with matching name 's1'" },
    { PATH, DOMAIN, "Shutdown", "(uint32 0,)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "Destroy", "(uint32 0,)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "Suspend", "()", "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "Resume", "()", "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "Reset", "(uint32 0,)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "Reboot", "(uint32 0,)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "GetVcpus", "(uint32 1,)",
      "Requested operation is not valid: domain is not running" },
    { PATH, DOMAIN, "GetState", "(uint32 9,)",
      "unsupported flags (0x9) in function virDomainGetState" },
    { PATH, DOMAIN, "Create", "(uint32 1073741824,)",
      "unsupported flags (0x40000000) in function virDomainCreateWithFlags" },
};

static void
test_refusals(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    surface_define(fixture, "refuses");
    for (gsize i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const Refusal *row = &refusals[i];

        fixture_call_fails(fixture, row->path, row->interface, row->member,
                           g_variant_new_parsed(row->args), NULL, row->text);
    }
}

static void
test_taken(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *same_name =
        fixture_xml(fixture, "taken", "00000000-0000-0000-0000-000000000001", "");
    g_autofree char *same_uuid = fixture_xml(fixture, "other", UUID, "");

    surface_define(fixture, "taken");
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                       g_variant_new("(s)", same_name), NULL,
                       "operation failed: domain 'taken' already exists with uuid " UUID);
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                       g_variant_new("(s)", same_uuid), NULL,
                       "operation failed: domain 'taken' is already defined with uuid " UUID);
    fixture_do(fixture, PATH, "Create", FLAGS(0));
    fixture_call_fails(fixture, PATH, DOMAIN, "Create", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is already running");
}

/* Replies */

static void
test_lists(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) reply = NULL, columns = NULL;
    g_autofree char *text = NULL, *columns_text = NULL;

    surface_define(fixture, "listed");
    fixture_do(fixture, PATH, "Create", FLAGS(0));
    reply = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "ListAllDomains", FLAGS(0),
                         "(a(ossuiibb))");
    text = g_variant_print(reply, FALSE);
    g_assert_cmpstr(text, ==, "([('" PATH "', 'listed', '" UUID "', 1, 1, 1, true, false)],)");
    columns = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "ListAllDomainsInColumns", FLAGS(0),
                           "(ayayauaiaiay)");
    columns_text = g_variant_print(columns, FALSE);
    g_assert_cmpstr(columns_text, ==, "(b'listed', b'" UUID "', [1], [1], [1], [0x01])");
}

static void
test_stats(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) one = NULL, all = NULL, columns = NULL, none = NULL;
    g_autofree char *one_text = NULL, *all_text = NULL, *columns_text = NULL;

    surface_define(fixture, "counted");
    one = fixture_call(fixture, PATH, DOMAIN, "GetStats",
                       g_variant_new("(uu)", VIR_DOMAIN_STATS_STATE, 0), "(a{sv})");
    one_text = g_variant_print(one, FALSE);
    g_assert_cmpstr(one_text, ==, "({'state.state': <<5>>, 'state.reason': <<0>>},)");
    all = fixture_call(fixture, ROOT_PATH, CONNECT, "GetAllDomainStats",
                       g_variant_new("(uu)", VIR_DOMAIN_STATS_STATE, 0), "(a(sa{sv}))");
    all_text = g_variant_print(all, FALSE);
    g_assert_cmpstr(all_text, ==,
                    "([('counted', {'state.state': <<5>>, 'state.reason': <<0>>})],)");
    columns = fixture_call(fixture, ROOT_PATH, VMCTL_CONNECT, "GetAllDomainStatsInColumns",
                           g_variant_new("(uu)", VIR_DOMAIN_STATS_STATE, 0), "(ayauaa(sg)atay)");
    columns_text = g_variant_print(columns, FALSE);
    g_assert_cmpstr(columns_text, ==,
                    "(b'counted', [0], [[('state.state', 'i'), ('state.reason', 'i')]], [5, 0], [])");
    fixture_call_fails(fixture, ROOT_PATH, VMCTL_CONNECT, "GetAllDomainStatsInColumns",
                       g_variant_new("(uu)", VIR_DOMAIN_STATS_PERF,
                                     VIR_CONNECT_GET_ALL_DOMAINS_STATS_ENFORCE_STATS),
                       NULL, "*Stats types bits 0x40 are not supported by this daemon");
    none = fixture_call(fixture, ROOT_PATH, CONNECT, "GetAllDomainStats",
                        g_variant_new("(uu)", 0, VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE),
                        "(a(sa{sv}))");
    g_assert_cmpint(g_variant_n_children(g_variant_get_child_value(none, 0)), ==, 0);
}

static char *
path_of(Fixture *fixture, const char *name)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                                             g_variant_new("(s)", name), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static void
define_with(Fixture *fixture, const char *name, guint mib, const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>%s</name><memory unit='MiB'>%u</memory><os><type arch='x86_64' "
        "machine='q35'>hvm</type><kernel>%s/kernel</kernel></os><features><acpi/></features>"
        "<devices>%s</devices></domain>",
        name, mib, fixture->dir, devices);

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
}

/* What a statistics record says that is the same when it is asked for again: a process's memory is not. */
static GVariant *
lasting_part(GVariant *record)
{
    g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(record);

    g_variant_dict_remove(&dict, "balloon.rss");
    return g_variant_ref_sink(g_variant_dict_end(&dict));
}

#define MANY 72 /* more than the daemon keeps definitions of */

/* Domains that are alike share a record: each must still be told what it says of itself. */
static void
test_stats_of_many(void)
{
    static const char disk[] = "<disk type='file'><source file='/nonexistent'/><target dev='vda'/></disk>";
    const guint groups =
        VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_BLOCK;
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) all = NULL, list = NULL;
    g_autofree char *running = NULL;

    for (guint i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("guest-%u", i);

        define_with(fixture, name, i == 2 ? 128 : 64, i == 3 ? disk : "");
    }
    running = path_of(fixture, "guest-4");
    fixture_do(fixture, running, "Create", FLAGS(0));
    all = fixture_call(fixture, ROOT_PATH, CONNECT, "GetAllDomainStats",
                       g_variant_new("(uu)", groups, 0), "(a(sa{sv}))");
    list = g_variant_get_child_value(all, 0);
    g_assert_cmpuint(g_variant_n_children(list), ==, MANY);
    for (guint i = 0; i < MANY; i++) {
        g_autoptr(GVariant) record = NULL, own = NULL, own_record = NULL;
        g_autoptr(GVariant) lasting = NULL, own_lasting = NULL;
        g_autofree char *path = NULL;
        const char *name;

        g_variant_get_child(list, i, "(&s@a{sv})", &name, &record);
        path = path_of(fixture, name);
        own = fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", groups, 0),
                           "(a{sv})");
        own_record = g_variant_get_child_value(own, 0);
        lasting = lasting_part(record);
        own_lasting = lasting_part(own_record);
        g_assert_cmpvariant(lasting, own_lasting);
    }
}

/* What the hosts' processors are said to be comes to a guest's CPU. */
static void
test_baseline(void)
{
    const char *hosts[] = {
        "<cpu><arch>x86_64</arch><model>Haswell</model><vendor>Intel</vendor><feature name='invtsc'/></cpu>",
        "<cpu><arch>x86_64</arch><model>Broadwell</model><vendor>Intel</vendor><feature name='invtsc'/></cpu>",
        NULL,
    };
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "BaselineCPU",
                     g_variant_new("(^asu)", hosts, VIR_CONNECT_BASELINE_CPU_MIGRATABLE), "(s)");
    const char *xml;

    g_variant_get(reply, "(&s)", &xml);
    g_assert_cmpstr(xml, ==,
                    "<cpu mode='custom' match='exact'>\n"
                    "  <model fallback='allow'>Haswell</model>\n"
                    "  <vendor>Intel</vendor>\n"
                    "</cpu>\n");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/surface/get-all", test_get_all);
    g_test_add_func("/bus/surface/get-and-set", test_get_and_set);
    g_test_add_func("/bus/surface/unknown", test_unknown);
    g_test_add_func("/bus/surface/paths", test_paths);
    g_test_add_func("/bus/surface/refusals", test_refusals);
    g_test_add_func("/bus/surface/taken", test_taken);
    g_test_add_func("/bus/surface/lists", test_lists);
    g_test_add_func("/bus/surface/stats", test_stats);
    g_test_add_func("/bus/surface/stats-of-many", test_stats_of_many);
    g_test_add_func("/bus/surface/baseline", test_baseline);
    return g_test_run();
}
