/* vmctl-vsock as the driver starts it: whom it connects to, and that it ends with the guest. */
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Fixture {
    char *dir;
    int conn; /* our end */
    GPid pid;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_autofree char *program = g_test_build_filename(G_TEST_BUILT, "..", "vmctl-vsock", NULL);
    const char *const argv[] = { program, NULL };
    const int targets[] = { VSOCK_BROKER_FD, VSOCK_BROKER_DIR_FD };
    g_autoptr(GError) error = NULL;
    int ends[2], sources[2];

    f->dir = g_dir_make_tmp("vmctl-vsock-XXXXXX", NULL);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    f->conn = ends[0];
    sources[0] = ends[1];
    sources[1] = open(f->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    g_spawn_async_with_pipes_and_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, -1,
                                     -1, -1, sources, targets, 2, &f->pid, NULL, NULL, NULL,
                                     &error);
    g_assert_no_error(error);
    close(sources[0]);
    close(sources[1]);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    int status;

    close(f->conn);
    g_assert_cmpint(waitpid(f->pid, &status, 0), ==, f->pid);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
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

/* The broker's answer to a request for @port: a descriptor, or -1. */
static int
ask(Fixture *f, uint32_t port)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    const VsockBrokerRequest request = { 1234, port };
    VsockBrokerRequest answer = { 0 };
    struct iovec iov = { &answer, sizeof(answer) };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
    };
    int fd = -1;

    g_assert_cmpint(send(f->conn, &request, sizeof(request), 0), ==, sizeof(request));
    g_assert_cmpint(recvmsg(f->conn, &msg, MSG_CMSG_CLOEXEC), ==, sizeof(answer));
    g_assert_cmpmem(&answer, sizeof(answer), &request, sizeof(request));
    if (CMSG_FIRSTHDR(&msg))
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
    return fd;
}

static void
test_connects(Fixture *f, gconstpointer data)
{
    g_autofree char *path = g_build_filename(f->dir, VSOCK_BROKER_NAME "_4294967295", NULL);
    int listener = listen_at(path), fd, other;
    char byte = 0;

    for (unsigned i = 0; i < 50; i++) { /* more than it may have open */
        fd = ask(f, UINT32_MAX);
        g_assert_cmpint(fd, >=, 0);
        g_assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        other = accept(listener, NULL, NULL);
        g_assert_cmpint(send(fd, "x", 1, 0), ==, 1);
        g_assert_cmpint(recv(other, &byte, 1, 0), ==, 1);
        close(fd);
        g_assert_cmpint(recv(other, &byte, 1, 0), ==, 0); /* the broker has kept none */
        close(other);
    }
    close(listener);
    g_assert_cmpint(ask(f, UINT32_MAX), ==, -1); /* the file is there, and nobody listens */
    g_unlink(path);
}

static void
test_nobody(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(ask(f, 0), ==, -1);
    g_assert_cmpint(ask(f, 80), ==, -1);
}

/* The end of whoever says nonsense. */
static void
test_nonsense(Fixture *f, gconstpointer data)
{
    char byte;

    g_assert_cmpint(send(f->conn, "nonsense and more", 17, 0), ==, 17);
    g_assert_cmpint(send(f->conn, "x", 1, MSG_NOSIGNAL), <=, 1);
    g_assert_cmpint(recv(f->conn, &byte, 1, 0), <=, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/vsock-broker/connects", Fixture, NULL, set_up, test_connects, tear_down);
    g_test_add("/vsock-broker/nobody", Fixture, NULL, set_up, test_nobody, tear_down);
    g_test_add("/vsock-broker/nonsense", Fixture, NULL, set_up, test_nonsense, tear_down);
    return g_test_run();
}
