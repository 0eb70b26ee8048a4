/* Streams between a guest and the host, with a client of the host's, a broker and a driver that behave. */
#include "tests/unit/vsock-fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
test_config(Fixture *f, gconstpointer data)
{
    g_assert_cmpuint(mmio_read(f->guest->test, f->guest->device, 8), ==, CID);
    g_assert_cmpuint(guest_get(f->guest, COMMON_NUM_QUEUES, 2), ==, 3);
}

static void
test_from_host(Fixture *f, gconstpointer data)
{
    Packet packet;
    int fd;
    uint32_t port = open_from_host(f, &fd);

    g_assert_cmpint(send(fd, "hello", 5, 0), ==, 5);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 52);
    g_assert_cmpmem(packet.data, packet.size, "hello", 5);
    write_guest(f, 52, port, "good day", 8);
    expect_text(fd, "good day");
    expect_nothing(f);
    /* One end, then the other. */
    shutdown(fd, SHUT_WR);
    expect(f, &packet, VIRTIO_VSOCK_OP_SHUTDOWN, 52);
    g_assert_cmpuint(packet.flags, ==, VIRTIO_VSOCK_SHUTDOWN_SEND);
    write_guest(f, 52, port, "bye", 3);
    expect_text(fd, "bye");
    close(fd);
    expect(f, &packet, VIRTIO_VSOCK_OP_SHUTDOWN, 52);
    g_assert_cmpuint(packet.flags, ==, VIRTIO_VSOCK_SHUTDOWN_SEND | VIRTIO_VSOCK_SHUTDOWN_RCV);
    say(f, VIRTIO_VSOCK_OP_RST, 52, port, 0);
    expect_nothing(f);
    g_assert_cmpuint(count_streams(f), ==, 0);
}

/* What the client sends behind its greeting is the guest's. */
static void
test_eager_client(Fixture *f, gconstpointer data)
{
    int fd = client_new(f, "CONNECT 52\nalready");
    Packet packet;

    expect(f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    say(f, VIRTIO_VSOCK_OP_RESPONSE, 52, packet.host_port, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 52);
    g_assert_cmpmem(packet.data, packet.size, "already", 7);
    close(fd);
}

static void
test_slow_client(Fixture *f, gconstpointer data)
{
    int fd = client_new(f, "CONN");
    Packet packet;

    expect_nothing(f);
    g_assert_cmpint(send(fd, "ECT 4294967294\n", 15, 0), ==, 15);
    expect(f, &packet, VIRTIO_VSOCK_OP_REQUEST, 4294967294u);
    close(fd);
}

static void
test_refused(Fixture *f, gconstpointer data)
{
    int fd = client_new(f, "CONNECT 52\n");
    Packet packet;

    expect(f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    say(f, VIRTIO_VSOCK_OP_RST, 52, packet.host_port, 0);
    expect_end(fd);
    g_assert_cmpuint(count_streams(f), ==, 0);
    close(fd);
}

static void
test_from_guest(Fixture *f, gconstpointer data)
{
    int fd = open_from_guest(f, 1000), other = open_from_guest(f, 1001);
    Packet packet;

    write_guest(f, 1000, 99, "one", 3);
    write_guest(f, 1001, 99, "two", 3);
    expect_text(fd, "one");
    expect_text(other, "two");
    g_assert_cmpint(send(other, "2", 1, 0), ==, 1);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 1001);
    /* The guest closes: what it sent arrives, then the end, and it is told. */
    write_guest(f, 1000, 99, "end", 3);
    say(f, VIRTIO_VSOCK_OP_SHUTDOWN, 1000, 99,
        VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 1000);
    expect_text(fd, "end");
    expect_end(fd);
    g_assert_cmpuint(count_streams(f), ==, 1);
    close(fd);
    close(other);
}

static void
test_half_close(Fixture *f, gconstpointer data)
{
    int fd = open_from_guest(f, 1000);
    Packet packet;

    say(f, VIRTIO_VSOCK_OP_SHUTDOWN, 1000, 99, VIRTIO_VSOCK_SHUTDOWN_SEND);
    expect_end(fd);
    g_assert_cmpint(send(fd, "still", 5, 0), ==, 5);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 1000);
    write_guest(f, 1000, 99, "no", 2); /* it said that it would not */
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 1000);
    close(fd);
}

static void
test_nobody_listens(Fixture *f, gconstpointer data)
{
    Packet packet;

    say(f, VIRTIO_VSOCK_OP_REQUEST, 1000, 99, 0);
    broke(f, 1000, 99, -1);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 1000);
    g_assert_cmpuint(packet.host_port, ==, 99);
    g_assert_cmpuint(count_streams(f), ==, 0);
}

static void
test_no_broker(void)
{
    Fixture f = { 0 };
    Packet packet;

    vsock_set_up_with(&f, false);
    vsock_start(&f);
    say(&f, VIRTIO_VSOCK_OP_REQUEST, 1000, 99, 0);
    expect(&f, &packet, VIRTIO_VSOCK_OP_RST, 1000);
    vsock_tear_down(&f, NULL);
}

static void
test_broker_leaves(Fixture *f, gconstpointer data)
{
    Packet packet;

    say(f, VIRTIO_VSOCK_OP_REQUEST, 1000, 99, 0);
    close(f->broker);
    f->broker = -1;
    test_board_settle(f->guest->test);
    say(f, VIRTIO_VSOCK_OP_REQUEST, 1001, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 1001);
}

/* An answer for a stream that is no more. */
static void
test_late_answer(Fixture *f, gconstpointer data)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    say(f, VIRTIO_VSOCK_OP_REQUEST, 1000, 99, 0);
    say(f, VIRTIO_VSOCK_OP_RST, 1000, 99, 0);
    broke(f, 1000, 99, ends[1]);
    expect_nothing(f);
    expect_end(ends[0]);
    close(ends[0]);
}

/* The host sends no more than the guest has room for, and asks. */
static void
test_guest_credit(Fixture *f, gconstpointer data)
{
    uint8_t bytes[1000] = { 1, 2, 3 };
    Packet packet;
    int fd;

    f->room = 300;
    fd = open_from_guest(f, 1000);
    g_assert_cmpint(send(fd, bytes, sizeof(bytes), 0), ==, sizeof(bytes));
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 1000);
    g_assert_cmpuint(packet.size, ==, 300);
    expect(f, &packet, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1000);
    expect_nothing(f);
    f->taken = 100;
    say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1000, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 1000);
    g_assert_cmpuint(packet.size, ==, 100);
    expect(f, &packet, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1000);
    f->taken = 5000; /* more than it ever got: it gets nothing for that */
    say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1000, 99, 0);
    expect_nothing(f);
    f->taken = 400;
    f->room = UINT32_MAX;
    say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1000, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RW, 1000);
    g_assert_cmpuint(packet.size, ==, 600);
    expect_nothing(f);
    close(fd);
}

/* The guest sends all that it may to a host that does not read: nothing is lost, and more than that is the end. */
static void
test_host_credit(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *bytes = g_malloc(BUFFER);
    int fd = open_from_guest(f, 1000);
    uint32_t sent = 0, taken = 0, read = 0;
    Packet packet;

    /* As long as the host's socket buffer has room the device says so. */
    for (;;) {
        while (take_packet(f, &packet)) {
            g_assert_cmpuint(packet.op, ==, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
            taken = packet.taken;
        }
        if (sent + BUFFER > taken + ROOM)
            break;
        memset(bytes, sent / BUFFER, BUFFER);
        write_guest(f, 1000, 99, bytes, BUFFER);
        sent += BUFFER;
    }
    g_assert_cmpuint(sent, >=, ROOM);
    for (ssize_t n; read < sent; read += n) {
        n = recv(fd, bytes, 1, 0);
        if (n < 0) {
            g_assert_cmpint(errno, ==, EAGAIN);
            test_board_settle(f->guest->test);
            n = 0;
            continue;
        }
        g_assert_cmpint(n, ==, 1);
        g_assert_cmpuint(bytes[0], ==, (uint8_t)(read / BUFFER));
    }
    expect(f, &packet, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1000);
    while (take_packet(f, &packet))
        continue;
    say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1000, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 1000);
    g_assert_cmpuint(packet.taken, ==, sent);
    close(fd);
}

/* It has sent its last: the host gets all of it even where it is slow, and the guest forgets. */
static void
test_close_before_read(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *bytes = g_malloc0(BUFFER);
    int fd = open_from_guest(f, 1000);
    uint32_t sent = 0, taken = 0, read = 0;
    Packet packet;

    while (sent + BUFFER <= taken + ROOM) {
        write_guest(f, 1000, 99, bytes, BUFFER);
        sent += BUFFER;
        while (take_packet(f, &packet))
            taken = packet.taken;
    }
    say(f, VIRTIO_VSOCK_OP_SHUTDOWN, 1000, 99,
        VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND);
    say(f, VIRTIO_VSOCK_OP_RST, 1000, 99, 0); /* it does not wait for ours */
    for (;;) {
        ssize_t n = recv(fd, bytes, BUFFER, 0);

        if (n == 0)
            break;
        g_assert_true(n > 0 || errno == EAGAIN);
        read += MAX(n, 0);
        test_board_settle(f->guest->test);
    }
    g_assert_cmpuint(read, ==, sent);
    expect_nothing(f);
    g_assert_cmpuint(count_streams(f), ==, 0);
    close(fd);
}

static void
test_driver_reset(Fixture *f, gconstpointer data)
{
    int fd = open_from_guest(f, 1000), waiting;

    guest_reset(f->guest);
    expect_end(fd);
    close(fd);
    /* Until there is a driver, clients wait. */
    waiting = client_new(f, "CONNECT 52\n");
    g_assert_cmpuint(count_streams(f), ==, 0);
    close(waiting);
}

/* One that comes while the reset is still to be done waits, too. */
static void
test_reset_and_client(Fixture *f, gconstpointer data)
{
    int waiting;

    guest_begin_reset(f->guest);
    waiting = client_new(f, "CONNECT 52\n");
    g_assert_cmpuint(count_streams(f), ==, 0);
    close(waiting);
}

static void
test_clients_wait_for_driver(void)
{
    Fixture f = { 0 };
    Packet packet;
    int fd;

    vsock_set_up_with(&f, true);
    fd = client_new(&f, "CONNECT 52\n");
    vsock_start(&f);
    expect(&f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    close(fd);
    vsock_tear_down(&f, NULL);
}

#define ADD(name, test)                                                                            \
    g_test_add("/virtio-vsock/" name, Fixture, NULL, vsock_set_up, test, vsock_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("config", test_config);
    ADD("from-host", test_from_host);
    ADD("eager-client", test_eager_client);
    ADD("slow-client", test_slow_client);
    ADD("refused", test_refused);
    ADD("from-guest", test_from_guest);
    ADD("half-close", test_half_close);
    ADD("nobody-listens", test_nobody_listens);
    g_test_add_func("/virtio-vsock/no-broker", test_no_broker);
    ADD("broker-leaves", test_broker_leaves);
    ADD("late-answer", test_late_answer);
    ADD("guest-credit", test_guest_credit);
    ADD("host-credit", test_host_credit);
    ADD("close-before-read", test_close_before_read);
    ADD("driver-reset", test_driver_reset);
    ADD("reset-and-client", test_reset_and_client);
    g_test_add_func("/virtio-vsock/clients-wait-for-driver", test_clients_wait_for_driver);
    return g_test_run();
}
