/* Serial ports opened on the host: what the VMM gets, and what is left on the daemon's side. */
#include "tests/unit/device-chardev-fixture.h"

#include "driver/error.h"
#include "tests/unit/xml-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_pty(Fixture *f, gconstpointer data)
{
    char buffer[16] = "";
    int master, slave;

    define_and_lower(f, "<serial type='pty'/>");
    g_assert_cmpuint(f->messages->len, ==, 1); /* the console is the serial port */
    g_assert_cmpstr(device_chardev_pty(device(f, "serial")), ==,
                    device_chardev_pty(device(f, "console")));
    master = take_fd(message(f, 0), "fd");
    slave = open(device_chardev_pty(device(f, "console")), O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_cmpint(slave, >=, 0);
    /* Raw: a control character and a line end pass unchanged, both ways, and nothing echoes. */
    g_assert_cmpint(write(slave, "a\x03\n", 3), ==, 3);
    g_assert_cmpint(read(master, buffer, sizeof(buffer)), ==, 3);
    g_assert_cmpmem(buffer, 3, "a\x03\n", 3);
    g_assert_cmpint(write(master, "b\r\n", 3), ==, 3);
    g_assert_cmpint(read(slave, buffer, sizeof(buffer)), ==, 3);
    g_assert_cmpmem(buffer, 3, "b\r\n", 3);
    g_assert_cmpint(read(master, buffer, sizeof(buffer)), ==, -1);
    close(slave);
    close(master);
}

static gboolean
is_readable(int fd)
{
    struct pollfd poller = { .fd = fd, .events = POLLIN };

    return poll(&poller, 1, 0) == 1;
}

static void
test_watch(Fixture *f, gconstpointer data)
{
    struct inotify_event event;
    int watch, slave;

    define_and_lower(f, "<serial type='pty'/>");
    watch = take_fd(message(f, 0), "watch");
    g_assert_false(is_readable(watch)); /* lowering itself was not seen */
    slave = open(device_chardev_pty(device(f, "serial")), O_RDWR | O_NOCTTY | O_CLOEXEC);
    g_assert_true(is_readable(watch));
    g_assert_cmpint(read(watch, &event, sizeof(event)), ==, sizeof(event));
    g_assert_cmpuint(event.mask, ==, IN_OPEN);
    close(slave);
    close(watch);
}

static void
test_pty_is_new_each_time(Fixture *f, gconstpointer data)
{
    g_autofree char *first = NULL;
    g_autoptr(GError) error = NULL;

    define_and_lower(f, "<serial type='pty'/>");
    first = g_strdup(device_chardev_pty(device(f, "serial")));
    lower(f, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(first, !=, device_chardev_pty(device(f, "serial")));
}

static char *
write_through(Fixture *f, const char *key, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);
    int fd = take_fd(message(f, 0), key);

    g_assert_cmpint(write(fd, text, strlen(text)), ==, (gssize)strlen(text));
    close(fd);
    return read_file(path);
}

static void
test_file_truncates(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;

    prefill(f, "out");
    define_and_lower(f, "<serial type='file'><source path='%s/out'/></serial>");
    text = write_through(f, "fd", "out", "new\n");
    g_assert_cmpstr(text, ==, "new\n");
}

static void
test_file_appends(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;
    bool append = false;

    prefill(f, "out");
    define_and_lower(f, "<serial type='file'><source path='%s/out' append='on'/></serial>");
    g_assert_true(vmm_msg_get_bool(message(f, 0), "append", &append));
    g_assert_true(append);
    text = write_through(f, "fd", "out", "new\n");
    g_assert_cmpstr(text, ==, "old\nnew\n");
}

static void
test_log(Fixture *f, gconstpointer data)
{
    g_autofree char *text = NULL;

    prefill(f, "log");
    define_and_lower(f, "<serial type='pty'><log file='%s/log' append='on'/></serial>");
    text = write_through(f, "log", "log", "new\n");
    g_assert_cmpstr(text, ==, "old\nnew\n");
}

static void
test_file_mode(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "out", NULL);
    struct stat st;

    define_and_lower(f, "<serial type='file'><source path='%s/out'/></serial>");
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600);
}

/* Nothing stays open where one of the descriptors cannot be had, and nothing is said to the VMM. */
static void
test_failure(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    guint before = count_fds();

    define(f, "<serial type='pty'><log file='/nonexistent/log'/></serial>");
    g_assert_false(lower(f, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error->message, ==,
                    "Unable to open file '/nonexistent/log': No such file or directory");
    g_assert_cmpuint(f->messages->len, ==, 0);
    g_assert_cmpuint(count_fds(), ==, before);
}

/* A FIFO that nobody reads would hold up an ordinary open() for ever. */
static void
test_fifo(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "fifo", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    define(f, "<serial type='file'><source path='%s/fifo'/></serial>");
    g_assert_false(lower(f, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
}

static void
test_descriptors(Fixture *f, gconstpointer data)
{
    guint before = count_fds();

    define_and_lower(f, "<serial type='pty'><log file='%s/log'/></serial><serial type='pty'/>");
    /* Two ptys with a watch each, and the log; and the watches once more, which the driver closes last. */
    g_assert_cmpuint(count_fds(), ==, before + 7);
    g_ptr_array_set_size(f->messages, 0);
    g_assert_cmpuint(count_fds(), ==, before + 2);
}

static int
take_listener(Fixture *f, guint i)
{
    int fd = take_fd(message(f, i), "fd"), listens = 0;
    socklen_t size = sizeof(listens);

    assert_kind(message(f, i), "socket");
    g_assert_cmpint(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), ==, 0);
    g_assert_true(listens);
    return fd;
}

/* The path of a socket is there while the guest is. */
static void
test_unix(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "port", NULL);

    define_and_lower(f, "<serial type='unix'><source mode='bind' path='%s/port'/></serial>");
    close(take_listener(f, 0));
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    device_serial.release((Device *)device(f, "serial"));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_tcp(Fixture *f, gconstpointer data)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int fd;

    define_and_lower(f, "<serial type='tcp'><source mode='bind' host='localhost' service='0'/></serial>");
    fd = take_listener(f, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&address, &size), ==, 0);
    g_assert_cmpuint(ntohl(address.sin_addr.s_addr), ==, INADDR_LOOPBACK);
    close(fd);
}

static void
assert_cannot_listen(Fixture *f, const char *host, const char *service, const char *text)
{
    g_autofree char *devices = g_strdup_printf(
        "<serial type='tcp'><source mode='bind' host='%s' service='%s'/></serial>", host, service);
    g_autoptr(GError) error = NULL;

    define(f, devices);
    g_assert_false(lower(f, &error));
    g_assert_true(g_str_has_prefix(error->message, text) || strstr(error->message, text));
    g_assert_cmpuint(f->messages->len, ==, 0);
    g_clear_pointer(&f->def, domain_def_free);
}

/* 192.0.2.1 is nobody's (RFC 5737). */
static void
test_tcp_failure(Fixture *f, gconstpointer data)
{
    guint before = count_fds();

    assert_cannot_listen(f, "192.0.2.1", "0", "cannot listen at '192.0.2.1' port '0': ");
    assert_cannot_listen(f, "127.0.0.1", "no-such-service", "cannot listen at '127.0.0.1' port 'no-such-service': ");
    g_assert_cmpuint(count_fds(), ==, before);
}

static void
test_null(Fixture *f, gconstpointer data)
{
    int fd;

    define_and_lower(f, "<serial type='null'/>");
    assert_kind(message(f, 0), "null");
    g_assert_false(vmm_msg_take_fd(message(f, 0), "fd", &fd));
}

static void
test_kinds(Fixture *f, gconstpointer data)
{
    define(f, "<serial type='file'><source path='%s/out'/></serial>");
    g_assert_true(device_is_chardev(device(f, "serial")));
    g_assert_true(device_is_chardev(device(f, "console")));
    g_assert_false(device_is_chardev(device(f, "memballoon")));
    g_assert_null(device_chardev_pty(device(f, "serial")));
    g_assert_null(device_chardev_pty(device(f, "memballoon")));
}

#define ADD(name, function) ADD_TEST("/device-chardev/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("pty", test_pty);
    ADD("watch", test_watch);
    ADD("pty-is-new-each-time", test_pty_is_new_each_time);
    ADD("file-truncates", test_file_truncates);
    ADD("file-appends", test_file_appends);
    ADD("log", test_log);
    ADD("file-mode", test_file_mode);
    ADD("failure", test_failure);
    ADD("fifo", test_fifo);
    ADD("descriptors", test_descriptors);
    ADD("unix", test_unix);
    ADD("tcp", test_tcp);
    ADD("tcp-failure", test_tcp_failure);
    ADD("null", test_null);
    ADD("kinds", test_kinds);
    return g_test_run();
}
