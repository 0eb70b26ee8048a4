/* Channels: where their sockets are, and what is told of the guest agent's. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define AGENT                                                                                      \
    "<channel type='unix'><source mode='bind'/>"                                                   \
    "<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"

/* The path of the first channel's socket. */
static char *
socket_of(const char *xml)
{
    static const char before[] = "<source mode='bind' path='";
    const char *path = strstr(xml, before);

    g_assert_nonnull(path);
    path += strlen(before);
    return g_strndup(path, strcspn(path, "'"));
}

static void
test_agent(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(fixture, "agent", "fake=agent", AGENT);
    g_autofree char *defined = fixture_xml_of(fixture, path, 0);
    g_autofree char *live = NULL, *again = NULL, *inactive = NULL, *socket = NULL;
    guint n_files = fixture_count_run_files(fixture);

    g_assert_nonnull(strstr(defined, "<channel type='unix'>\n      <target type='virtio' "
                                     "name='org.qemu.guest_agent.0'/>\n      <address "
                                     "type='virtio-serial' controller='0' bus='0' port='1'/>"));
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_wait_signal(fixture, "AgentEvent (2, 1) AgentEvent (1, 2)");
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "name='org.qemu.guest_agent.0' state='connected'/>\n      "
                                  "<alias name='channel0'/>"));
    socket = socket_of(live);
    g_assert_true(g_str_has_suffix(socket, "/channel/org.qemu.guest_agent.0"));
    g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
    inactive = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_assert_cmpstr(inactive, ==, defined);

    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    fixture_wait_signal(fixture, "AgentEvent (1, 2)");
    again = fixture_xml_of(fixture, path, 0);
    g_assert_cmpstr(again, ==, live);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
    g_assert_cmpint(fixture_count_run_files(fixture), ==, n_files + 1); /* "guests" */
}

/* A path of one's own: what is left there of an earlier run is no obstacle, but for a file. */
static void
test_own_path(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *socket = g_build_filename(fixture->dir, "socket", NULL);
    g_autofree char *channel = g_strdup_printf(
        "<channel type='unix'><source mode='bind' path='%s'/><target type='virtio' name='x'/></channel>",
        socket);
    g_autofree char *path = fixture_define_with(fixture, "own", "", channel);

    for (int i = 0; i < 2; i++) {
        fixture_do(fixture, path, "Create", FLAGS(0));
        g_assert_true(g_file_test(socket, G_FILE_TEST_EXISTS));
        fixture_do(fixture, path, "Destroy", FLAGS(0));
        g_assert_false(g_file_test(socket, G_FILE_TEST_EXISTS));
    }
    g_assert_true(g_file_set_contents(socket, "precious", -1, NULL));
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "*Unable to listen at *: Address already in use");
    g_assert_true(g_file_test(socket, G_FILE_TEST_IS_REGULAR));
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
}

#define NAMED(name)    "<channel type='unix'><target type='virtio' name='" name "'/></channel>"
#define CHANGE(xml, n) g_variant_new("(su)", xml, (guint)(n))
#define BOTH           (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG)

static gboolean
has(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    return strstr(xml, text) != NULL;
}

/* A channel comes and goes, at once; a running guest has to have had a controller. */
static void
test_plug(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(fixture, "plug", "", NAMED("first"));
    g_autofree char *bare = fixture_define(fixture, "bare", "");
    g_autofree char *live = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "AttachDevice", CHANGE(NAMED("second"), BOTH));
    fixture_wait_signal(fixture, "DeviceAdded ('channel1',)");
    g_assert_true(has(fixture, path, 0,
                      "name='second' state='disconnected'/>\n      <alias name='channel1'/>\n      "
                      "<address type='virtio-serial' controller='0' bus='0' port='2'/>"));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "name='second'"));
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "/channel/second'/>"));
    fixture_call_fails(fixture, path, DOMAIN, "AttachDevice",
                       CHANGE(NAMED("second"), VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "Requested operation is not valid: chardev already exists");
    fixture_call_fails(fixture, path, DOMAIN, "DetachDevice",
                       CHANGE(NAMED("third"), VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "device not found: chr type 'channel' device not present in domain "
                       "configuration");
    fixture_call_fails(fixture, path, DOMAIN, "DetachDevice",
                       CHANGE(NAMED("third"), VIR_DOMAIN_AFFECT_CONFIG), NULL,
                       "invalid argument: device not present in domain configuration");
    fixture_do(fixture, path, "DetachDevice", CHANGE(NAMED("second"), BOTH));
    fixture_wait_signal(fixture, "DeviceRemoved ('channel1',)");
    g_assert_false(has(fixture, path, 0, "second"));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "second"));
    fixture_do(fixture, path, "AttachDevice", CHANGE(NAMED("third"), VIR_DOMAIN_AFFECT_LIVE));
    g_assert_true(has(fixture, path, 0, "bus='0' port='2'/>"));

    fixture_do(fixture, bare, "AttachDevice", CHANGE(NAMED("x"), VIR_DOMAIN_AFFECT_CONFIG));
    fixture_do(fixture, bare, "DetachDevice", CHANGE(NAMED("x"), VIR_DOMAIN_AFFECT_CONFIG));
}

#define CONSOLE "<console type='pty'><target type='virtio'/></console>"

/* A console on virtio, too; by its alias, because there may be others like it. */
static void
test_plug_console(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(fixture, "plug", "", NAMED("first"));

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "AttachDevice", CHANGE(CONSOLE, BOTH));
    fixture_wait_signal(fixture, "DeviceAdded ('console1',)");
    g_assert_true(
        has(fixture, path, 0, "<target type='virtio' port='1'/>\n      <alias name='console1'/>"));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<target type='virtio' port='1'/>"));
    g_variant_unref(fixture_call(fixture, path, VMCTL_DOMAIN, "DetachDeviceAlias",
                                 g_variant_new("(su)", "console1", VIR_DOMAIN_AFFECT_LIVE), "()"));
    fixture_wait_signal(fixture, "DeviceRemoved ('console1',)");
    fixture_do(fixture, path, "DetachDevice", CHANGE(CONSOLE, VIR_DOMAIN_AFFECT_CONFIG));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "port='1'/>\n    </console>"));
    fixture_call_fails(fixture, path, DOMAIN, "AttachDevice",
                       CHANGE("<console type='pty'/>", VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "Operation not supported: attaching serial console is not supported");
}

static void
test_no_controller(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "bare", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, DOMAIN, "AttachDevice",
                       CHANGE(NAMED("x"), VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "XML error: no virtio-serial controllers are available");
    fixture_call_fails(fixture, path, DOMAIN, "AttachDevice",
                       CHANGE("<serial type='pty'/>", VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "Operation not supported: live attach of device 'serial' is not supported");
}

static gboolean
is_broker_to(const char *pid, const char *peer)
{
    g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
    g_autofree char *args = NULL;
    gsize size;

    return g_file_get_contents(path, &args, &size, NULL) && size > 0 && strstr(args, "vmctl-connect") &&
           memmem(args, size, peer, strlen(peer) + 1);
}

static gboolean
has_broker(const char *peer)
{
    g_autoptr(GDir) dir = g_dir_open("/proc", 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        if (g_ascii_isdigit(*name) && is_broker_to(name, peer))
            return TRUE;
    }
    return FALSE;
}

static gboolean
broker_ended(Fixture *fixture, gconstpointer peer)
{
    return !has_broker(peer);
}

static int
listen_at(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    return fd;
}

static void
hear_hello(int listener)
{
    int conn = accept(listener, NULL, NULL);
    char hello[16] = "";

    g_assert_cmpint(read(conn, hello, sizeof(hello)), ==, 6);
    g_assert_cmpstr(hello, ==, "hello\n");
    close(conn);
}

/* What connects lives as long as the guest, also while there is no daemon, and ends with it, however it ends. */
static void
test_reconnect(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *peer = g_build_filename(fixture->dir, "peer", NULL);
    g_autofree char *channel = g_strdup_printf(
        "<channel type='unix'><source mode='connect' path='%s'><reconnect enabled='yes' timeout='1'/></source>"
        "<target type='virtio' name='x'/></channel>",
        peer);
    g_autofree char *path = fixture_define_with(fixture, "connects", "", channel);
    g_autofree char *live = NULL, *again = NULL;
    int listener = listen_at(peer);

    fixture_do(fixture, path, "Create", FLAGS(0));
    hear_hello(listener);
    live = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(live, "<reconnect enabled='yes' timeout='1'/>"));
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    again = fixture_xml_of(fixture, path, 0);
    g_assert_cmpstr(again, ==, live);
    g_assert_true(has_broker(peer));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_wait(fixture, broker_ended, peer);
    g_assert_true(g_file_test(peer, G_FILE_TEST_EXISTS));

    fixture_do(fixture, path, "Create", FLAGS(0));
    hear_hello(listener);
    fixture_kill_guests(fixture);
    fixture_wait(fixture, broker_ended, peer);
    close(listener);
}

/* Without it somebody has to be there when the guest starts. */
static void
test_connect(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *peer = g_build_filename(fixture->dir, "peer", NULL);
    g_autofree char *channel = g_strdup_printf("<channel type='unix'><source mode='connect' path='%s'/>"
                                               "<target type='virtio' name='x'/></channel>",
                                               peer);
    g_autofree char *path = fixture_define_with(fixture, "connects", "", channel);
    int listener;

    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL,
                       "*Unable to connect to *: No such file or directory");
    g_assert_cmpint(fixture_count_guests(fixture), ==, 0);
    listener = listen_at(peer);
    fixture_do(fixture, path, "Create", FLAGS(0));
    close(accept(listener, NULL, NULL));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_true(g_file_test(peer, G_FILE_TEST_EXISTS));
    close(listener);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/channel/agent", test_agent);
    g_test_add_func("/bus/channel/own-path", test_own_path);
    g_test_add_func("/bus/channel/reconnect", test_reconnect);
    g_test_add_func("/bus/channel/connect", test_connect);
    g_test_add_func("/bus/channel/plug", test_plug);
    g_test_add_func("/bus/channel/plug-console", test_plug_console);
    g_test_add_func("/bus/channel/no-controller", test_no_controller);
    return g_test_run();
}
