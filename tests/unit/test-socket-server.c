/* A socket server whose owner has room as fast as its client sends. */
#include "qemu-kvm-backend/socket-server.h"

#include <glib.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SENT 5000u

typedef struct Owner {
    pthread_mutex_t lock;
    Loop *loop;
    unsigned n_received;
    unsigned n_connected, n_left;
} Owner;

/* A byte at a time, without end. */
static size_t
room(void *data)
{
    return 1;
}

static void
receive(void *data, const uint8_t *bytes, size_t size)
{
    Owner *owner = data;

    g_assert_cmpuint(size, ==, 1);
    g_assert_cmpuint(bytes[0], ==, (uint8_t)owner->n_received);
    owner->n_received++;
}

static void
writable(void *data)
{
}

static void
connected(void *data, bool is)
{
    Owner *owner = data;

    *(is ? &owner->n_connected : &owner->n_left) += 1;
}

static int
listen_at(struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *address =
        (struct sockaddr_un){ .sun_family = AF_UNIX }; /* no file: the name begins with a NUL */
    snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "vmctl-test-socket-server-%d",
             (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)address, sizeof(*address)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

static void
on_other(void *data, uint32_t events)
{
    loop_quit(data);
}

/* Runs the loop until another source, which is ready from the start, gets its turn. */
static void
take_turn(Loop *loop)
{
    int fd = eventfd(1, EFD_CLOEXEC);
    LoopSource *source = loop_add_fd(loop, fd, EPOLLIN, on_other, loop);

    loop_run(loop);
    loop_source_free(source);
    close(fd);
}

/* Other sources get their turn, and what a client has sent before it left comes whole. */
static void
test_turns(void)
{
    Owner owner = { .lock = PTHREAD_MUTEX_INITIALIZER, .loop = loop_new() };
    SocketServerOwner hooks = { "com1", &owner.lock, room, receive, writable, connected, &owner };
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    uint8_t bytes[SENT];
    struct sockaddr_un address;
    SocketServer *server;
    unsigned turns = 0;
    VmmError err;
    int client;

    vmm_msg_put_string(params, "kind", "socket");
    vmm_msg_put_fd(params, "fd", listen_at(&address));
    server = socket_server_new(owner.loop, params, &hooks, &err);
    g_assert_nonnull(server);
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(client, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    for (unsigned i = 0; i < SENT; i++)
        bytes[i] = i;
    g_assert_cmpint(send(client, bytes, SENT, 0), ==, SENT);
    close(client);
    for (; owner.n_left == 0; turns++) {
        g_assert_cmpuint(turns, <, SENT);
        take_turn(owner.loop);
    }
    g_assert_cmpuint(owner.n_received, ==, SENT);
    g_assert_cmpuint(owner.n_connected, ==, 1);
    g_assert_cmpuint(turns, >, 10);
    socket_server_free(server);
    loop_free(owner.loop);
}

/* Reads what there is, as many bytes as @size in all; the loop gets turns meanwhile. */
static size_t
read_slowly(Loop *loop, int fd, size_t size)
{
    uint8_t bytes[4096];
    size_t seen = 0;

    for (unsigned i = 0; i < 1000 && seen < size; i++) {
        ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        seen += n > 0 ? n : 0;
        take_turn(loop);
    }
    return seen;
}

/* What was taken and encoded for Telnet when the client had no room goes on by itself, though the owner has nothing more to
 * say. */
static void
test_telnet_remainder(void)
{
    Owner owner = { .lock = PTHREAD_MUTEX_INITIALIZER, .loop = loop_new() };
    SocketServerOwner hooks = { "com1", &owner.lock, room, receive, writable, connected, &owner };
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    const uint8_t bytes[500] = { 0 };
    size_t taken = 0, n, options = 12;
    SocketServer *server;
    VmmError err;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    vmm_msg_put_string(params, "kind", "connection");
    vmm_msg_put_fd(params, "fd", fds[0]);
    vmm_msg_put_bool(params, "telnet", true);
    server = socket_server_new(owner.loop, params, &hooks, &err);
    g_assert_nonnull(server);
    while (owner.n_connected == 0)
        take_turn(owner.loop);
    do
        taken += n = socket_server_write(server, bytes, sizeof(bytes));
    while (n > 0);
    g_assert_cmpuint(read_slowly(owner.loop, fds[1], options + taken), ==, options + taken);
    close(fds[1]);
    socket_server_free(server);
    loop_free(owner.loop);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/socket-server/turns", test_turns);
    g_test_add_func("/socket-server/telnet-remainder", test_telnet_remainder);
    return g_test_run();
}
