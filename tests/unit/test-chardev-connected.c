/* Character devices whose other end is there, or is sought: terminals and FIFOs of the host, datagrams, connections that
 * are made once, or again and again by a broker, which is the test here; and Telnet on them. */
#include "qemu-kvm-backend/proto/connect-broker.h"
#include "tests/unit/chardev-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static VmmMsg *
params_with(const char *kind, int fd)
{
    VmmMsg *params = params_new(kind);

    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

/* A terminal of the host, which is the slave of a pty. */
static void
test_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    Fixture *f;

    g_assert_cmpint(unlockpt(master), ==, 0);
    f = start(params_with("stream", open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC)));
    guest_says(f, "login: ");
    terminal_sees(master, "login: ");
    terminal_types(master, "root\n");
    wait_for_input(f, "root\n");
    make_room(f, 0);
    check_quiet(f);
    close(master); /* unplugged */
    g_usleep(50000);
    guest_says(f, "nobody hears this");
    check_quiet(f);
    stop(f);
}

static int
make_fifo(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    fd = open(path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    g_unlink(path);
    return fd;
}

static int
copy_of(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* FIFOs: what nobody takes is kept, the newest of it, and goes on in order. */
static void
test_fifos(void)
{
    g_autofree char *dir = g_dir_make_tmp("vmctl-fifo-XXXXXX", NULL);
    g_autofree char *text = numbered_lines(12000);
    int in = make_fifo(dir, "in"), out = make_fifo(dir, "out");
    VmmMsg *params = params_with("stream", copy_of(in));
    size_t size = strlen(text), half = size / 2;
    GString *seen;
    Fixture *f;

    vmm_msg_put_fd(params, "out", copy_of(out));
    f = start(params);
    terminal_types(in, "ping");
    wait_for_input(f, "ping");
    guest_writes(f, text, half);
    check_quiet(f);
    guest_writes(f, text + half, size - half);
    check_quiet(f);
    seen = terminal_reads(out, size, 200);
    g_assert_cmpuint(seen->len, <, size);
    g_assert_cmpuint(seen->len, >, half);
    g_assert_true(g_str_has_suffix(seen->str, "line 00011999\n"));
    guest_says(f, "on\n");
    terminal_sees(out, "on\n");
    g_string_free(seen, TRUE);
    stop(f);
    close(in);
    close(out);
    g_rmdir(dir);
}

/* What cannot be waited for is written to. */
static void
test_null_device(void)
{
    Fixture *f = start(params_with("stream", open("/dev/null", O_RDWR | O_CLOEXEC)));

    guest_says(f, "nobody hears this");
    check_quiet(f);
    wait_for_input(f, "");
    stop(f);
}

/* Datagrams */

static int
datagram_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    g_assert_cmpint(bind(fd, (struct sockaddr *)address, sizeof(*address)), ==, 0);
    g_assert_cmpint(getsockname(fd, (struct sockaddr *)address, &size), ==, 0);
    return fd;
}

/* One in pieces, as the guest has room; and the errors that a peer's end makes are nobody's end. */
static void
test_datagrams(void)
{
    struct sockaddr_in here, there;
    int own = datagram_socket(&here), peer = datagram_socket(&there);
    char bytes[16] = "";
    Fixture *f;

    g_assert_cmpint(connect(own, (struct sockaddr *)&there, sizeof(there)), ==, 0);
    g_assert_cmpint(connect(peer, (struct sockaddr *)&here, sizeof(here)), ==, 0);
    f = start(params_with("datagram", own));
    guest_writes(f, "hello", 5);
    g_assert_cmpint(recv(peer, bytes, sizeof(bytes), 0), ==, 5);
    g_assert_cmpstr(bytes, ==, "hello");
    make_room(f, 3);
    g_assert_cmpint(send(peer, "abcdef", 6, 0), ==, 6);
    g_assert_cmpint(send(peer, "", 0, 0), ==, 0);
    g_assert_cmpint(send(peer, "ghi", 3, 0), ==, 3);
    wait_for_input(f, "abc");
    check_quiet(f);
    make_room(f, 100);
    wait_for_input(f, "abcdefghi");
    close(peer);
    make_room(f, 0);
    guest_writes(f, "to nobody", 9);
    check_quiet(f);
    stop(f);
}

/* Connections: the test has the other end of @fds. */

static void
make_pair(int type, int fds[2])
{
    g_assert_cmpint(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), ==, 0);
}

/* When the peer has left, nobody comes: what the guest says then is kept in vain. */
static void
test_connection(void)
{
    int fds[2];
    Fixture *f;

    make_pair(SOCK_STREAM, fds);
    f = start(params_with("connection", fds[0]));
    guest_says(f, "hello\n");
    terminal_sees(fds[1], "hello\n");
    terminal_types(fds[1], "hi");
    wait_for_input(f, "hi");
    close(fds[1]);
    check_quiet(f);
    guest_says(f, "anybody?");
    check_quiet(f);
    stop(f);
}

/* One that is on its way when the device is made, and is refused. */
static void
test_refused(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    Fixture *f;

    g_assert_cmpint(bind(other, (struct sockaddr *)&address, sizeof(address)), ==, 0); /* and does not listen */
    g_assert_cmpint(getsockname(other, (struct sockaddr *)&address, &size), ==, 0);
    g_assert_cmpint(connect(fd, (struct sockaddr *)&address, sizeof(address)), ==, -1);
    f = start(params_with("connection", fd));
    guest_says(f, "anybody?");
    check_quiet(f);
    stop(f);
    close(other);
}

/* A broker */

static void
hear_request(int broker)
{
    struct pollfd pollfd = { broker, POLLIN, 0 };
    ConnectBrokerWord word;

    g_assert_cmpint(poll(&pollfd, 1, PATIENCE_MS), ==, 1);
    g_assert_cmpint(recv(broker, &word, sizeof(word), 0), ==, sizeof(word));
    g_assert_cmpuint(word, ==, CONNECT_BROKER_WORD);
}

static void
answer(int broker, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    ConnectBrokerWord word = CONNECT_BROKER_WORD;
    struct iovec iov = { &word, sizeof(word) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };

    memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    g_assert_cmpint(sendmsg(broker, &msg, 0), ==, sizeof(word));
    close(fd);
}

/* Each time that the peer leaves the broker is asked anew, and what was said meanwhile goes to the next one. */
static void
test_broker(void)
{
    int broker[2], fds[2];
    Fixture *f;

    make_pair(SOCK_SEQPACKET, broker);
    f = start(params_with("broker", broker[0]));
    for (unsigned i = 0; i < 3; i++) {
        g_autofree char *away = g_strdup_printf("away %u\n", i);

        hear_request(broker[1]);
        guest_says(f, away);
        check_quiet(f);
        make_pair(SOCK_STREAM, fds);
        answer(broker[1], fds[0]);
        terminal_sees(fds[1], away);
        terminal_types(fds[1], "x");
        close(fds[1]);
    }
    wait_for_input(f, "xxx");
    hear_request(broker[1]);
    close(broker[1]);
    check_quiet(f);
    guest_says(f, "anybody?");
    stop(f);
}

/* Whoever is on a connection when its broker ends stays there. */
static void
test_broker_gone(void)
{
    int broker[2], fds[2];
    Fixture *f;

    make_pair(SOCK_SEQPACKET, broker);
    f = start(params_with("broker", broker[0]));
    hear_request(broker[1]);
    make_pair(SOCK_STREAM, fds);
    answer(broker[1], fds[0]);
    guest_says(f, "hello\n");
    terminal_sees(fds[1], "hello\n");
    close(broker[1]);
    guest_says(f, "still\n");
    terminal_sees(fds[1], "still\n");
    close(fds[1]);
    check_quiet(f);
    stop(f);
}

/* The options come before all that was kept, and bytes that Telnet means something by are doubled both ways. */
static void
test_telnet(void)
{
    static const char options[] = "\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00";
    VmmMsg *params;
    GString *seen;
    int fds[2];
    Fixture *f;

    make_pair(SOCK_STREAM, fds);
    params = params_with("connection", fds[0]);
    vmm_msg_put_bool(params, "telnet", true);
    f = start(params);
    seen = terminal_reads(fds[1], sizeof(options) - 1, PATIENCE_MS);
    g_assert_cmpmem(seen->str, seen->len, options, sizeof(options) - 1);
    g_string_free(seen, TRUE);
    guest_says(f, "a\xff" "b");
    terminal_sees(fds[1], "a\xff\xff" "b");
    terminal_types(fds[1], "\xff\xfd\x01" "l\xff\xff" "s\xff\xf1\r");
    wait_for_input(f, "l\xff" "s\r");
    close(fds[1]);
    stop(f);
}

/* A client that does not read gets everything once it does, in order. */
static void
test_telnet_slow(void)
{
    g_autofree char *text = numbered_lines(4000);
    VmmMsg *params;
    GString *seen;
    int fds[2], small = 4096;
    Fixture *f;

    make_pair(SOCK_STREAM, fds);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    params = params_with("connection", fds[0]);
    vmm_msg_put_bool(params, "telnet", true);
    f = start(params);
    seen = terminal_reads(fds[1], 12, PATIENCE_MS);
    g_string_free(seen, TRUE);
    for (size_t at = 0; at < strlen(text); at += 1000)
        guest_writes(f, text + at, MIN(1000, strlen(text) - at));
    check_quiet(f);
    seen = terminal_reads(fds[1], strlen(text), PATIENCE_MS);
    g_assert_cmpstr(seen->str, ==, text);
    g_string_free(seen, TRUE);
    close(fds[1]);
    stop(f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/chardev/stream/terminal", test_terminal);
    g_test_add_func("/chardev/stream/fifos", test_fifos);
    g_test_add_func("/chardev/stream/null-device", test_null_device);
    g_test_add_func("/chardev/datagram", test_datagrams);
    g_test_add_func("/chardev/connection/once", test_connection);
    g_test_add_func("/chardev/connection/refused", test_refused);
    g_test_add_func("/chardev/broker/again", test_broker);
    g_test_add_func("/chardev/broker/gone", test_broker_gone);
    g_test_add_func("/chardev/telnet/both-ways", test_telnet);
    g_test_add_func("/chardev/telnet/slow", test_telnet_slow);
    return g_test_run();
}
