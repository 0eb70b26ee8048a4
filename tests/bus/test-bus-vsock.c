/* <vsock>: addresses, which are one guest's each, and its sockets on the host. */
#include "tests/bus/fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FLAGS(n)       g_variant_new("(u)", (guint)(n))
#define CHANGE(xml, n) g_variant_new("(su)", xml, (guint)(n))
#define LIVE           VIR_DOMAIN_AFFECT_LIVE
#define CONFIG         VIR_DOMAIN_AFFECT_CONFIG

#define AUTO      "<vsock model='virtio'><cid auto='yes'/></vsock>"
#define CID(n)    "<vsock model='virtio'><cid address='" n "'/></vsock>"
#define BECAME(n) "<vsock model='virtio'>\n      <cid auto='yes' address='" n "'/>"

static gboolean
has(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    return strstr(xml, text) != NULL;
}

static char *
start(Fixture *fixture, const char *name, const char *vsock)
{
    char *path = fixture_define_with(fixture, name, "", vsock);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    return path;
}

static void
test_addresses(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *first = start(fixture, "first", AUTO);
    g_autofree char *fixed = start(fixture, "fixed", CID("4"));
    g_autofree char *third = start(fixture, "third", AUTO);
    g_autofree char *other = NULL, *nothing = NULL, *fourth = NULL;

    g_assert_true(has(fixture, first, 0, BECAME("3")));
    g_assert_true(has(fixture, first, VIR_DOMAIN_XML_INACTIVE, "<cid auto='yes'/>"));
    g_assert_true(has(fixture, fixed, 0, "<cid auto='no' address='4'/>"));
    g_assert_true(has(fixture, third, 0, BECAME("5")));

    /* What guests have is theirs over a daemon's end. */
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    other = fixture_define_with(fixture, "other", "", CID("5"));
    fixture_call_fails(fixture, other, DOMAIN, "Create", FLAGS(0), NULL,
                       "resource busy: guest CID 5 is another guest's");
    nothing = fixture_define_with(fixture, "nothing", "", "<vsock><cid auto='no'/></vsock>");
    fixture_call_fails(fixture, nothing, DOMAIN, "Create", FLAGS(0), NULL,
                       "unsupported configuration: the guest CID has to be given *");
    fixture_do(fixture, first, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    fourth = start(fixture, "fourth", AUTO);
    g_assert_true(has(fixture, fourth, 0, BECAME("3")));
    fixture_do(fixture, third, "Destroy", FLAGS(0));
    fixture_do(fixture, other, "Create", FLAGS(0));
}

static char *
dir_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");

    return g_build_filename(fixture->dir, "run", "vmctl", "vsock", g_variant_get_string(uuid, NULL),
                            NULL);
}

static int
listen_in(const char *dir, const char *name)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, name);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

/* The broker, which is an orphan and so ours; see main(). */
static gboolean
broker_ended(Fixture *fixture, gconstpointer data)
{
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);

    g_assert_true(pid <= 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return pid > 0;
}

static guint
mode_of(const char *path)
{
    struct stat st;

    g_assert_cmpint(lstat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

/* A directory that was there before is somebody's, who may listen in it before the guest starts. */
static void
test_sockets(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(fixture, "sockets", "", AUTO);
    g_autofree char *dir = dir_of(fixture, path);
    g_autofree char *own = g_build_filename(dir, "vsock", NULL);
    g_autofree char *named = g_build_filename(dir, "vsock_1024", NULL);
    char hello[16] = "";
    int listener, conn;

    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_cmphex(mode_of(dir), ==, 0700);
    g_assert_cmphex(mode_of(own), ==, 0666);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
    fixture_wait(fixture, broker_ended, NULL);

    g_assert_cmpint(g_mkdir(dir, 0750), ==, 0);
    listener = listen_in(dir, "vsock_1024");
    fixture_do(fixture, path, "Create", FLAGS(0));
    conn = accept(listener, NULL, NULL);
    g_assert_cmpint(read(conn, hello, sizeof(hello)), ==, 6);
    g_assert_cmpstr(hello, ==, "hello\n");
    close(conn);
    close(listener);
    g_assert_cmpint(g_unlink(named), ==, 0);
    fixture_kill_guests(fixture);
    fixture_wait(fixture, broker_ended, NULL);
    fixture_expect_events(fixture, "4,0 2,0 5,1 4,0 2,0 5,5");
    g_assert_false(g_file_test(own, G_FILE_TEST_EXISTS));
    g_assert_cmphex(mode_of(dir), ==, 0750);
}

static void
change_fails(Fixture *fixture, const char *path, const char *member, const char *xml, guint flags,
             const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, member, CHANGE(xml, flags), NULL, text);
}

static void
test_plug(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "plug", "");
    g_autofree char *taken = start(fixture, "taken", CID("3"));
    g_autofree char *dir = dir_of(fixture, path);
    g_autofree char *own = g_build_filename(dir, "vsock", NULL);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "AttachDevice", CHANGE(AUTO, LIVE | CONFIG));
    fixture_wait_signal(fixture, "DeviceAdded ('vsock0',)");
    g_assert_true(has(fixture, path, 0, BECAME("4")));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<cid auto='yes'/>"));
    g_assert_true(g_file_test(own, G_FILE_TEST_EXISTS));
    change_fails(fixture, path, "AttachDevice", AUTO, LIVE,
                 "Requested operation is not valid: the domain already has a vsock device");
    change_fails(fixture, path, "AttachDevice", AUTO, CONFIG,
                 "Requested operation is not valid: domain already has a vsock device");
    change_fails(fixture, path, "DetachDevice", CID("9"), LIVE,
                 "operation failed: matching vsock device not found");
    fixture_do(fixture, path, "DetachDevice", CHANGE(AUTO, LIVE | CONFIG));
    fixture_wait_signal(fixture, "DeviceRemoved ('vsock0',)");
    g_assert_false(has(fixture, path, 0, "<vsock"));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<vsock"));
    fixture_wait(fixture, broker_ended, NULL);
    change_fails(fixture, path, "AttachDevice", CID("3"), LIVE,
                 "resource busy: guest CID 3 is another guest's");
    fixture_do(fixture, path, "AttachDevice", CHANGE(CID("7"), LIVE));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(g_file_test(dir, G_FILE_TEST_EXISTS));
}

static char *
saved_as(Fixture *fixture, const char *name)
{
    return g_build_filename(fixture->dir, name, NULL);
}

static void
save(Fixture *fixture, const char *path, const char *name)
{
    g_autofree char *image = saved_as(fixture, name);

    fixture_do(fixture, path, "Save", g_variant_new("(ssu)", image, "", 0));
    fixture_expect_events(fixture, "3,0 5,4");
}

static void
restore(Fixture *fixture, const char *name)
{
    g_autofree char *image = saved_as(fixture, name);

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainRestore",
                                 g_variant_new("(ssu)", image, "", 0), "()"));
    fixture_expect_events(fixture, "2,2 4,2");
}

/* As libvirt has it: a guest with an address that is given out gets the first that is free when it is restored, too; one
 * with a fixed one is not restored while that is another's, and what was saved stays. */
static void
test_saved(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *first = start(fixture, "first", AUTO);
    g_autofree char *second = start(fixture, "second", AUTO);
    g_autofree char *fixed = start(fixture, "fixed", CID("9"));
    g_autofree char *image = saved_as(fixture, "fixed.image");
    g_autofree char *third = NULL, *other = NULL;

    save(fixture, second, "second.image");
    restore(fixture, "second.image");
    g_assert_true(has(fixture, second, 0, BECAME("4")));
    save(fixture, second, "second.image");
    third = start(fixture, "third", AUTO);
    g_assert_true(has(fixture, third, 0, BECAME("4")));
    restore(fixture, "second.image");
    g_assert_true(has(fixture, second, 0, BECAME("5")));

    save(fixture, fixed, "fixed.image");
    other = start(fixture, "other", CID("9"));
    fixture_call_fails(fixture, ROOT_PATH, CONNECT, "DomainRestore",
                       g_variant_new("(ssu)", image, "", 0), NULL,
                       "resource busy: guest CID 9 is another guest's");
    fixture_do(fixture, other, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    restore(fixture, "fixed.image");
    g_assert_true(has(fixture, fixed, 0, "<cid auto='no' address='9'/>"));
}

int
main(int argc, char **argv)
{
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1), ==, 0);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/vsock/addresses", test_addresses);
    g_test_add_func("/bus/vsock/sockets", test_sockets);
    g_test_add_func("/bus/vsock/plug", test_plug);
    g_test_add_func("/bus/vsock/saved", test_saved);
    return g_test_run();
}
