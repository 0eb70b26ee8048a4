/* A domain's life as a client of the bus sees it: what may be done when, and the events in
 * libvirt's order. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static gboolean
file_has(Fixture *fixture, gconstpointer text)
{
    g_autofree char *path = g_build_filename(fixture->dir, "serial1", NULL);
    g_autofree char *bytes = NULL;

    return g_file_get_contents(path, &bytes, NULL, NULL) && strstr(bytes, text);
}

static void
assert_list(Fixture *fixture, guint flags, const char *wanted)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", FLAGS(flags), "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);

    if (!wanted) {
        g_assert_cmpint(g_variant_n_children(paths), ==, 0);
        return;
    }
    g_assert_cmpint(g_variant_n_children(paths), ==, 1);
    g_variant_unref(reply);
    reply = g_variant_get_child_value(paths, 0);
    g_assert_cmpstr(g_variant_get_string(reply, NULL), ==, wanted);
}

static void
assert_found(Fixture *fixture, const char *member, GVariant *arg, const char *wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, member, arg, "(o)");
    const char *path;

    g_variant_get(reply, "(&o)", &path);
    g_assert_cmpstr(path, ==, wanted);
}

static guint
id_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) id = fixture_get(fixture, path, DOMAIN, "Id");

    return g_variant_get_uint32(id);
}

static void
test_life(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "life", "");
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");

    assert_list(fixture, 0, path);
    assert_list(fixture, VIR_CONNECT_LIST_DOMAINS_ACTIVE, NULL);
    assert_found(fixture, "DomainLookupByName", g_variant_new("(s)", "life"), path);
    assert_found(fixture, "DomainLookupByUUID", g_variant_new("(*)", uuid), path);
    g_assert_cmpint(id_of(fixture, path), ==, 0);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    g_assert_cmpint(id_of(fixture, path), ==, 1);
    assert_found(fixture, "DomainLookupByID", g_variant_new("(i)", 1), path);
    assert_list(fixture, VIR_CONNECT_LIST_DOMAINS_ACTIVE, path);
    fixture_wait(fixture, file_has, "fake guest here");

    fixture_do(fixture, path, "Suspend", NULL);
    fixture_expect_events(fixture, "3,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_PAUSED);
    fixture_do(fixture, path, "Suspend", NULL);
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    fixture_call_fails(fixture, path, DOMAIN, "Resume", NULL, NULL,
                       "Requested operation is not valid: domain is already running");

    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    g_assert_cmpint(id_of(fixture, path), ==, 2);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");

    fixture_do(fixture, path, "Undefine", FLAGS(0));
    fixture_expect_events(fixture, "1,0");
    assert_list(fixture, 0, NULL);
    fixture_call_fails(fixture, path, DOMAIN, "GetState", FLAGS(0), NULL, "Domain not found: *");
}

static void
test_transient(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    const char *uuid = "c7a5fdbd-edaf-9455-926a-d65c16db1809";
    const char *path = ROOT_PATH "/domain/_c7a5fdbd_edaf_9455_926a_d65c16db1809";
    g_autofree char *xml = fixture_xml(fixture, "passing", uuid, "");
    g_autoptr(GVariant) persistent = NULL;

    assert_found(fixture, "DomainCreateXML", g_variant_new("(su)", xml, 0), path);
    fixture_expect_events(fixture, "4,0 2,0");
    persistent = fixture_get(fixture, path, DOMAIN, "Persistent");
    g_assert_false(g_variant_get_boolean(persistent));
    fixture_call_fails(fixture, path, DOMAIN, "Undefine", FLAGS(0), NULL,
                       "Requested operation is not valid: cannot undefine transient domain");
    fixture_call_fails(fixture, path, DOMAIN, "GetVcpus", FLAGS(VIR_DOMAIN_AFFECT_CONFIG), NULL,
                       "Requested operation is not valid: transient domains*");
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");
    assert_list(fixture, 0, NULL);
}

static void
test_started_paused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "asleep", "");

    fixture_do(fixture, path, "Create", FLAGS(VIR_DOMAIN_START_PAUSED));
    fixture_expect_events(fixture, "2,0 3,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_PAUSED);
    g_assert_false(file_has(fixture, "fake guest here"));
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    fixture_wait(fixture, file_has, "fake guest here");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_reboots(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "again", "fake=reboot");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_wait_signal(fixture, "Reboot ");
    fixture_do(fixture, path, "Reboot", FLAGS(0)); /* the button, and back again */
    fixture_wait_signal(fixture, "Reboot ");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_do(fixture, path, "Shutdown", FLAGS(0)); /* means a power-off again */
    fixture_expect_events(fixture, "6,1 5,0");
}

static GVariant *
action_arg(int type, int action, guint flags)
{
    return g_variant_new("(uuu)", (guint)type, (guint)action, flags);
}

static void
set_action(Fixture *fixture, const char *path, int type, int action, guint flags)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction",
                                             action_arg(type, action, flags), "()");

    g_assert_nonnull(reply);
}

static void
assert_said(Fixture *fixture, const char *path, guint flags, const char *wanted)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetXMLDesc", FLAGS(flags), "(s)");
    const char *xml;

    g_variant_get(reply, "(&s)", &xml);
    if (!strstr(xml, wanted))
        g_error("%s is not in %s", wanted, xml);
}

/* A running guest's actions, which its process knows, and those of the definition. */
static void
test_actions(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "told", "");
    const guint live = VIR_DOMAIN_AFFECT_LIVE, config = VIR_DOMAIN_AFFECT_CONFIG;

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction", action_arg(0, 1, live),
                       NULL, "Requested operation is not valid: domain is not running");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction", action_arg(0, 4, 0), NULL,
                       "unsupported configuration: Lifecycle event 'poweroff' doesn't support "
                       "'coredump-destroy' action");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction", action_arg(1, 2, 0), NULL,
                       "unsupported configuration: qemu driver doesn't support the "
                       "'rename-restart' action *");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction", action_arg(2, 5, 0), NULL,
                       "unsupported configuration: value 'coredump-restart' of <on_crash> *");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "SetLifecycleAction", action_arg(3, 0, 0), NULL,
                       "invalid argument: invalid lifecycle type '3'");
    set_action(fixture, path, 2, 3, 0);
    assert_said(fixture, path, 0, "<on_crash>preserve</on_crash>");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    set_action(fixture, path, 0, 1, live);
    assert_said(fixture, path, 0, "<on_poweroff>restart</on_poweroff>");
    assert_said(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<on_poweroff>destroy</on_poweroff>");
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_wait_signal(fixture, "Reboot ");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    set_action(fixture, path, 0, 0, live | config);
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");
    assert_said(fixture, path, 0, "<on_poweroff>destroy</on_poweroff>");
}

/* The domain has ended with this event and reason of being shut off. */
static void
assert_ends(const char *cmdline, const char *events, int reason)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "ends", cmdline);
    g_autoptr(GVariant) reply = NULL;
    int state, why;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, events);
    reply = fixture_call(fixture, path, DOMAIN, "GetState", FLAGS(0), "((ii))");
    g_variant_get(reply, "((ii))", &state, &why);
    g_assert_cmpint(state, ==, VIR_DOMAIN_SHUTOFF);
    g_assert_cmpint(why, ==, reason);
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
}

static void
test_crashes(void)
{
    assert_ends("fake=crash", "4,0 2,0 5,2", VIR_DOMAIN_SHUTOFF_CRASHED);
    assert_ends("fake=die", "4,0 2,0 5,5", VIR_DOMAIN_SHUTOFF_CRASHED);
}

/* A domain whose definition says what comes of a crash. */
static char *
define_with_crash(Fixture *fixture, const char *name, const char *cmdline, const char *action)
{
    g_autofree char *xml = fixture_xml(fixture, name, NULL, cmdline);
    g_auto(GStrv) halves = g_strsplit(xml, "<devices>", 2);
    g_autofree char *whole =
        g_strdup_printf("%s<on_crash>%s</on_crash><devices>%s", halves[0], action, halves[1]);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", whole), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    fixture_expect_events(fixture, "0,0");
    return path;
}

static void
test_panic_destroy(void)
{
    assert_ends("fake=panic", "4,0 2,0 8,0 5,2", VIR_DOMAIN_SHUTOFF_CRASHED);
}

static void
test_panic_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_with_crash(fixture, "again", "fake=panic", "restart");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 8,0 4,0");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_CRASHED);
    fixture_wait_signal(fixture, "Reboot ");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_panic_preserve(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_with_crash(fixture, "kept", "fake=panic", "preserve");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 8,0");
    fixture_assert_state(fixture, path, VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED);
    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED);
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_crash_loaded(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "loaded", "fake=crash-loaded");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 8,1");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_watchdog_pause(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "bitten", "fake=bitten-pause");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 3,3");
    fixture_wait_signal(fixture, "Watchdog (1,)");
    fixture_assert_state(fixture, path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG);
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_watchdog_poweroff(void)
{
    assert_ends("fake=bitten-off", "4,0 2,0 5,0", VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

static GVariant *
keys(guint codeset, guint holdtime, const char *codes)
{
    return g_variant_new("(uu@auu)", codeset, holdtime,
                         g_variant_new_parsed(codes), 0u);
}

static void
test_send_key(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "typed", "");
    g_autofree char *mute = fixture_define(fixture, "mute", "fake=no-keyboard");

    fixture_call_fails(fixture, path, DOMAIN, "SendKey", keys(0, 0, "@au [29]"), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "SendKey", keys(VIR_KEYCODE_SET_LINUX, 0, "@au [29, 56, 111]"));
    fixture_wait(fixture, file_has, "1d 38 d3 for 100 ms");
    fixture_do(fixture, path, "SendKey", keys(VIR_KEYCODE_SET_ATSET2, 1500, "@au [0xe071]"));
    fixture_wait(fixture, file_has, "d3 for 1500 ms");
    fixture_do(fixture, path, "SendKey", keys(VIR_KEYCODE_SET_OSX, 1, "@au [0]"));
    fixture_wait(fixture, file_has, "1e for 1 ms");
    fixture_call_fails(fixture, path, DOMAIN, "SendKey", keys(0, 0, "@au [30, 330]"), NULL,
                       "internal error: cannot translate keycode 330 of linux codeset to qnum keycode");
    fixture_call_fails(fixture, path, DOMAIN, "SendKey", keys(10, 0, "@au [30]"), NULL,
                       "Unsupported codeset '10'");
    fixture_call_fails(fixture, path, DOMAIN, "SendKey", keys(0, 0, "@au []"), NULL,
                       "keycodes in virDomainSendKey must not be NULL");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, mute, "Create", FLAGS(0));
    fixture_call_fails(fixture, mute, DOMAIN, "SendKey", keys(0, 0, "@au [30]"), NULL,
                       "*The machine has no keyboard*");
    fixture_do(fixture, mute, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 5,1 4,0 2,0 5,1");
}

static void
test_inject_nmi(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "button", "");

    fixture_call_fails(fixture, path, DOMAIN, "InjectNMI", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "InjectNMI", FLAGS(1), NULL, "*unsupported flags*");
    fixture_do(fixture, path, "InjectNMI", FLAGS(0));
    fixture_wait(fixture, file_has, "NMI");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 5,1");
}

/* A disk that failed: the guest waits, and goes on when it is told to. */
static void
test_io_error(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "waits", "fake=io-error");
    g_autoptr(GVariant) reply = NULL;
    int state, why;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 3,2");
    reply = fixture_call(fixture, path, DOMAIN, "GetState", FLAGS(0), "((ii))");
    g_variant_get(reply, "((ii))", &state, &why);
    g_assert_cmpint(state, ==, VIR_DOMAIN_PAUSED);
    g_assert_cmpint(why, ==, VIR_DOMAIN_PAUSED_IOERROR);
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "4,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

/* A definition with a PCI device, that has no place yet. */
static char *
define_rng(Fixture *fixture)
{
    return fixture_define_with(
        fixture, "dice", "",
        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>");
}

/* A device gets its place when it is defined, and keeps it. */
static void
test_addresses(void)
{
    static const char address[] =
        "<address type='pci' domain='0x0000' bus='0x02' slot='0x00' function='0x0'/>\n    </rng>";
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_rng(fixture);
    g_autofree char *defined = fixture_xml_of(fixture, path, 0);
    g_autofree char *live = NULL, *inactive = NULL;

    g_assert_nonnull(strstr(defined, address));
    g_assert_nonnull(strstr(defined, "<controller type='pci' index='3' model='pcie-root-port'>"));
    g_assert_null(strstr(defined, "<alias"));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, address));
    g_assert_nonnull(strstr(live, "<alias name='rng0'/>"));
    g_assert_nonnull(strstr(live, "<alias name='pcie.0'/>"));
    g_assert_nonnull(strstr(live, "<alias name='pci.3'/>"));
    inactive = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_assert_cmpstr(defined, ==, inactive);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_ignored_button(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "deaf", "fake=ignore-button");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0 5,1");
}

static void
test_failed_start(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "never", "fake=fail-create");
    guint descriptors = fixture_count_descriptors(fixture);

    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "*the fake machine cannot be made, as told*");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
    g_assert_cmpint(id_of(fixture, path), ==, 0);
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
    fixture_expect_descriptors(fixture, descriptors);
    g_assert_cmpstr(fixture->events->str, ==, "");
}

static void
start_answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    GError **error = data;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, error);

    g_assert_null(reply);
}

static gboolean
is_set(Fixture *fixture, gconstpointer pointer)
{
    return *(const gpointer *)pointer != NULL;
}

/* A start that hangs can be destroyed, and its caller hears of it. */
static void
test_destroyed_start(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "stuck", "fake=hang");
    g_autoptr(GError) error = NULL;

    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, "Create", FLAGS(0), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, start_answered, &error);
    g_usleep(100000);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_wait(fixture, is_set, &error);
    g_dbus_error_strip_remote_error(error);
    g_assert_true(g_pattern_match_simple("*destroyed*", error->message));
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
}

/* A caller that is gone when the answer comes does no harm. */
static void
test_vanished_caller(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "alone", "");
    const char *argv[] = { "gdbus", "call", "--session",      "-d", BUS_NAME, "-o",
                           path,    "-m",   DOMAIN ".Create", "0",  NULL };
    g_autoptr(GSubprocess) caller = fixture_spawn(
        fixture, G_SUBPROCESS_FLAGS_STDOUT_SILENCE | G_SUBPROCESS_FLAGS_STDERR_SILENCE, argv);

    fixture_expect_events(fixture, "4,0 2,0");
    g_subprocess_force_exit(caller);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

static void
test_redefined(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "newer", "");
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");
    g_autofree char *xml =
        fixture_xml(fixture, "newer", g_variant_get_string(uuid, NULL), "another=line");
    g_autoptr(GVariant) updated = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_found(fixture, "DomainDefineXML", g_variant_new("(s)", xml), path);
    fixture_expect_events(fixture, "4,0 2,0 0,1");
    updated = fixture_get(fixture, path, DOMAIN, "Updated");
    g_assert_true(g_variant_get_boolean(updated));
    fixture_do(fixture, path, "Undefine", FLAGS(0)); /* lives on, transient */
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "1,0 5,1");
    assert_list(fixture, 0, NULL);
}

/* One that begins with firmware: its code and its variables are files here. */
static void
test_firmware(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *code = g_build_filename(fixture->dir, "code.fd", NULL);
    g_autofree char *variables = g_build_filename(fixture->dir, "vars.fd", NULL);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>firm</name><memory unit='MiB'>64</memory><os>"
        "<type arch='x86_64' machine='q35'>hvm</type><loader readonly='yes' type='pflash'>%s</loader>"
        "<nvram>%s</nvram><bootmenu enable='yes'/><bios useserial='yes' rebootTimeout='5'/></os>"
        "<features><acpi/></features><devices><serial type='pty'/></devices></domain>",
        code, variables);
    g_autoptr(GVariant) reply = NULL;
    const char *path;

    g_assert_true(g_file_set_contents(code, "code", -1, NULL));
    g_assert_true(g_file_set_contents(variables, "variables", -1, NULL));
    reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML", g_variant_new("(s)", xml),
                         "(o)");
    g_variant_get(reply, "(&o)", &path);
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "0,0 4,0 2,0");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
}

/* Twenty lives leave nothing behind. */
static void
test_cycles(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    guint descriptors = 0, files = 0;

    for (int i = 0; i < 21; i++) {
        g_autofree char *path = fixture_define(fixture, "round", "");

        fixture_do(fixture, path, "Create", FLAGS(0));
        fixture_do(fixture, path, i % 2 ? "Destroy" : "Shutdown", FLAGS(0));
        fixture_expect_events(fixture, i % 2 ? "4,0 2,0 5,1" : "4,0 2,0 6,1 5,0");
        fixture_do(fixture, path, "Undefine", FLAGS(0));
        fixture_expect_events(fixture, "1,0");
        if (i == 0) { /* what the first one makes for all of them */
            descriptors = fixture_count_descriptors(fixture);
            files = fixture_count_run_files(fixture);
        }
    }
    fixture_expect_descriptors(fixture, descriptors);
    g_assert_cmpint(fixture_count_run_files(fixture), ==, files);
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/lifecycle/life", test_life);
    g_test_add_func("/bus/lifecycle/transient", test_transient);
    g_test_add_func("/bus/lifecycle/started-paused", test_started_paused);
    g_test_add_func("/bus/lifecycle/reboots", test_reboots);
    g_test_add_func("/bus/lifecycle/actions", test_actions);
    g_test_add_func("/bus/lifecycle/crashes", test_crashes);
    g_test_add_func("/bus/lifecycle/panic/destroy", test_panic_destroy);
    g_test_add_func("/bus/lifecycle/panic/restart", test_panic_restart);
    g_test_add_func("/bus/lifecycle/panic/preserve", test_panic_preserve);
    g_test_add_func("/bus/lifecycle/panic/crash-loaded", test_crash_loaded);
    g_test_add_func("/bus/lifecycle/watchdog/pause", test_watchdog_pause);
    g_test_add_func("/bus/lifecycle/watchdog/poweroff", test_watchdog_poweroff);
    g_test_add_func("/bus/lifecycle/inject-nmi", test_inject_nmi);
    g_test_add_func("/bus/lifecycle/send-key", test_send_key);
    g_test_add_func("/bus/lifecycle/io-error", test_io_error);
    g_test_add_func("/bus/lifecycle/addresses", test_addresses);
    g_test_add_func("/bus/lifecycle/ignored-button", test_ignored_button);
    g_test_add_func("/bus/lifecycle/failed-start", test_failed_start);
    g_test_add_func("/bus/lifecycle/destroyed-start", test_destroyed_start);
    g_test_add_func("/bus/lifecycle/vanished-caller", test_vanished_caller);
    g_test_add_func("/bus/lifecycle/redefined", test_redefined);
    g_test_add_func("/bus/lifecycle/firmware", test_firmware);
    g_test_add_func("/bus/lifecycle/cycles", test_cycles);
    return g_test_run();
}
