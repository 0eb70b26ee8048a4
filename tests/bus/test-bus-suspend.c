/* Guests that suspend themselves, are asked to by their agent, and are woken: what a client sees of it. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define PMSUSPENDED                                                                                \
    "Requested operation is not valid: domain is pmsuspended"
#define ASLEEP "4,0 2,0 7,0" /* resumed, started, pmsuspended: memory */
#define AGENT                                                                                      \
    "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>"

static char *
start(Fixture *fixture, const char *cmdline, const char *devices)
{
    char *path = fixture_define_with(fixture, "naps", cmdline, devices);

    fixture_do(fixture, path, "Create", FLAGS(0));
    return path;
}

/* One that has fallen asleep. */
static char *
start_asleep(Fixture *fixture)
{
    char *path = start(fixture, "fake=sleep", "");

    fixture_expect_events(fixture, ASLEEP);
    fixture_assert_state(fixture, path, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    return path;
}

static void
wakeup_fails(Fixture *fixture, const char *path, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "PMWakeup", FLAGS(0), NULL, text);
}

static void
test_wakeup(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start_asleep(fixture);

    fixture_wait_signal(fixture, "PMSuspend (0,)");
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_OTHER), ==, 1);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_ACTIVE), ==, 1);
    g_assert_cmpuint(fixture_count_listed(fixture, VIR_CONNECT_LIST_DOMAINS_RUNNING), ==, 0);
    fixture_call_fails(fixture, path, DOMAIN, "Suspend", NULL, NULL, PMSUSPENDED);
    fixture_call_fails(fixture, path, DOMAIN, "Resume", NULL, NULL, PMSUSPENDED);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "Requested operation is not valid: domain is already running");
    fixture_call_fails(fixture, path, DOMAIN, "Shutdown", FLAGS(1), NULL,
                       "Requested operation is not valid: domain is not running");
    fixture_call_fails(fixture, path, DOMAIN, "PMWakeup", FLAGS(1), NULL,
                       "*unsupported flags (0x1) in function virDomainPMWakeup");
    fixture_do(fixture, path, "PMWakeup", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
    fixture_wait_signal(fixture, "PMWakeup (0,)");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
    wakeup_fails(fixture, path,
                 "internal error: unable to execute QEMU command 'system_wakeup': "
                 "Unable to wake up: guest is not in suspended state");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    wakeup_fails(fixture, path, "Requested operation is not valid: domain is not running");
}

/* What else ends it. */
static void
test_ends(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start_asleep(fixture);

    fixture_do(fixture, path, "Reset", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "5,1 " ASLEEP);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED);
}

/* The next daemon finds it asleep; one that woke meanwhile runs. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start_asleep(fixture);

    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_assert_state(fixture, path, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    fixture_call_fails(fixture, path, DOMAIN, "Resume", NULL, NULL, PMSUSPENDED);
    fixture_do(fixture, path, "PMWakeup", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP);
}

/* Saved in its sleep, it sleeps on. */
static void
test_saved(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start_asleep(fixture);

    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    fixture_expect_events(fixture, "5,4");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "2,2 7,0");
    fixture_assert_state(fixture, path, VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PMSUSPENDED_UNKNOWN);
    fixture_do(fixture, path, "PMWakeup", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
}

/* Off, by way of pmsuspended; or what on_poweroff says. */
static void
test_hibernate(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=hibernate", "");

    fixture_expect_events(fixture, "4,0 2,0 7,1 6,1 5,0");
    fixture_wait_signal(fixture, "PMSuspendDisk (0,)");
    fixture_assert_state(fixture, path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN);
}

static GVariant *
suspend_args(guint target, guint64 duration_s)
{
    return g_variant_new("(utu)", target, duration_s, 0);
}

static void
suspend_fails(Fixture *fixture, const char *path, guint target, guint64 duration_s,
              const char *text)
{
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "PMSuspendForDuration",
                       suspend_args(target, duration_s), NULL, text);
}

static void
suspend(Fixture *fixture, const char *path, guint target)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, VMCTL_DOMAIN, "PMSuspendForDuration",
                                             suspend_args(target, 0), "()");
}

/* The guest's falling asleep is its agent's answer; the agent is there again when it wakes. */
static void
test_agent(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "fake=agent", AGENT);

    fixture_expect_events(fixture, "4,0 2,0");
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    suspend(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM);
    fixture_expect_events(fixture, "7,0");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 0,
                  "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "PMWakeup", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    suspend(fixture, path, VIR_NODE_SUSPEND_TARGET_HYBRID);
    fixture_expect_events(fixture, "7,0");
    fixture_do(fixture, path, "PMWakeup", FLAGS(0));
    fixture_expect_events(fixture, "2,4");
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 5,
                  "argument unsupported: Duration not supported. Use 0 for now");
    suspend_fails(fixture, path, 3, 0, "invalid argument: Unknown suspend target: 3");
    suspend(fixture, path, VIR_NODE_SUSPEND_TARGET_DISK);
    fixture_expect_events(fixture, "7,1 6,1 5,0");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 0,
                  "Requested operation is not valid: domain is not running");
}

static void
test_no_agent(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start(fixture, "", "");

    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 0,
                  "argument unsupported: QEMU guest agent is not configured");
}

/* A guest with an agent, and @features where others have ACPI. */
static char *
start_with(Fixture *fixture, const char *features)
{
    g_autofree char *plain = fixture_xml(fixture, "wakes", NULL, "fake=agent");
    g_auto(GStrv) parts = g_strsplit(plain, "<features><acpi/></features><devices>", 2);
    g_autofree char *xml = g_strconcat(parts[0], features, "<devices>" AGENT, parts[1], NULL);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainCreateXML",
                                             g_variant_new("(su)", xml, 0), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

/* <pm> says no. */
static void
test_disabled(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path =
        start_with(fixture, "<features><acpi/></features><pm><suspend-to-mem enabled='no'/>"
                            "<suspend-to-disk enabled='no'/></pm>");

    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 0,
                  "Requested operation is not valid: S3 state is disabled for this domain");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_HYBRID, 0,
                  "Requested operation is not valid: S3 state is disabled for this domain");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_DISK, 0,
                  "Requested operation is not valid: S4 state is disabled for this domain");
}

/* Nothing tells the guest how, or that it may. */
static void
test_no_acpi(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = start_with(fixture, "");

    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_MEM, 0,
                  "Operation not supported: Domain does not have suspend support");
    suspend_fails(fixture, path, VIR_NODE_SUSPEND_TARGET_DISK, 0,
                  "Operation not supported: Domain does not have suspend support");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/suspend/wakeup", test_wakeup);
    g_test_add_func("/bus/suspend/ends", test_ends);
    g_test_add_func("/bus/suspend/restart", test_restart);
    g_test_add_func("/bus/suspend/saved", test_saved);
    g_test_add_func("/bus/suspend/hibernate", test_hibernate);
    g_test_add_func("/bus/suspend/agent", test_agent);
    g_test_add_func("/bus/suspend/no-agent", test_no_agent);
    g_test_add_func("/bus/suspend/disabled", test_disabled);
    g_test_add_func("/bus/suspend/no-acpi", test_no_acpi);
    return g_test_run();
}
