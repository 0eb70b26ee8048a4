/* The commands about networks, pools, devices and interfaces: what virsh's test driver cannot be asked, and the hypervisor
 * that has none of them. What they print elsewhere is compared with virsh's, in "cases". */
#include "tests/cli/vmctl.h"

#define TEST "-c", "test:///default"

/* The names alone, for a driver that knows no states of devices, which virsh's refuses. */
static void
test_node_devices(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    vmctl_says(fixture, "computer\nscsi_host1\nscsi_host11\nscsi_host2\n\n", TEST, "nodedev-list");
    vmctl_says(fixture, "computer\n\n", TEST, "nodedev-list", "--cap", "system,net");
    vmctl_says(fixture,
               "computer\n  |\n  +- scsi_host1\n  |   |\n  |   +- scsi_host11\n  |     \n"
               "  +- scsi_host2\n    \n\n",
               TEST, "nodedev-list", "--tree");
    vmctl_fails(fixture,
                "error: Failed to list node devices\n"
                "error: unsupported flags (0x40000000) in function virConnectListAllNodeDevices\n",
                TEST, "nodedev-list", "--inactive");
}

static void
test_json(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    vmctl_says(fixture,
               "[\n  {\n    \"name\": \"default\",\n    \"state\": \"active\",\n"
               "    \"autostart\": false,\n    \"persistent\": true\n  }\n]\n",
               TEST, "--output", "json", "net-list", "--name");
    vmctl_says(fixture,
               "{\n  \"name\": \"default\",\n"
               "  \"uuid\": \"dd8fe884-6c02-601e-7551-cca97df1c5df\",\n  \"active\": true,\n"
               "  \"persistent\": true,\n  \"autostart\": false,\n  \"bridge\": \"virbr0\"\n}\n",
               TEST, "--output", "json", "net-info", "default");
    vmctl_says(fixture,
               "[\n  {\n    \"name\": \"default-pool\",\n    \"state\": \"running\",\n"
               "    \"autostart\": false,\n    \"persistent\": true,\n"
               "    \"capacity-bytes\": 107374182400,\n    \"allocation-bytes\": 0,\n"
               "    \"available-bytes\": 107374182400\n  }\n]\n",
               TEST, "--output", "json", "pool-list", "--details");
    vmctl_says(fixture,
               "[\n  {\n    \"name\": \"eth1\",\n    \"state\": \"active\",\n"
               "    \"mac\": \"aa:bb:cc:dd:ee:ff\"\n  }\n]\n",
               TEST, "--output", "json", "iface-list");
    vmctl_says(fixture, "{\n  \"uuid\": \"dd8fe884-6c02-601e-7551-cca97df1c5df\"\n}\n", TEST,
               "--output", "json", "net-uuid", "default");
    vmctl_says(fixture, "{\n  \"mac\": \"aa:bb:cc:dd:ee:ff\"\n}\n", TEST, "--output", "json",
               "iface-mac", "eth1");
}

/* Where virsh goes on after saying what libxml2 does, prints a document within another, or crashes. */
static void
test_xpath(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Said) document =
        vmctl(fixture, "", TEST, "dumpxml", "test", "--wrap", "--xpath", "/", NULL);
    g_autoptr(Said) element =
        vmctl(fixture, "", TEST, "dumpxml", "test", "--wrap", "--xpath", "/*", NULL);

    g_assert_cmpstr(document->out, ==, element->out);
    g_assert_true(g_str_has_prefix(document->out, "<nodes>\n  <domain type=\"test\""));
    vmctl_fails(fixture, "error: the XPath expression '//[' is wrong: Invalid expression\n", TEST,
                "dumpxml", "test", "--xpath", "//[");
    vmctl_fails(fixture, "error: the XPath expression '//x:y' is wrong: Undefined namespace prefix\n",
                TEST, "dumpxml", "test", "--xpath", "//x:y");
    vmctl_fails(fixture, "error: internal error: Incorrect xpath '/domain/namespace::*'\n", TEST,
                "dumpxml", "test", "--xpath", "/domain/namespace::*", "--wrap");
}

/* What is refused in libvirt's words. */
static void
test_hypervisor(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    vmctl_says(fixture, "", "-q", "net-list", "--all");
    vmctl_says(fixture, "", "-q", "pool-list", "--all", "--details");
    vmctl_says(fixture, "\n", "nodedev-list");
    vmctl_says(fixture, "", "-q", "iface-list", "--all");
    vmctl_fails(fixture,
                "error: failed to get network 'lan'\n"
                "error: Network not found: no network with matching name 'lan'\n",
                "net-start", "lan");
    vmctl_fails(fixture,
                "error: Failed to create pool a\nerror: this function is not supported by the "
                "connection driver: virStoragePoolCreateXML\n",
                "pool-create-as", "a", "dir", "--target", "/x");
    vmctl_fails(fixture,
                "error: failed to get vol 'v', specifying --pool might help\n"
                "error: Storage volume not found: no storage vol with matching path 'v'\n",
                "vol-info", "v");
    vmctl_fails(fixture,
                "error: Failed to begin network config change transaction\nerror: this function is "
                "not supported by the connection driver: virInterfaceChangeBegin\n",
                "iface-begin");
}

static void
expect_line(GDataInputStream *lines, const char *pattern)
{
    g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, NULL);

    if (!line || !g_pattern_match_simple(pattern, line))
        g_error("vmctl said '%s', not '%s'", line ? line : "nothing", pattern);
}

/* One that waits for @event with @command sees what @stir and @still do to @name, over and over until it does. */
static void
see_event(Fixture *fixture, const char *command, const char *event, const char *stir,
          const char *still, const char *name, const char *wanted)
{
    g_autofree char *program = fixture_built("vmctl");
    const char *const argv[] = { program, TEST, command, "--timeout", "30", "--event", event, NULL };
    g_autoptr(GSubprocess) process = fixture_spawn(
        fixture, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, argv);
    GInputStream *stream = g_subprocess_get_stdout_pipe(process);
    g_autoptr(GDataInputStream) lines = g_data_input_stream_new(stream);

    while (!g_pollable_input_stream_is_readable(G_POLLABLE_INPUT_STREAM(stream))) {
        g_autoptr(Said) stirred = vmctl(fixture, "", TEST, stir, name, NULL);
        g_autoptr(Said) stilled = vmctl(fixture, "", TEST, still, name, NULL);
        g_assert_cmpstr(stirred->err, ==, "");
        g_assert_cmpstr(stilled->err, ==, "");
    }
    expect_line(lines, wanted);
    expect_line(lines, "events received: 1");
    g_subprocess_wait(process, NULL, NULL);
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
}

static void
test_events(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    see_event(fixture, "net-event", "lifecycle", "net-destroy", "net-start", "default",
              "event 'lifecycle' for network default: St*ed");
    see_event(fixture, "pool-event", "lifecycle", "pool-destroy", "pool-start", "default-pool",
              "event 'lifecycle' for storage pool default-pool: St*ed");
    see_event(fixture, "pool-event", "refresh", "pool-refresh", "pool-refresh", "default-pool",
              "event 'refresh' for storage pool default-pool");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_unsetenv("LANGUAGE");
    g_test_add_func("/vmctl/objects/node-devices", test_node_devices);
    g_test_add_func("/vmctl/objects/json", test_json);
    g_test_add_func("/vmctl/objects/xpath", test_xpath);
    g_test_add_func("/vmctl/objects/hypervisor", test_hypervisor);
    g_test_add_func("/vmctl/objects/events", test_events);
    return g_test_run();
}
