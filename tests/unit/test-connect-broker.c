/* vmctl-connect as the driver starts it: that it connects, and again, and ends with the guest, whatever it waits for. */
#include "qemu-kvm-backend/proto/connect-broker.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 60000

typedef struct Fixture {
    int listener;
    char *port; /* of @listener */
    int conn;   /* our end; -1: it ended by itself */
    GPid pid;
} Fixture;

static void
start(Fixture *f, const char *pause, const char *kind, const char *where, const char *port)
{
    g_autofree char *program = g_test_build_filename(G_TEST_BUILT, "..", "vmctl-connect", NULL);
    const char *const argv[] = { program, pause, kind, where, port, NULL };
    const int target = CONNECT_BROKER_FD;
    g_autoptr(GError) error = NULL;
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    f->conn = ends[0];
    g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1, -1, -1,
                                     &ends[1], &target, 1, &f->pid, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    close(ends[1]);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(address);

    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(f->listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(getsockname(f->listener, (struct sockaddr *)&address, &size), ==, 0);
    f->port = g_strdup_printf("%u", ntohs(address.sin_port));
}

/* It ends with the guest, and says nothing of it. */
static void
tear_down(Fixture *f, gconstpointer data)
{
    int status;

    if (f->conn >= 0)
        close(f->conn);
    g_assert_cmpint(waitpid(f->pid, &status, 0), ==, f->pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, f->conn >= 0 ? 0 : 1);
    close(f->listener);
    g_free(f->port);
}

static void
ask(Fixture *f)
{
    const ConnectBrokerWord word = CONNECT_BROKER_WORD;

    g_assert_cmpint(send(f->conn, &word, sizeof(word), 0), ==, sizeof(word));
}

static int
answer(Fixture *f)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    ConnectBrokerWord word = 0;
    struct iovec iov = { &word, sizeof(word) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    int fd = -1;

    g_assert_cmpint(recvmsg(f->conn, &msg, MSG_CMSG_CLOEXEC), ==, sizeof(word));
    g_assert_cmpuint(word, ==, CONNECT_BROKER_WORD);
    g_assert_nonnull(CMSG_FIRSTHDR(&msg));
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
    return fd;
}

static gboolean
is_readable(int fd, int ms)
{
    struct pollfd pollfd = { fd, POLLIN, 0 };

    return poll(&pollfd, 1, ms) == 1;
}

/* The connection is whole, and nobody else has a copy of it. */
static void
check_connection(int listener, int fd)
{
    int other = accept(listener, NULL, NULL);
    char byte = 0;

    g_assert_cmpint(send(fd, "x", 1, 0), ==, 1);
    g_assert_cmpint(recv(other, &byte, 1, 0), ==, 1);
    g_assert_cmpint(byte, ==, 'x');
    close(fd);
    g_assert_cmpint(recv(other, &byte, 1, 0), ==, 0);
    close(other);
}

/* The first time at once, then after the pause. */
static void
test_again(Fixture *f, gconstpointer data)
{
    gint64 begin;

    g_assert_cmpint(listen(f->listener, 4), ==, 0);
    start(f, "1", "tcp", "127.0.0.1", f->port);
    ask(f);
    check_connection(f->listener, answer(f));
    begin = g_get_monotonic_time();
    ask(f);
    check_connection(f->listener, answer(f));
    g_assert_cmpint(g_get_monotonic_time() - begin, >=, 900000);
}

/* Nobody is there yet. */
static void
test_late(Fixture *f, gconstpointer data)
{
    start(f, "1", "tcp", "127.0.0.1", f->port);
    ask(f);
    g_assert_false(is_readable(f->conn, 300));
    g_assert_cmpint(listen(f->listener, 4), ==, 0);
    g_assert_true(is_readable(f->conn, PATIENCE_MS));
    check_connection(f->listener, answer(f));
}

/* The guest ends while the broker waits for its next attempt, which would be in a century. */
static void
test_end(Fixture *f, gconstpointer data)
{
    start(f, "4000000000", "tcp", "127.0.0.1", f->port);
    ask(f);
    g_assert_false(is_readable(f->conn, 200));
}

static void
test_unix(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_strdup_printf("%s/vmctl-connect-%d", g_get_tmp_dir(), getpid());
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    start(f, "1", "unix", path, NULL);
    ask(f);
    g_assert_false(is_readable(f->conn, 200));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 4), ==, 0);
    g_assert_true(is_readable(f->conn, PATIENCE_MS));
    check_connection(listener, answer(f));
    close(listener);
    g_unlink(path);
}

/* The end of whoever says nonsense. */
static void
test_nonsense(Fixture *f, gconstpointer data)
{
    char byte;

    start(f, "1", "tcp", "127.0.0.1", f->port);
    g_assert_cmpint(send(f->conn, "nonsense", 8, 0), ==, 8);
    g_assert_cmpint(recv(f->conn, &byte, 1, 0), <=, 0);
}

static void
test_no_address(Fixture *f, gconstpointer data)
{
    start(f, "1", "tcp", "localhost", f->port);
    close(f->conn);
    f->conn = -1;
}

#define ADD(name, function) g_test_add("/connect-broker/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("again", test_again);
    ADD("late", test_late);
    ADD("end", test_end);
    ADD("unix", test_unix);
    ADD("nonsense", test_nonsense);
    ADD("no-address", test_no_address);
    return g_test_run();
}
