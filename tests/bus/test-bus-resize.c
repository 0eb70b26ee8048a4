/* virDomainBlockResize(): a raw file is another one at once, a qcow2 image when the guest's process says so. */
#include "tests/bus/fixture.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define FLAGS(n)   g_variant_new("(u)", (guint)(n))
#define SIZE(n, f) g_variant_new("(stu)", "vda", (guint64)(n), (guint)(f))
#define BYTES      VIR_DOMAIN_BLOCK_RESIZE_BYTES

/* A domain with a disk "vda" in the file "disk" of the fixture's directory; @more is in its element. */
static char *
define_guest(Fixture *fixture, const char *format, const char *cmdline, const char *more)
{
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *line = g_strdup_printf("qemu-img create -q -f %s %s 1M", format, image);
    g_autofree char *devices =
        g_strdup_printf("<disk type='file'><driver type='%s'/><source file='%s'/>"
                        "<target dev='vda'/>%s</disk>",
                        format, image, more);
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return fixture_define_with(fixture, "grows", cmdline, devices);
}

static void
assert_refused(Fixture *fixture, const char *path, GVariant *args, const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, "BlockResize", args, NULL, text);
}

static void
assert_capacity(Fixture *fixture, const char *path, guint64 wanted)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, VMCTL_DOMAIN, "GetBlockInfo",
                                             g_variant_new("(su)", "vda", 0), "((ttt))");
    guint64 capacity;

    g_variant_get(reply, "((ttt))", &capacity, NULL, NULL);
    g_assert_cmpuint(capacity, ==, wanted);
}

static void
test_raw(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "raw", "", "");
    g_autofree char *image = g_build_filename(fixture->dir, "disk", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    assert_refused(fixture, path, SIZE(128, 0),
                   "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "BlockResize", SIZE(128, 0));
    g_assert_true(g_file_get_contents(image, &contents, &size, NULL));
    g_assert_cmpuint(size, ==, 128 * 1024);
    assert_refused(fixture, path, g_variant_new("(stu)", "vdz", (guint64)128, 0),
                   "invalid argument: invalid path: vdz");
    assert_refused(fixture, path, g_variant_new("(stu)", "", (guint64)128, 0),
                   "invalid argument: empty path");
    assert_refused(fixture, path, SIZE(G_MAXUINT64, 0),
                   "*size must be less than 18014398509481983");
    assert_refused(fixture, path, SIZE(G_MAXUINT64, BYTES), "*vda': File too large");
}

/* The size is in whole sectors, as libvirt has it for this format. */
static void
test_qcow2(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "qcow2", "", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "BlockResize", SIZE(4096, 0));
    assert_capacity(fixture, path, 4 << 20);
    fixture_do(fixture, path, "BlockResize", SIZE((5 << 20) + 1, BYTES));
    assert_capacity(fixture, path, (5 << 20) + 512);
}

static void
test_full(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "qcow2", "fake=resize-full", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_refused(fixture, path, SIZE(4096, 0),
                   "cannot resize '*/disk', the source of disk 'vda': No space left on device");
    assert_capacity(fixture, path, 1 << 20);
}

/* What nobody hears of, because the link was down, say, is asked for. */
static void
test_mute(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "qcow2", "fake=resize-mute", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "BlockResize", SIZE(4096, 0));
    assert_capacity(fixture, path, 4 << 20);
}

static void
test_read_only(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "qcow2", "", "<readonly/>");

    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_refused(fixture, path, SIZE(4096, 0),
                   "Requested operation is not valid: can't resize empty or readonly disk 'vda'");
}

static void
on_refused(GObject *bus, GAsyncResult *result, gpointer data)
{
    GError **error = data;

    g_assert_null(g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, error));
}

/* Who waits is told when the guest's process dies, and the daemon goes on. */
static void
test_gone(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_guest(fixture, "qcow2", "fake=resize-mute", "");
    g_autoptr(GError) error = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    g_dbus_connection_call(fixture->client, "org.libvirt", path, DOMAIN, "BlockResize",
                           SIZE(4096, 0), NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_refused,
                           &error);
    g_dbus_connection_flush_sync(fixture->client, NULL, NULL);
    g_usleep(100000); /* by then it waits for the event, unless the machine is slow */
    fixture_signal_guests(fixture, SIGKILL);
    while (!error)
        g_main_context_iteration(NULL, TRUE);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
    fixture_do(fixture, path, "Create", FLAGS(0));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/resize/raw", test_raw);
    g_test_add_func("/bus/resize/qcow2", test_qcow2);
    g_test_add_func("/bus/resize/full", test_full);
    g_test_add_func("/bus/resize/mute", test_mute);
    g_test_add_func("/bus/resize/read-only", test_read_only);
    g_test_add_func("/bus/resize/gone", test_gone);
    return g_test_run();
}
