/* Character devices whose other end is on the host or in the network already, opened: devices, FIFOs, datagrams and sockets
 * that connect. */
#include "driver/unix-socket.h"
#include "qemu-kvm-backend/proto/connect-broker.h"
#include "tests/unit/device-chardev-fixture.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device of the host, which is a pty's slave here: every byte passes as it is. */
static void
test_dev(Fixture *f, gconstpointer data)
{
    int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), fd;
    g_autofree char *devices = NULL;
    char buffer[16] = "";

    g_assert_cmpint(unlockpt(master), ==, 0);
    devices = g_strdup_printf("<serial type='dev'><source path='%s'/></serial>", ptsname(master));
    define_and_lower(f, devices);
    assert_kind(message(f, 0), "stream");
    fd = take_fd(message(f, 0), "fd");
    g_assert_cmpint(write(fd, "a\x03\n", 3), ==, 3);
    g_assert_cmpint(read(master, buffer, sizeof(buffer)), ==, 3);
    g_assert_cmpmem(buffer, 3, "a\x03\n", 3);
    g_assert_cmpint(write(master, "b\r", 2), ==, 2);
    g_assert_cmpint(read(fd, buffer, sizeof(buffer)), ==, 2);
    g_assert_cmpmem(buffer, 2, "b\r", 2);
    close(fd);
    close(master);
}

static void
test_dev_is_none(Fixture *f, gconstpointer data)
{
    guint before = count_fds();

    prefill(f, "file");
    assert_not_opened(f, "<serial type='dev'><source path='%s/file'/></serial>", "/file' is no character device");
    assert_not_opened(f, "<serial type='dev'><source path='/nonexistent'/></serial>",
                      "Unable to open character device '/nonexistent': No such file or directory");
    assert_not_opened(f, "<serial type='pipe'><source path='%s/file'/></serial>", "/file' is no FIFO");
    g_assert_cmpuint(count_fds(), ==, before);
}

static int
make_fifo(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
assert_passes(int from, int to)
{
    char buffer[16];

    g_assert_cmpint(write(from, "hello", 5), ==, 5);
    g_assert_cmpint(read(to, buffer, sizeof(buffer)), ==, 5);
    g_assert_cmpmem(buffer, 5, "hello", 5);
}

/* Two FIFOs where there are two; nobody has to be at their other ends. */
static void
test_pipe(Fixture *f, gconstpointer data)
{
    int single = make_fifo(f, "p"), in = make_fifo(f, "p.in"), out, fd, out_fd;
    g_autoptr(GError) error = NULL;

    define_and_lower(f, "<serial type='pipe'><source path='%s/p'/></serial>");
    assert_kind(message(f, 0), "stream");
    fd = take_fd(message(f, 0), "fd");
    g_assert_false(vmm_msg_take_fd(message(f, 0), "out", &out_fd));
    assert_passes(single, fd);
    close(fd);
    out = make_fifo(f, "p.out");
    lower(f, &error);
    g_assert_no_error(error);
    fd = take_fd(message(f, 1), "fd");
    out_fd = take_fd(message(f, 1), "out");
    assert_passes(in, fd);
    assert_passes(out_fd, out);
    close(fd);
    close(out_fd);
    close(single);
    close(in);
    close(out);
}

static int
bound_socket(int type, struct sockaddr_in *ret)
{
    socklen_t size = sizeof(*ret);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    g_assert_cmpint(bind(fd, (struct sockaddr *)ret, sizeof(*ret)), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)ret, &size), ==, 0);
    return fd;
}

static void
test_udp(Fixture *f, gconstpointer data)
{
    struct sockaddr_in address, own;
    socklen_t size = sizeof(own);
    int peer = bound_socket(SOCK_DGRAM, &address), fd;
    g_autofree char *devices = g_strdup_printf("<serial type='udp'><source mode='bind' service='0'/>"
                                               "<source mode='connect' service='%u'/></serial>",
                                               ntohs(address.sin_port));

    define_and_lower(f, devices);
    assert_kind(message(f, 0), "datagram");
    fd = take_fd(message(f, 0), "fd");
    assert_passes(fd, peer);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)&own, &size), ==, 0);
    g_assert_cmpint(connect(peer, (struct sockaddr *)&own, sizeof(own)), ==, 0);
    assert_passes(peer, fd);
    close(fd);
    close(peer);
    g_clear_pointer(&f->def, domain_def_free);
    g_ptr_array_set_size(f->messages, 0);
    assert_not_opened(f,
                      "<serial type='udp'><source mode='bind' host='::1'/>"
                      "<source host='127.0.0.1' service='1'/></serial>",
                      "cannot listen at '::1' port '0': ");
}

static char *
tcp_device(const struct sockaddr_in *address, const char *reconnect)
{
    return g_strdup_printf("<serial type='tcp'><source mode='connect' host='127.0.0.1' service='%u'>%s</source>"
                           "<protocol type='telnet'/></serial>",
                           ntohs(address->sin_port), reconnect);
}

/* One that is refused is an error of the start. */
static void
test_tcp_connect(Fixture *f, gconstpointer data)
{
    struct sockaddr_in address;
    int listener = bound_socket(SOCK_STREAM, &address), fd, other;
    g_autofree char *devices = tcp_device(&address, "");
    bool telnet = false;

    assert_not_opened(f, devices, "': Connection refused");
    g_assert_cmpint(listen(listener, 1), ==, 0);
    define_and_lower(f, devices);
    assert_kind(message(f, 0), "connection");
    g_assert_true(vmm_msg_get_bool(message(f, 0), "telnet", &telnet) && telnet);
    fd = take_fd(message(f, 0), "fd");
    other = accept(listener, NULL, NULL);
    assert_passes(other, fd);
    close(fd);
    close(other);
    close(listener);
}

/* A socket that is somebody else's stays. */
static void
test_unix_connect(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, "theirs", NULL);
    int listener = unix_socket_listen(path, SOCK_STREAM, 1, NULL), fd, other;

    define_and_lower(f, "<serial type='unix'><source mode='connect' path='%s/theirs'/></serial>");
    assert_kind(message(f, 0), "connection");
    fd = take_fd(message(f, 0), "fd");
    other = accept(listener, NULL, NULL);
    assert_passes(other, fd);
    device_serial.release((Device *)device(f, "serial"));
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    close(fd);
    close(other);
    close(listener);
}

/* Nobody has to be there at the start; then there is a process that waits for a word. */
static void
test_reconnect(Fixture *f, gconstpointer data)
{
    const ConnectBrokerWord word = CONNECT_BROKER_WORD;
    struct sockaddr_in address;
    int listener = bound_socket(SOCK_STREAM, &address), broker, other;
    g_autofree char *devices = tcp_device(&address, "<reconnect enabled='yes' timeout='1'/>");

    define_and_lower(f, devices);
    assert_kind(message(f, 0), "broker");
    broker = take_fd(message(f, 0), "fd");
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(send(broker, &word, sizeof(word), 0), ==, sizeof(word));
    other = accept(listener, NULL, NULL);
    g_assert_cmpint(other, >=, 0);
    close(broker);
    close(other);
    close(listener);
}

#define ADD(name, function) ADD_TEST("/device-chardev-host/" name, function)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("dev", test_dev);
    ADD("dev-is-none", test_dev_is_none);
    ADD("pipe", test_pipe);
    ADD("udp", test_udp);
    ADD("tcp-connect", test_tcp_connect);
    ADD("unix-connect", test_unix_connect);
    ADD("reconnect", test_reconnect);
    return g_test_run();
}
