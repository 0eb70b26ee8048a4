/* vmctl and vmctld together, with fake guests. */
#include "tests/cli/vmctl.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define UUID "0b5a9e3c-6f0b-4f36-9d5e-3b1f0c3f8a11"

/* Defines a domain through vmctl. */
static void
define(Fixture *fixture, const char *name, const char *cmdline)
{
    g_autofree char *file = document_file(fixture, name, cmdline);
    g_autofree char *said = g_strdup_printf("Domain '%s' defined from %s\n\n", name, file);

    vmctl_says(fixture, said, "define", file);
}

static gboolean
is_in_state(Fixture *fixture, gconstpointer data)
{
    g_autoptr(Said) said = vmctl(fixture, "", "-q", "domstate", "web", NULL);

    g_usleep(20000);
    return strcmp(said->out, data) == 0;
}

/* The life of a domain, line by line. */
static void
test_life(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    vmctl_says(fixture, " Id   Name   State\n--------------------\n\n", "list", "--all");
    define(fixture, "web", "");
    vmctl_says(fixture, " Id   Name   State\n-----------------------\n -    web    shut off\n\n",
               "list", "--all");
    vmctl_says(fixture, "-\n\n", "domid", "web");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    vmctl_says(fixture, " Id   Name   State\n----------------------\n 1    web    running\n\n",
               "list");
    vmctl_says(fixture, "web\n\n", "list", "--name");
    vmctl_says(fixture, "1\n\n", "domid", "web");
    vmctl_says(fixture, "web\n\n", "domname", "1");
    vmctl_says(fixture, "running (booted)\n\n", "domstate", "web", "--reason");
    vmctl_says(fixture, "Domain 'web' suspended\n\n", "suspend", "1");
    vmctl_says(fixture, "paused (user)\n\n", "domstate", "web", "--reason");
    vmctl_says(fixture, "Domain 'web' resumed\n\n", "resume", "web");
    vmctl_says(fixture, "Domain 'web' was reset\n\n", "reset", "web");
    vmctl_says(fixture, "Domain 'web' is being shutdown\n\n", "shutdown", "web", "--mode", "acpi");
    fixture_wait(fixture, is_in_state, "shut off\n");
    vmctl_says(fixture, "shut off (shutdown)\n\n", "domstate", "web", "--reason");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web", "--paused");
    vmctl_says(fixture, "paused (user)\n\n", "domstate", "web", "--reason");
    vmctl_says(fixture, "Domain 'web' destroyed\n\n", "destroy", "web");
    vmctl_says(fixture, "shut off (destroyed)\n\n", "domstate", "web", "--reason");
    vmctl_says(fixture, "Domain 'web' has been undefined\n\n", "undefine", "web");
    vmctl_says(fixture, "\n", "list", "--all", "--name");
}

static void
test_transient(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *file = document_file(fixture, "web", "");
    g_autofree char *said = g_strdup_printf("Domain 'web' created from %s\n\n", file);

    vmctl_says(fixture, said, "create", file);
    vmctl_says(fixture, "web\n\n", "list", "--name", "--transient");
    vmctl_says(fixture, "Domain 'web' destroyed\n\n", "destroy", "web");
    vmctl_says(fixture, "\n", "list", "--all", "--name");
}

static void
test_dominfo(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *xml = fixture_xml(fixture, "web", UUID, "");
    g_autofree char *file = g_build_filename(fixture->dir, "web.xml", NULL);

    g_assert_true(g_file_set_contents(file, xml, -1, NULL));
    vmctl_says(fixture, "", "-q", "define", file);
    vmctl_says(fixture, "", "-q", "autostart", "web");
    vmctl_says(fixture,
               "Id:             -\n"
               "Name:           web\n"
               "UUID:           " UUID "\n"
               "OS Type:        hvm\n"
               "State:          shut off\n"
               "CPU(s):         2\n"
               "Max memory:     65536 KiB\n"
               "Used memory:    65536 KiB\n"
               "Persistent:     yes\n"
               "Autostart:      enable\n"
               "Managed save:   no\n"
               "Security model: none\n"
               "Security DOI:   0\n\n",
               "dominfo", "web");
    vmctl_says(fixture, UUID "\n\n", "domuuid", "web");
    vmctl_says(fixture, "web\n\n", "domname", UUID);
}

static void
test_host(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hostname = g_strdup_printf("%s\n\n", g_get_host_name());
    g_autoptr(Said) version = vmctl(fixture, "", "version", "--daemon", NULL);
    g_autoptr(Said) capabilities = vmctl(fixture, "", "capabilities", NULL);

    vmctl_says(fixture, "qemu:///session\n\n", "uri");
    vmctl_says(fixture, hostname, "hostname");
    g_assert_true(
        g_str_has_suffix(version->out, "\nRunning against daemon: " PACKAGE_VERSION "\n\n"));
    g_assert_true(g_str_has_prefix(capabilities->out, "<capabilities>"));
}

static void
test_title(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *file = g_build_filename(fixture->dir, "web.xml", NULL);
    g_autofree char *xml = fixture_xml(fixture, "web", UUID, "");
    g_auto(GStrv) halves = g_strsplit(xml, "<memory", 2);
    g_autofree char *titled =
        g_strconcat(halves[0], "<title>Web &amp; more</title><memory", halves[1], NULL);

    g_assert_true(g_file_set_contents(file, titled, -1, NULL));
    vmctl_says(fixture, "", "-q", "define", file);
    vmctl_says(fixture,
               " Id   Name   State      Title\n"
               "------------------------------------\n"
               " -    web    shut off   Web & more\n\n",
               "list", "--all", "--title");
}

static gboolean
is_off(Fixture *fixture, gconstpointer name)
{
    g_autoptr(Said) said = vmctl(fixture, "", "domstate", name, NULL);

    return strcmp(said->out, "shut off\n\n") == 0;
}

/* Wrong input: the first line says what failed, the second why. */
static void
test_errors(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *bad = g_build_filename(fixture->dir, "bad.xml", NULL);
    g_autofree char *bad_said = g_strdup_printf("error: Failed to define domain from %s\n"
                                                "error: (domain_definition):2: *",
                                                bad);
    g_autoptr(Said) said = NULL;

    define(fixture, "web", "");
    define(fixture, "broken", "fake=fail-create");
    g_assert_true(g_file_set_contents(bad, "<domain>\n<name>", -1, NULL));
    said = vmctl(fixture, "", "define", bad, NULL);
    g_assert_true(g_pattern_match_simple(bad_said, said->err));
    g_assert_cmpint(said->status, ==, 1);
    vmctl_fails(fixture,
                "error: failed to get domain 'nope'\n"
                "error: Domain not found: no domain with matching name 'nope'\n",
                "undefine", "nope");
    vmctl_fails(fixture,
                "error: Failed to shutdown domain 'web'\n"
                "error: Requested operation is not valid: domain is not running\n",
                "shutdown", "web");
    vmctl_fails(fixture, "error: The domain is not running\n", "console", "web");
    vmctl_fails(fixture, "error: Failed to get option 'new-desc': it is not UTF-8\n", "desc", "web",
                "caf\xe9");
    vmctl_fails(fixture, "error: Failed to get option 'new-name': it is not UTF-8\n", "domrename",
                "web", "\xff");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web", "--autodestroy");
    fixture_wait(fixture, is_off, "web");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    vmctl_fails(fixture, "error: Domain is already active\n", "start", "web");
    vmctl_fails(fixture, "error: operation forbidden: read only access prevents destroy\n", "-r",
                "destroy", "web");
    vmctl_says(fixture, "running\n\n", "-r", "domstate", "web");
    said_free(g_steal_pointer(&said));
    said = vmctl(fixture, "", "start", "broken", NULL);
    g_assert_true(g_str_has_prefix(said->err, "error: Failed to start domain 'broken'\nerror: "));
    g_assert_cmpint(said->status, ==, 1);
}

static void
test_no_daemon(void)
{
    g_autoptr(Fixture) fixture = fixture_new_bare();
    g_autoptr(Said) said = vmctl(fixture, "", "list", NULL);

    g_assert_cmpint(said->status, ==, 1);
    g_assert_true(g_pattern_match_simple("error: failed to connect to the hypervisor\n"
                                         "error: no daemon answers at qemu:///session: *"
                                         "Try: vmctld --session*",
                                         said->err));
    vmctl_says(fixture, "needs none\n", "echo", "needs none");
    fixture_make_activatable(fixture);
    vmctl_says(fixture, "\n", "list", "--name");
}

/* Many commands from a file, as a script has them: behind prompts, as in virsh. The shell goes on after a failure. */
static void
test_script(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Said) said = NULL;

    define(fixture, "web", "");
    said =
        vmctl(fixture, "start web; domid web\n# a remark\nfrob\n\ndomstate web\nquit\nuri\n", NULL);
    g_assert_cmpstr(said->out, ==,
                    "Welcome to vmctl, the virtualization interactive terminal.\n\n"
                    "Type:  'help' for help with commands\n"
                    "       'quit' to quit\n\n"
                    "vmctl # start web; domid web\nDomain 'web' started\n\n1\n\n"
                    "vmctl # # a remark\n"
                    "vmctl # frob\n"
                    "vmctl # \n"
                    "vmctl # domstate web\nrunning\n\n"
                    "vmctl # quit\n\n");
    g_assert_cmpstr(said->err, ==, "error: unknown command: 'frob'\n");
    g_assert_cmpint(said->status, ==, 0);
}

/* Bytes through a pipe: the end of the input ends only the sending. */
static void
test_piped_console(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Said) sent = NULL;
    g_autoptr(Said) left = NULL;

    define(fixture, "web", "");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    left = vmctl(fixture, "never mind\x1d and not this", "-q", "console", "web", NULL);
    g_assert_cmpstr(left->err, ==, "");
    g_assert_cmpint(left->status, ==, 0);
    /* The guest is destroyed by a second vmctl once it has answered the first. */
    {
        const char *const script =
            "(echo hello; sleep 1; \"$0\" -q -c qemu:///session destroy web >&2) |"
            " \"$0\" -c qemu:///session console web --force";
        g_autofree char *program = fixture_built("vmctl");
        const char *const argv[] = { "sh", "-c", script, program, NULL };
        g_autoptr(GSubprocess) process =
            fixture_spawn(fixture, G_SUBPROCESS_FLAGS_STDOUT_PIPE, argv);
        g_autofree char *out = NULL;

        g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, NULL));
        g_assert_true(g_subprocess_get_successful(process));
        g_assert_true(g_str_has_prefix(out, "Connected to domain 'web'\n"
                                            "Escape character is ^] (Ctrl + ])\n"));
        g_assert_nonnull(strstr(out, "HELLO"));
    }
}

/* What a running "vmctl event" prints. */
static GSubprocess *
watch(Fixture *fixture, GDataInputStream **ret_lines, const char *more)
{
    g_autofree char *program = fixture_built("vmctl");
    const char *const argv[] = { program, "-c",        "qemu:///session",
                                 "event", "--timeout", "60",
                                 "--all", more,        NULL };
    GSubprocess *process = fixture_spawn(
        fixture, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, argv);

    *ret_lines = g_data_input_stream_new(g_subprocess_get_stdout_pipe(process));
    return process;
}

static void
expect_line(GDataInputStream *lines, const char *pattern)
{
    g_autofree char *line = g_data_input_stream_read_line(lines, NULL, NULL, NULL);

    if (!line || !g_pattern_match_simple(pattern, line))
        g_error("vmctl said '%s', not '%s'", line ? line : "nothing", pattern);
}

/* Makes a domain named "ready" come and go until the watcher has seen it: then it watches. */
static void
wait_for_watcher(Fixture *fixture, GDataInputStream *lines)
{
    g_autofree char *file = document_file(fixture, "ready", "");
    GPollableInputStream *stream = G_POLLABLE_INPUT_STREAM(
        g_filter_input_stream_get_base_stream(G_FILTER_INPUT_STREAM(lines)));

    while (!g_pollable_input_stream_is_readable(stream)) {
        g_autoptr(Said) defined = vmctl(fixture, "", "define", file, NULL);
        g_autoptr(Said) undefined = vmctl(fixture, "", "undefine", "ready", NULL);
        g_assert_cmpint(undefined->status, ==, 0);
    }
}

/* The first line that is not about "ready". */
static void
expect_first(GDataInputStream *lines, const char *pattern)
{
    g_autofree char *line = NULL;

    do {
        g_free(line);
        line = g_data_input_stream_read_line(lines, NULL, NULL, NULL);
        g_assert_nonnull(line);
    } while (strstr(line, "'ready'"));
    g_assert_true(g_pattern_match_simple(pattern, line));
}

static void
test_events(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDataInputStream) lines = NULL;
    g_autoptr(GSubprocess) process = watch(fixture, &lines, "--loop");

    wait_for_watcher(fixture, lines);
    define(fixture, "web", "");
    expect_first(lines, "event 'lifecycle' for domain 'web': Defined Added");
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    expect_line(lines, "event 'lifecycle' for domain 'web': Resumed Unpaused");
    expect_line(lines, "event 'lifecycle' for domain 'web': Started Booted");
    vmctl_says(fixture, "Domain 'web' suspended\n\n", "suspend", "web");
    expect_line(lines, "event 'lifecycle' for domain 'web': Suspended Paused");
    vmctl_says(fixture, "Domain 'web' resumed\n\n", "resume", "web");
    expect_line(lines, "event 'lifecycle' for domain 'web': Resumed Unpaused");
    vmctl_says(fixture, "Domain 'web' destroyed\n\n", "destroy", "web");
    expect_line(lines, "event 'lifecycle' for domain 'web': Stopped Destroyed");
    vmctl_says(fixture, "Domain 'web' has been undefined\n\n", "undefine", "web");
    expect_line(lines, "event 'lifecycle' for domain 'web': Undefined Removed");
    g_subprocess_send_signal(process, SIGINT);
    expect_line(lines, "event loop interrupted");
    expect_line(lines, "events received: *");
    g_subprocess_wait(process, NULL, NULL);
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
}

/* Those that say more than a word behind a colon, and what they are about. */
static void
test_event_words(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDataInputStream) lines = NULL;
    g_autofree char *path =
        fixture_define_with(fixture, "web", "fake=clock",
                            "<disk type='file' device='cdrom'><source file='/nowhere/cd' startupPolicy='optional'/>"
                            "<target dev='vda'/></disk>");
    g_autoptr(GSubprocess) process = watch(fixture, &lines, "--loop");

    wait_for_watcher(fixture, lines);
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    expect_first(lines, "event 'disk-change' for domain 'web' disk virtio-disk0: /nowhere/cd -> <null>: changed");
    expect_line(lines, "event 'lifecycle' for domain 'web': Resumed Unpaused");
    expect_line(lines, "event 'lifecycle' for domain 'web': Started Booted");
    expect_line(lines, "event 'rtc-change' for domain 'web': 20");
    g_subprocess_send_signal(process, SIGINT);
    g_subprocess_wait(process, NULL, NULL);
}

/* A disk that fails is told of in libvirt's older form, too. */
static void
test_event_io_error(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDataInputStream) lines = NULL;
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *disk = g_strdup_printf(
        "<disk type='file' device='disk'><source file='%s'/><target dev='vda'/></disk>", image);
    g_autofree char *zeros = g_malloc0(65536);
    g_autofree char *path = fixture_define_with(fixture, "web", "fake=disk-ignored", disk);
    g_autoptr(GSubprocess) process = watch(fixture, &lines, "--loop");

    g_assert_true(g_file_set_contents(image, zeros, 65536, NULL));
    wait_for_watcher(fixture, lines);
    vmctl_says(fixture, "Domain 'web' started\n\n", "start", "web");
    expect_first(lines, "event 'lifecycle' for domain 'web': Resumed Unpaused");
    expect_line(lines, "event 'lifecycle' for domain 'web': Started Booted");
    expect_line(lines, "event 'io-error' for domain 'web': */disk (virtio-disk0) none");
    expect_line(lines, "event 'io-error-reason' for domain 'web': */disk (virtio-disk0) none due to enospc");
    g_subprocess_send_signal(process, SIGINT);
    g_subprocess_wait(process, NULL, NULL);
}

static void
test_event_once(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDataInputStream) lines = NULL;
    g_autoptr(GSubprocess) process = watch(fixture, &lines, "--timestamp");

    wait_for_watcher(fixture, lines);
    expect_line(lines, "20*-*-* *:*:*.*+0000: event 'lifecycle' for domain 'ready': *");
    expect_line(lines, "events received: 1");
    g_subprocess_wait(process, NULL, NULL);
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
}

static void
test_event_daemon_lost(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(GDataInputStream) lines = NULL;
    g_autoptr(GSubprocess) process = watch(fixture, &lines, "--loop");
    g_autofree char *rest = NULL;

    wait_for_watcher(fixture, lines);
    fixture_end_daemon(fixture, SIGKILL);
    rest = g_data_input_stream_read_upto(lines, "\0", 1, NULL, NULL, NULL);
    g_assert_nonnull(strstr(rest, "error: Disconnected from qemu:///session due to end of file\n"));
    g_subprocess_wait(process, NULL, NULL);
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 1);
}

/* What is printed begins with this line of an object or of the first one in an array. */
static void
json_has(Fixture *fixture, const char *wanted, const char *command, const char *device)
{
    g_autoptr(Said) said = vmctl(fixture, "", command, "web", "--output", "json", device, NULL);

    g_assert_cmpstr(said->err, ==, "");
    g_assert_cmpint(said->status, ==, 0);
    if (!strstr(said->out, wanted))
        g_error("vmctl %s: '%s' is not in: %s", command, wanted, said->out);
}

/* What is not there is null, whatever a terminal shows for it, and that may be a name. */
static void
test_json_absent(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "-", "");

    vmctl_says(fixture, " Id   Name   State\n-----------------------\n -    -      shut off\n\n", "list", "--all");
    vmctl_says(fixture, "[\n  {\n    \"id\": null,\n    \"name\": \"-\",\n    \"state\": \"shut off\"\n  }\n]\n",
               "list", "--all", "--output", "json");
}

static void
test_json(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");

    json_has(fixture,
             "[\n  {\n    \"vcpu\": 0,\n    \"cpu\": null,\n    \"state\": null,\n    "
             "\"cpu-time-ns\": null,\n",
             "vcpuinfo", NULL);
    json_has(fixture, "{\n  \"maximum-config\": 2,\n  \"current-config\": 2\n}\n", "vcpucount",
             NULL);
    json_has(fixture, "{\n  \"vcpus\": 2\n}\n", "vcpucount", "--config");
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    json_has(fixture, "[\n  {\n    \"vcpu\": 0,\n    \"cpu\": ", "vcpuinfo", NULL);
    json_has(fixture, "\"state\": \"running\"", "vcpuinfo", NULL);
    json_has(fixture, "{\n  \"type\": \"None\",\n  \"operation\": null", "domjobinfo", NULL);
    json_has(fixture, "{\n  \"device\": null,\n  \"read-requests\": 0,\n  \"read-bytes\": 0,\n",
             "domblkstat", NULL);
    json_has(fixture, "[]\n", "domblkerror", NULL);
    json_has(fixture, "[\n  {\n    \"vcpu\": 0,\n    \"affinity\": \"", "vcpupin", NULL);
    json_has(fixture, "{\n  \"affinity\": \"", "emulatorpin", NULL);
    json_has(fixture, "[]\n", "iothreadinfo", NULL);
    json_has(fixture, "{\n  \"tty\": \"/dev/pts/", "ttyconsole", NULL);
    json_has(fixture, "  \"cpu-shares\": ", "schedinfo", "--config");
    json_has(fixture, "  \"hard-limit\": null", "memtune", "--config");
    json_has(fixture, "[]\n", "domblkinfo", "--all");
    json_has(fixture, "{\n  \"cpu-time-ns\": ", "cpu-stats", NULL);
    json_has(fixture, ",\n  \"system-time-ns\": ", "cpu-stats", NULL);
    json_has(fixture, "{\n  \"description\": null\n}\n", "desc", NULL);
    json_has(fixture, "{\n  \"title\": null\n}\n", "desc", "--title");
    fixture_do(fixture, path, "SetMetadata",
               g_variant_new("(isssu)", 0 /* the description */, "two \"words\"", "", "", 0));
    json_has(fixture, "{\n  \"description\": \"two \\\"words\\\"\"\n}\n", "desc", NULL);
}

/* Parameters have libvirt's names. */
static void
test_json_params(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(
        fixture, "web", "fake=agent",
        "<channel type='unix'><source mode='bind'/>"
        "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>");
    g_autofree char *net = fixture_define_with(
        fixture, "net", "", "<interface type='bridge'><mac address='52:54:00:00:00:01'/>"
                            "<source bridge='nowhere0'/></interface>");
    g_autoptr(Said) said = vmctl(fixture, "", "domiftune", "net", "52:54:00:00:00:01", "--config",
                                 "--output", "json", NULL);

    g_assert_cmpint(said->status, ==, 0);
    g_assert_true(g_str_has_prefix(said->out, "{\n  \"inbound.average\": 0,\n"));
    fixture_do(fixture, path, "Create", g_variant_new("(u)", 0));
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    json_has(fixture, "{\n  \"os.id\": \"debian\",\n", "guestinfo", "--os");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_unsetenv("LANGUAGE");
    g_test_add_func("/vmctl/daemon/life", test_life);
    g_test_add_func("/vmctl/daemon/transient", test_transient);
    g_test_add_func("/vmctl/daemon/dominfo", test_dominfo);
    g_test_add_func("/vmctl/daemon/host", test_host);
    g_test_add_func("/vmctl/daemon/title", test_title);
    g_test_add_func("/vmctl/daemon/errors", test_errors);
    g_test_add_func("/vmctl/daemon/no-daemon", test_no_daemon);
    g_test_add_func("/vmctl/daemon/script", test_script);
    g_test_add_func("/vmctl/daemon/piped-console", test_piped_console);
    g_test_add_func("/vmctl/daemon/events", test_events);
    g_test_add_func("/vmctl/daemon/event-words", test_event_words);
    g_test_add_func("/vmctl/daemon/event-io-error", test_event_io_error);
    g_test_add_func("/vmctl/daemon/event-once", test_event_once);
    g_test_add_func("/vmctl/daemon/event-daemon-lost", test_event_daemon_lost);
    g_test_add_func("/vmctl/daemon/json-absent", test_json_absent);
    g_test_add_func("/vmctl/daemon/json", test_json);
    g_test_add_func("/vmctl/daemon/json-params", test_json_params);
    return g_test_run();
}
