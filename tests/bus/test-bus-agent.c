/* The guest's agent: what is asked of it, what becomes of its answers, and agents that behave badly. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define AGENT                                                                                      \
    "<channel type='unix'><source mode='bind'/>"                                                   \
    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"
#define UNRESPONSIVE "Guest agent is not responding: "

/* A guest that runs, with a disk and an agent that behaves as @word says. */
static char *
start(Fixture *fixture, const char *word, const char *devices)
{
    g_autofree char *cmdline = g_strconcat("fake=", word, NULL);
    g_autofree char *path = fixture_define_with(fixture, word, cmdline, devices);

    fixture_do(fixture, path, "Create", FLAGS(0));
    if (g_str_has_prefix(word, "agent"))
        fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    return g_steal_pointer(&path);
}

static void
assert_answers(Fixture *fixture, const char *path, const char *interface, const char *member,
               GVariant *args, const char *wanted)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = fixture_try(fixture, path, interface, member, args, NULL, &error);
    g_autofree char *text = reply ? g_variant_print(reply, FALSE) : NULL;

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, wanted);
}

/* What the agent was told last. */
static void
assert_told(Fixture *fixture, const char *path, const char *wanted)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, VMCTL_DOMAIN, "QemuAgentCommand",
                     g_variant_new("(siu)", "{\"execute\":\"fake-last\"}", -1, 0), "(s)");
    g_autofree char *whole = g_strdup_printf("{\"return\":%s}", wanted);
    const char *text;

    g_variant_get(reply, "(&s)", &text);
    g_assert_cmpstr(text, ==, whole);
}

static void
agent_fails(Fixture *fixture, const char *path, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "GetHostname", FLAGS(0), NULL, text);
}

static void
test_guest(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent", AGENT);

    assert_answers(fixture, path, DOMAIN, "GetHostname", FLAGS(0), "('fakehost',)");
    fixture_call_fails(fixture, path, DOMAIN, "GetHostname", FLAGS(VIR_DOMAIN_GET_HOSTNAME_LEASE),
                       NULL, "no hostname found: no hostname found for domain agent");
    assert_answers(fixture, path, DOMAIN, "GetTime", FLAGS(0), "((1700000000, 123456789),)");
    fixture_do(fixture, path, "SetTime", g_variant_new("(tuu)", (guint64)5, 7, 0));
    assert_told(fixture, path,
                "{\"execute\":\"guest-set-time\",\"arguments\":{\"time\":5000000007}}");
    fixture_do(fixture, path, "SetTime",
               g_variant_new("(tuu)", (guint64)5, 7, VIR_DOMAIN_TIME_SYNC));
    assert_told(fixture, path, "{\"execute\":\"guest-set-time\"}");
    fixture_call_fails(fixture, path, DOMAIN, "SetTime",
                       g_variant_new("(tuu)", (guint64)10000000000, 0, 0), NULL,
                       "invalid argument: Time '10000000000' is too big for guest agent");
    fixture_do(fixture, path, "SetUserPassword",
               g_variant_new("(ssu)", "root", "x y", VIR_DOMAIN_PASSWORD_ENCRYPTED));
    assert_told(fixture, path,
                "{\"execute\":\"guest-set-user-password\",\"arguments\":{\"crypted\":true,"
                "\"username\":\"root\",\"password\":\"eCB5\"}}");
    assert_answers(fixture, path, VMCTL_DOMAIN, "AuthorizedSSHKeysGet",
                   g_variant_new("(su)", "root", 0), "(['ssh-ed25519 A', '# b'],)");
    g_variant_unref(fixture_call(fixture, path, VMCTL_DOMAIN, "AuthorizedSSHKeysSet",
                                 g_variant_new_parsed("('root', ['k'], uint32 0)"), "()"));
    assert_told(fixture, path,
                "{\"execute\":\"guest-ssh-add-authorized-keys\",\"arguments\":{\"username\":"
                "\"root\",\"keys\":[\"k\"],\"reset\":true}}");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "QemuAgentCommand",
                       g_variant_new("(siu)", "{\"execute\":\"no-such\"}", -1, 0), NULL,
                       "internal error: unable to execute QEMU agent command 'no-such': The "
                       "command no-such has not  been found");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "QemuAgentCommand",
                       g_variant_new("(siu)", "{", -1, 0), NULL, "internal error: the JSON *");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "QemuAgentCommand",
                       g_variant_new("(siu)", "{}", -3, 0), NULL,
                       "invalid argument: guest agent timeout '-3' is less than the minimum '-2'");
}

static void
test_info(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent", AGENT);

    assert_answers(fixture, path, VMCTL_DOMAIN, "GetGuestInfo",
                   g_variant_new("(uu)", VIR_DOMAIN_GUEST_INFO_OS | VIR_DOMAIN_GUEST_INFO_USERS, 0),
                   "({'user.count': <uint32 1>, 'user.0.name': <'root'>, 'user.0.login-time': "
                   "<uint64 1700000000500>, 'os.id': <'debian'>, 'os.pretty-name': <'Debian'>, "
                   "'os.version-id': <'12'>},)");
    /* This agent knows no disks: an error for who asked for them, left out where all is asked for. */
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "GetGuestInfo",
                       g_variant_new("(uu)", VIR_DOMAIN_GUEST_INFO_DISKS, 0), NULL,
                       "internal error: unable to execute QEMU agent command 'guest-get-disks': *");
    g_variant_unref(fixture_call(fixture, path, VMCTL_DOMAIN, "GetGuestInfo",
                                 g_variant_new("(uu)", 0, 0), "(a{sv})"));
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "GetGuestInfo", g_variant_new("(uu)", 128, 0),
                       NULL, "invalid argument: unsupported guest information types '0x80'");
    assert_answers(fixture, path, DOMAIN, "InterfaceAddresses",
                   g_variant_new("(uu)", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 0),
                   "([('lo', '00:00:00:00:00:00', [(0, '127.0.0.1', 8)]), ('eth0', "
                   "'52:54:00:00:00:01', [(1, 'fe80::1', 64)])],)");
    assert_answers(fixture, path, DOMAIN, "InterfaceAddresses",
                   g_variant_new("(uu)", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, 0), "([],)");
    assert_answers(fixture, path, DOMAIN, "InterfaceAddresses",
                   g_variant_new("(uu)", VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, 0), "([],)");
    fixture_call_fails(fixture, path, DOMAIN, "InterfaceAddresses", g_variant_new("(uu)", 9, 0),
                       NULL, "argument unsupported: Unknown IP address data source 9");
}

static void
test_filesystems(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = g_build_filename(fixture->dir, "image", NULL);
    g_autofree char *zeros = g_malloc0(65536);
    g_autofree char *devices = g_strdup_printf(
        AGENT "<disk type='file' device='disk'><source file='%s'/><target dev='vdq'/></disk>",
        image);
    g_autofree char *path = NULL;

    g_assert_true(g_file_set_contents(image, zeros, 65536, NULL));
    path = start(fixture, "agent", devices);
    assert_answers(fixture, path, DOMAIN, "GetFSInfo", FLAGS(0),
                   "([('/', 'vda1', 'ext4', ['vdq']), ('/tmp', 'tmp', 'tmpfs', [])],)");
    assert_answers(fixture, path, VMCTL_DOMAIN, "GetGuestInfo",
                   g_variant_new("(uu)", VIR_DOMAIN_GUEST_INFO_FILESYSTEM, 0),
                   "({'fs.count': <uint32 2>, 'fs.0.name': <'vda1'>, 'fs.0.mountpoint': <'/'>, "
                   "'fs.0.fstype': <'ext4'>, 'fs.0.total-bytes': <uint64 9>, 'fs.0.used-bytes': "
                   "<uint64 7>, 'fs.0.disk.count': <uint32 1>, 'fs.0.disk.0.alias': <'vdq'>, "
                   "'fs.0.disk.0.serial': <'s1'>, 'fs.0.disk.0.device': <'/dev/vda1'>, "
                   "'fs.1.name': <'tmp'>, 'fs.1.mountpoint': <'/tmp'>, 'fs.1.fstype': <'tmpfs'>, "
                   "'fs.1.disk.count': <uint32 0>},)");
    assert_answers(fixture, path, DOMAIN, "FSFreeze", g_variant_new_parsed("(@as [], uint32 0)"),
                   "(2,)");
    assert_answers(fixture, path, DOMAIN, "FSFreeze", g_variant_new_parsed("(['/'], uint32 0)"),
                   "(1,)");
    assert_told(fixture, path,
                "{\"execute\":\"guest-fsfreeze-freeze-list\",\"arguments\":{\"mountpoints\":"
                "[\"/\"]}}");
    assert_answers(fixture, path, DOMAIN, "FSThaw", g_variant_new_parsed("(@as [], uint32 0)"),
                   "(3,)");
    fixture_call_fails(fixture, path, DOMAIN, "FSThaw", g_variant_new_parsed("(['/'], uint32 0)"),
                       NULL, "argument unsupported: specifying mountpoints is not supported");
    fixture_do(fixture, path, "FSTrim", g_variant_new("(stu)", "", (guint64)512, 0));
    assert_told(fixture, path, "{\"execute\":\"guest-fstrim\",\"arguments\":{\"minimum\":512}}");
    fixture_call_fails(fixture, path, DOMAIN, "FSTrim", g_variant_new("(stu)", "/", (guint64)0, 0),
                       NULL,
                       "argument unsupported: Specifying mount point is not supported for now");
}

static void
test_vcpus(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent", AGENT);

    assert_answers(fixture, path, DOMAIN, "GetGuestVcpus", FLAGS(0),
                   "({'vcpus': <<'0-1,3-4'>>, 'online': <<'0-1,3'>>, 'offlinable': <<'1,3-4'>>},)");
    /* What is so already needs no command; the agent does one of a list at a time. */
    fixture_do(fixture, path, "SetGuestVcpus",
               g_variant_new_parsed("([false, true, false, true, true], 0, uint32 0)"));
    assert_told(fixture, path,
                "{\"execute\":\"guest-set-vcpus\",\"arguments\":{\"vcpus\":[{\"logical-id\":3,"
                "\"online\":false}]}}");
    fixture_call_fails(fixture, path, DOMAIN, "SetGuestVcpus",
                       g_variant_new_parsed("([true], 0, uint32 0)"), NULL,
                       "invalid argument: vCPU '0' is not offlinable");
    fixture_call_fails(fixture, path, DOMAIN, "SetGuestVcpus",
                       g_variant_new_parsed("([false, false, true], 1, uint32 0)"), NULL,
                       "invalid argument: guest is missing vCPUs '2'");
    fixture_call_fails(fixture, path, DOMAIN, "SetGuestVcpus",
                       g_variant_new_parsed("([true], 2, uint32 0)"), NULL,
                       "invalid argument: unsupported state value");
}

static GVariant *
use(guint count, guint flags)
{
    return g_variant_new("(uu)", count, flags | VIR_DOMAIN_VCPU_GUEST);
}

/* How many the guest uses, and has, beside how many it was given. */
static void
test_vcpu_count(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent", AGENT);

    assert_answers(fixture, path, DOMAIN, "GetVcpus", FLAGS(0), "(2,)");
    assert_answers(fixture, path, DOMAIN, "GetVcpus", FLAGS(VIR_DOMAIN_VCPU_GUEST), "(3,)");
    assert_answers(fixture, path, DOMAIN, "GetVcpus",
                   FLAGS(VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_VCPU_MAXIMUM), "(4,)");
    fixture_do(fixture, path, "SetVcpus", use(4, 0));
    assert_told(fixture, path,
                "{\"execute\":\"guest-set-vcpus\",\"arguments\":{\"vcpus\":[{\"logical-id\":4,"
                "\"online\":true}]}}");
    fixture_do(fixture, path, "SetVcpus", use(2, VIR_DOMAIN_AFFECT_LIVE));
    assert_told(fixture, path,
                "{\"execute\":\"guest-set-vcpus\",\"arguments\":{\"vcpus\":[{\"logical-id\":1,"
                "\"online\":false}]}}");
    fixture_do(fixture, path, "SetVcpus", use(3, 0)); /* which it does already */
    fixture_call_fails(fixture, path, DOMAIN, "SetVcpus", use(5, 0), NULL,
                       "operation failed: guest agent reports less cpu than requested");
    fixture_call_fails(fixture, path, DOMAIN, "SetVcpus", use(0, 0), NULL,
                       "nvcpus in virDomainSetVcpusFlags must not be zero");
    fixture_call_fails(fixture, path, DOMAIN, "SetVcpus", use(1, VIR_DOMAIN_AFFECT_CONFIG), NULL,
                       "Flags 'VIR_DOMAIN_VCPU_GUEST' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive");
    fixture_do(fixture, path, "Suspend", NULL);
    fixture_call_fails(fixture, path, DOMAIN, "GetVcpus", FLAGS(VIR_DOMAIN_VCPU_GUEST), NULL,
                       "Requested operation is not valid: domain is not running");
}

/* By the agent, by the button where that does not work, and what a definition makes of it. */
static void
test_shutdown(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent", AGENT);
    g_autofree char *deaf = NULL;

    fixture_expect_events(fixture, "4,0 2,0");
    fixture_do(fixture, path, "Reboot", FLAGS(VIR_DOMAIN_REBOOT_GUEST_AGENT));
    fixture_wait_signal(fixture, "Reboot () AgentEvent (2, 2) AgentEvent (1, 2)");
    fixture_do(fixture, path, "Suspend", NULL);
    fixture_call_fails(fixture, path, DOMAIN, "Shutdown", FLAGS(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT),
                       NULL, "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Resume", NULL);
    fixture_expect_events(fixture, "3,0 4,0");
    fixture_do(fixture, path, "Shutdown", FLAGS(0));
    fixture_expect_events(fixture, "6,1 5,0");

    deaf = start(fixture, "agent-garbage", AGENT);
    fixture_expect_events(fixture, "4,0 2,0");
    fixture_call_fails(fixture, deaf, DOMAIN, "Shutdown", FLAGS(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT),
                       NULL, "internal error: cannot parse the guest agent's answer");
    fixture_do(fixture, deaf, "Shutdown",
               FLAGS(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT | VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN));
    fixture_expect_events(fixture, "6,1 5,0");
}

static void
test_absent(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *none = start(fixture, "none", "");
    g_autofree char *closed = NULL;

    agent_fails(fixture, none, "argument unsupported: QEMU guest agent is not configured");
    fixture_call_fails(fixture, none, DOMAIN, "Shutdown", FLAGS(VIR_DOMAIN_SHUTDOWN_GUEST_AGENT),
                       NULL, "argument unsupported: QEMU guest agent is not configured");
    fixture_call_fails(fixture, none, DOMAIN, "GetVcpus", FLAGS(VIR_DOMAIN_VCPU_GUEST), NULL,
                       "argument unsupported: QEMU guest agent is not configured");
    fixture_do(fixture, none, "Destroy", FLAGS(0));
    agent_fails(fixture, none, "Requested operation is not valid: domain is not running");
    fixture_call_fails(fixture, none, DOMAIN, "GetVcpus", FLAGS(VIR_DOMAIN_VCPU_GUEST), NULL,
                       "invalid argument: vCPU count provided by the guest agent can only be requested for live "
                       "domains");
    fixture_expect_events(fixture, "4,0 2,0 5,1");
    closed = start(fixture, "closed", AGENT);
    agent_fails(fixture, closed, UNRESPONSIVE "QEMU guest agent is not connected");
    fixture_call_fails(fixture, closed, DOMAIN, "SetVcpus", use(1, 0), NULL,
                       UNRESPONSIVE "QEMU guest agent is not connected");
}

static void
set_timeout(Fixture *fixture, const char *path, int seconds)
{
    g_variant_unref(fixture_call(fixture, path, VMCTL_DOMAIN, "AgentSetResponseTimeout",
                                 g_variant_new("(iu)", seconds, 0), "()"));
}

#define NOT_NOW UNRESPONSIVE "Guest agent not available for now"
#define GONE    UNRESPONSIVE "Guest agent disappeared while executing command"
#define NO_JSON "internal error: cannot parse the guest agent's answer"
#define TOO_BIG "internal error: No complete agent response found in 10485760 bytes"

/* A bad agent costs its guest's callers an error, each time, and the daemon nothing. */
static void
test_bad(void)
{
    static const struct {
        const char *word, *first, *second;
    } agents[] = {
        { "agent-mute", NOT_NOW, NOT_NOW },    { "agent-hang", NOT_NOW, NOT_NOW },
        { "agent-garbage", NO_JSON, NO_JSON }, { "agent-flood", TOO_BIG, NOT_NOW },
        { "agent-leaves", GONE, GONE },
    };
    g_autoptr(Fixture) fixture = fixture_new();

    for (gsize i = 0; i < G_N_ELEMENTS(agents); i++) {
        g_autofree char *path = start(fixture, agents[i].word, AGENT);

        set_timeout(fixture, path, agents[i].first == agents[i].second ? 1 : -2);
        agent_fails(fixture, path, agents[i].first);
        set_timeout(fixture, path, 1);
        agent_fails(fixture, path, agents[i].second);
        fixture_do(fixture, path, "Destroy", FLAGS(0));
        fixture_expect_events(fixture, "4,0 2,0 5,1");
    }
}

/* What is of another time is told from the answer; a daemon that comes back talks to the same agent. */
static void
test_sync(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent-late", AGENT);

    assert_answers(fixture, path, DOMAIN, "GetHostname", FLAGS(0), "('fakehost',)");
    assert_answers(fixture, path, DOMAIN, "GetHostname", FLAGS(0), "('fakehost',)");
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    assert_answers(fixture, path, DOMAIN, "GetHostname", FLAGS(0), "('fakehost',)");
}

static void
was_called(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

    *(char **)data = error ? g_strdup(error->message) : g_strdup("answered");
}

static gboolean
is_over(Fixture *fixture, gconstpointer data)
{
    return *(char *const *)data != NULL;
}

/* Who waits for an agent that is never heard of again waits no longer than the guest lives, and holds up nobody who
 * needs no agent. */
static void
test_end(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "agent-hang", AGENT);
    g_autofree char *outcome = NULL;

    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, "GetHostname", FLAGS(0), NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, was_called, &outcome);
    fixture_do(fixture, path, "Suspend", NULL);
    g_assert_null(outcome);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_wait(fixture, is_over, &outcome);
    g_assert_true(
        g_str_has_suffix(outcome, UNRESPONSIVE "Guest agent disappeared while executing command"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/agent/guest", test_guest);
    g_test_add_func("/bus/agent/info", test_info);
    g_test_add_func("/bus/agent/filesystems", test_filesystems);
    g_test_add_func("/bus/agent/vcpus", test_vcpus);
    g_test_add_func("/bus/agent/vcpu-count", test_vcpu_count);
    g_test_add_func("/bus/agent/shutdown", test_shutdown);
    g_test_add_func("/bus/agent/absent", test_absent);
    g_test_add_func("/bus/agent/bad", test_bad);
    g_test_add_func("/bus/agent/sync", test_sync);
    g_test_add_func("/bus/agent/end", test_end);
    return g_test_run();
}
