/* What goes through serial ports, both ways, and waits where there is nobody to take it. */
#include "tests/unit/console-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_console.h>
#include <string.h>
#include <unistd.h>

/* What goes through a pty takes a kernel thread's time. */
static bool
await_used(Fixture *f, unsigned queue, uint32_t *ret_head, uint32_t *ret_len)
{
    for (unsigned i = 0; i < 2000; i++) {
        if (guest_take_used(f->guest, queue, ret_head, ret_len))
            return true;
        g_usleep(1000);
        test_board_settle(f->guest->test);
    }
    return false;
}

static void
await_readable(int fd)
{
    GPollFD poll = { .fd = fd, .events = G_IO_IN };

    g_assert_cmpint(g_poll(&poll, 1, 2000), ==, 1);
}

static void
check_read(int fd, const char *text)
{
    char bytes[256];
    ssize_t n = read(fd, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, MAX(n, 0), text, strlen(text));
}

static void
check_nothing_to_read(int fd)
{
    char byte;

    g_assert_cmpint(read(fd, &byte, 1), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

/* The socket: who comes is told of, bytes go both ways, one client at a time. */
static void
test_socket(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    int client, second;
    uint32_t head, len;

    console_introduce(f);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    check_event(f, 1, 1, true);
    guest_writes(f, AGENT_OUT, 0, "pong", 4);
    g_assert_true(is_sent(f, AGENT_OUT));
    check_read(client, "pong");
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_cmpint(write(client, "ping", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "ping", 4);
    second = client_new(f);
    g_assert_cmpint(write(second, "next", 4), ==, 4);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    check_no_control(f);
    close(client);
    test_board_settle(f->guest->test);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "next", 4);
    close(second);
}

/* Port 1 comes anew, with what it says going to the pipe @log, too. */
static void
replace_logged(Fixture *f, int log)
{
    VmmMsg *request = port_addition(1, listen_at(f->path));

    vmm_msg_put_fd(request, "port-1-log", log);
    tell_device(f, request, NULL);
}

/* What goes to the socket of a port is logged as it goes, once. */
static void
test_log(Fixture *f, const void *data)
{
    int fds[2], client;

    console_introduce(f);
    g_assert_cmpint(pipe2(fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    tell_device(f, port_removal(1), NULL);
    unlink(f->path);
    replace_logged(f, fds[1]);
    client = client_new(f);
    guest_writes(f, AGENT_OUT, 0, "pong", 4);
    g_assert_true(is_sent(f, AGENT_OUT));
    check_read(client, "pong");
    check_read(fds[0], "pong");
    close(client);
    test_board_settle(f->guest->test);
    guest_writes(f, AGENT_OUT, 0, "alone", 5);
    g_assert_true(is_sent(f, AGENT_OUT));
    check_read(fds[0], "alone");
    close(fds[0]);
}

/* What the guest has no buffers for, or no open port, waits in the socket, as long as the client does. */
static void
test_socket_input_waits(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;
    int client;

    console_introduce(f);
    client = client_new(f);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    offer_in(f, AGENT_IN, 0, buffer, 3);
    guest_kick(f->guest, AGENT_IN);
    g_assert_cmpint(write(client, "abcdef", 6), ==, 6);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "abc", 3);
    check_no_control(f);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "def", 3);
    g_assert_cmpint(write(client, "ghi", 3), ==, 3);
    close(client);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 0, "");
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    /* With room, what was written before leaving arrives. */
    client = client_new(f);
    g_assert_cmpint(write(client, "jkl", 3), ==, 3);
    close(client);
    test_board_settle(f->guest->test);
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 3), len, "jkl", 3);
}

/* Output that a client does not read makes the guest wait, and nothing is lost; without a client it goes
 * nowhere. */
static void
test_socket_output_waits(Fixture *f, const void *data)
{
    static uint8_t bytes[65536], back[65536];
    unsigned sent = 0, n = 32;
    uint32_t head, len;
    int client;

    console_introduce(f);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = i * 31;
    guest_writes(f, AGENT_OUT, 0, bytes, sizeof(bytes));
    g_assert_true(is_sent(f, AGENT_OUT));
    client = client_new(f);
    for (unsigned i = 0; i < n; i++)
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        sent++;
    g_assert_cmpuint(sent, <, n);
    for (unsigned i = 0; i < n; i++) {
        for (size_t done = 0; done < sizeof(back);) {
            ssize_t got = read(client, back + done, sizeof(back) - done);

            if (got < 0)
                test_board_settle(f->guest->test);
            else
                done += got;
        }
        g_assert_cmpmem(back, sizeof(back), bytes, sizeof(bytes));
    }
    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        sent++;
    g_assert_cmpuint(sent, ==, n);
    check_nothing_to_read(client);
    for (unsigned i = 0; i < n; i++)
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
    close(client); /* with output that waits */
    for (unsigned turn = 0; turn < 2 * n && sent < 2 * n; turn++) {
        test_board_settle(f->guest->test);
        while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
            sent++;
    }
    g_assert_cmpuint(sent, ==, 2 * n);
}

/* Port 1 comes anew, as a console. */
static void
replace_by_console(Fixture *f)
{
    VmmMsg *request;

    tell_device(f, port_removal(1), NULL);
    unlink(f->path);
    request = port_addition(1, listen_at(f->path));
    vmm_msg_put_bool(request, "port-1-console", true);
    tell_device(f, request, NULL);
}

/* All that @client gets. */
static GByteArray *
read_all(Fixture *f, int client)
{
    GByteArray *all = g_byte_array_new();
    uint8_t bytes[65536];
    ssize_t n;

    while ((n = read(client, bytes, sizeof(bytes))) > 0) {
        g_byte_array_append(all, bytes, n);
        test_board_settle(f->guest->test);
    }
    return all;
}

/* A console's guest does not wait for a client that does not read: it gets the newest output when it does. */
static void
test_console_output(Fixture *f, const void *data)
{
    g_autoptr(GByteArray) all = NULL;
    static uint8_t bytes[65536];
    unsigned sent = 0, n = 32;
    uint32_t head, len;
    int client;

    console_introduce(f);
    replace_by_console(f);
    client = client_new(f);
    for (unsigned i = 0; i < n; i++) {
        memset(bytes, i, sizeof(bytes));
        guest_writes(f, AGENT_OUT, i, bytes, sizeof(bytes));
    }
    while (guest_take_used(f->guest, AGENT_OUT, &head, &len))
        sent++;
    g_assert_cmpuint(sent, ==, n);
    all = read_all(f, client);
    g_assert_cmpuint(all->len, >=, sizeof(bytes));
    g_assert_cmpmem(all->data + all->len - sizeof(bytes), sizeof(bytes), bytes, sizeof(bytes));
    close(client);
}

static void
test_pty(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;

    console_introduce(f);
    test_board_settle(f->guest->test);
    guest_writes(f, PTY_OUT, 0, "login: ", 7);
    g_assert_true(is_sent(f, PTY_OUT));
    test_board_settle(f->guest->test);
    await_readable(f->slave);
    check_read(f->slave, "login: ");
    offer_in(f, PTY_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, PTY_IN);
    g_assert_cmpint(write(f->slave, "root", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, PTY_IN, &head, &len));
    send_control(f, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
    g_assert_true(await_used(f, PTY_IN, &head, &len));
    g_assert_cmpmem(guest_memory(f->guest, buffer, 4), len, "root", 4);
}

static void
test_file(Fixture *f, const void *data)
{
    console_introduce(f);
    guest_writes(f, LOG_OUT, 0, "one\n", 4);
    guest_writes(f, LOG_OUT, 1, "two\n", 4);
    check_read(f->log, "one\ntwo\n");
}

/* A buffer of any size does not keep the loop to itself. */
static void
test_huge_output(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, 2 * MIB);
    unsigned turns = 0;

    console_introduce(f);
    guest_desc(f->guest, f->guest->queues[LOG_OUT].desc, 0, buffer, 2 * MIB, 0, 0);
    guest_offer(f->guest, LOG_OUT, 0);
    guest_kick(f->guest, LOG_OUT);
    for (; !is_sent(f, LOG_OUT); turns++) {
        g_assert_cmpuint(turns, <, 100);
        test_board_settle(f->guest->test);
    }
    g_assert_cmpuint(turns, >, 1);
}

/* Without MULTIPORT port 0 is all there is, and open. */
static void
test_one_port(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;

    guest_reset(f->guest);
    guest_start(f->guest, 0);
    offer_in(f, PTY_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, PTY_IN);
    test_board_settle(f->guest->test);
    g_assert_cmpint(write(f->slave, "x", 1), ==, 1);
    g_assert_true(await_used(f, PTY_IN, &head, &len));
    g_assert_cmpuint(len, ==, 1);
}

static void
test_pause(Fixture *f, const void *data)
{
    const DeviceClass *class = f->guest->dev->class;
    uint64_t buffer = guest_alloc(f->guest, BUFFER);
    uint32_t head, len;
    int client;

    console_introduce(f);
    send_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1);
    offer_in(f, AGENT_IN, 0, buffer, BUFFER);
    guest_kick(f->guest, AGENT_IN);
    class->pause(f->guest->dev);
    client = client_new(f);
    g_assert_cmpint(write(client, "ping", 4), ==, 4);
    test_board_settle(f->guest->test);
    g_assert_false(guest_take_used(f->guest, AGENT_IN, &head, &len));
    check_no_control(f);
    class->resume(f->guest->dev);
    test_board_settle(f->guest->test);
    check_control(f, 1, VIRTIO_CONSOLE_PORT_OPEN, 1, "");
    g_assert_true(guest_take_used(f->guest, AGENT_IN, &head, &len));
    g_assert_cmpuint(len, ==, 4);
    close(client);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test)                                                                           \
    g_test_add("/virtio-console/" path, Fixture, NULL, console_set_up, test, console_tear_down)
    CASE("socket", test_socket);
    CASE("log", test_log);
    CASE("socket-input-waits", test_socket_input_waits);
    CASE("socket-output-waits", test_socket_output_waits);
    CASE("console-output", test_console_output);
    CASE("pty", test_pty);
    CASE("file", test_file);
    CASE("huge-output", test_huge_output);
    CASE("one-port", test_one_port);
    CASE("pause", test_pause);
    return g_test_run();
}
