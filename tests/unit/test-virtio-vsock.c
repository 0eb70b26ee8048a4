/* Streams between a guest and the host, with a client of the host's, a broker and a driver that behave, and that
 * do not. */
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <errno.h>
#include <linux/virtio_vsock.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MIB    ((uint64_t)1 << 20)
#define CID    7
#define RX     0
#define TX     1
#define BUFFER 4096u
#define N_RX   64
#define HEADER ((uint32_t)sizeof(struct virtio_vsock_hdr))
#define ROOM   65536u /* the device's, for a stream */

typedef struct Fixture {
    VirtioGuest *guest;
    struct sockaddr_un address;
    int broker;      /* our end; -1: none */
    uint64_t rx, tx; /* buffers */
    unsigned n_tx;   /* sent; the descriptor is this, modulo the queue's size */
    uint32_t room;   /* what packets say that the guest has room for */
    uint32_t taken;  /* and has taken */
} Fixture;

/* The last packet from the device. */
typedef struct Packet {
    uint16_t type, op;
    uint32_t host_port, guest_port, flags, room, taken, size;
    uint8_t data[BUFFER];
} Packet;

/* No file: the name begins with a NUL. */
static int
listen_for(Fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    f->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(f->address.sun_path + 1, sizeof(f->address.sun_path) - 1, "vmctl-test-vsock-%d",
             (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)&f->address, sizeof(f->address)), ==, 0);
    g_assert_cmpint(listen(fd, 128), ==, 0);
    return fd;
}

static void
offer_rx(Fixture *f, unsigned i)
{
    guest_desc(f->guest, f->guest->queues[RX].desc, i, f->rx + i * BUFFER, BUFFER, DESC_WRITE, 0);
    guest_offer(f->guest, RX, i);
}

static void
start(Fixture *f)
{
    guest_start(f->guest, UINT64_MAX);
    f->rx = guest_alloc(f->guest, N_RX * BUFFER);
    f->tx = guest_alloc(f->guest, 2 * BUFFER);
    for (unsigned i = 0; i < N_RX; i++)
        offer_rx(f, i);
    guest_kick(f->guest, RX);
}

static void
set_up_with(Fixture *f, bool broker)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    int ends[2] = { -1, -1 };

    vmm_msg_put_string(params, "device", "vsock");
    vmm_msg_put_u64(params, "cid", CID);
    vmm_msg_put_fd(params, "fd", listen_for(f));
    if (broker) {
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                        ==, 0);
        vmm_msg_put_fd(params, "broker", ends[0]);
    }
    f->broker = ends[1];
    f->room = 1 << 20;
    f->guest = virtio_guest_new(params, 16 * MIB);
    guest_enable_msix(f->guest);
}

static void
set_up(Fixture *f, gconstpointer data)
{
    set_up_with(f, true);
    start(f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    virtio_guest_free(f->guest);
    if (f->broker >= 0)
        close(f->broker);
}

/* A packet of the guest's into the next descriptor; not yet seen by the device. */
static void
queue_packet(Fixture *f, struct virtio_vsock_hdr *hdr, const void *data, uint32_t size)
{
    unsigned i = f->n_tx++ % f->guest->queues[TX].size;
    uint64_t at = guest_alloc(f->guest, HEADER + size);

    memcpy(guest_memory(f->guest, at, HEADER), hdr, HEADER);
    if (size)
        memcpy(guest_memory(f->guest, at + HEADER, size), data, size);
    guest_desc(f->guest, f->guest->queues[TX].desc, i, at, HEADER + size, 0, 0);
    guest_offer(f->guest, TX, i);
}

static struct virtio_vsock_hdr
header(const Fixture *f, uint16_t op, uint32_t guest_port, uint32_t host_port)
{
    return (struct virtio_vsock_hdr){
        .src_cid = GUINT64_TO_LE(CID),
        .dst_cid = GUINT64_TO_LE(2),
        .src_port = GUINT32_TO_LE(guest_port),
        .dst_port = GUINT32_TO_LE(host_port),
        .type = GUINT16_TO_LE(VIRTIO_VSOCK_TYPE_STREAM),
        .op = GUINT16_TO_LE(op),
        .buf_alloc = GUINT32_TO_LE(f->room),
        .fwd_cnt = GUINT32_TO_LE(f->taken),
    };
}

static void
say(Fixture *f, uint16_t op, uint32_t guest_port, uint32_t host_port, uint32_t flags)
{
    struct virtio_vsock_hdr hdr = header(f, op, guest_port, host_port);

    hdr.flags = GUINT32_TO_LE(flags);
    queue_packet(f, &hdr, NULL, 0);
    guest_kick(f->guest, TX);
}

static void
write_guest(Fixture *f, uint32_t guest_port, uint32_t host_port, const void *data, uint32_t size)
{
    struct virtio_vsock_hdr hdr = header(f, VIRTIO_VSOCK_OP_RW, guest_port, host_port);

    hdr.len = GUINT32_TO_LE(size);
    queue_packet(f, &hdr, data, size);
    guest_kick(f->guest, TX);
}

/* FALSE where the device has sent none. */
static gboolean
take_packet(Fixture *f, Packet *ret)
{
    struct virtio_vsock_hdr hdr;
    uint32_t i, size;
    uint8_t *at;

    test_board_settle(f->guest->test);
    if (!guest_take_used(f->guest, RX, &i, &size))
        return FALSE;
    at = guest_memory(f->guest, f->rx + i * BUFFER, BUFFER);
    memcpy(&hdr, at, HEADER);
    g_assert_cmpuint(GUINT64_FROM_LE(hdr.src_cid), ==, 2);
    g_assert_cmpuint(GUINT64_FROM_LE(hdr.dst_cid), ==, CID);
    *ret = (Packet){
        .type = GUINT16_FROM_LE(hdr.type),
        .op = GUINT16_FROM_LE(hdr.op),
        .host_port = GUINT32_FROM_LE(hdr.src_port),
        .guest_port = GUINT32_FROM_LE(hdr.dst_port),
        .flags = GUINT32_FROM_LE(hdr.flags),
        .room = GUINT32_FROM_LE(hdr.buf_alloc),
        .taken = GUINT32_FROM_LE(hdr.fwd_cnt),
        .size = GUINT32_FROM_LE(hdr.len),
    };
    g_assert_cmpuint(size, ==, HEADER + ret->size);
    memcpy(ret->data, at + HEADER, ret->size);
    offer_rx(f, i);
    guest_kick(f->guest, RX);
    return TRUE;
}

static void
expect(Fixture *f, Packet *ret, uint16_t op, uint32_t guest_port)
{
    g_assert_true(take_packet(f, ret));
    g_assert_cmpuint(ret->op, ==, op);
    g_assert_cmpuint(ret->guest_port, ==, guest_port);
}

static void
expect_nothing(Fixture *f)
{
    Packet packet;

    g_assert_false(take_packet(f, &packet));
}

static uint64_t
count_streams(Fixture *f)
{
    VmmMsg *request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    VmmMsg *reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;
    uint64_t n;

    g_assert_true(f->guest->dev->class->tell(f->guest->dev, request, reply, &err));
    g_assert_true(vmm_msg_get_u64(reply, "streams", &n));
    vmm_msg_free(request);
    vmm_msg_free(reply);
    return n;
}

/* The host's side. */

static int
client_new(Fixture *f, const char *greeting)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), ==, 0);
    g_assert_cmpint(send(fd, greeting, strlen(greeting), 0), ==, strlen(greeting));
    test_board_settle(f->guest->test);
    return fd;
}

/* Exactly this text is there to read. */
static void
expect_text(int fd, const char *text)
{
    char got[256] = "";

    g_assert_cmpint(recv(fd, got, sizeof(got) - 1, 0), ==, strlen(text));
    g_assert_cmpstr(got, ==, text);
}

static void
expect_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    g_assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

/* A stream to port 52 of the guest, which accepts; its port on the host. */
static uint32_t
open_from_host(Fixture *f, int *ret_fd)
{
    g_autofree char *text = NULL;
    Packet packet;

    *ret_fd = client_new(f, "CONNECT 52\n");
    expect(f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    g_assert_cmpuint(packet.host_port, >=, 0x40000000u);
    g_assert_cmpuint(packet.room, ==, ROOM);
    say(f, VIRTIO_VSOCK_OP_RESPONSE, 52, packet.host_port, 0);
    text = g_strdup_printf("OK %u\n", packet.host_port);
    expect_text(*ret_fd, text);
    return packet.host_port;
}

/* What the broker is asked, and its answer: @fd is taken over, -1: nobody listens. */
static void
broke(Fixture *f, uint32_t guest_port, uint32_t host_port, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    VsockBrokerRequest request;
    struct iovec iov = { &request, sizeof(request) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    g_assert_cmpint(recv(f->broker, &request, sizeof(request), 0), ==, sizeof(request));
    g_assert_cmpuint(request.guest_port, ==, guest_port);
    g_assert_cmpuint(request.host_port, ==, host_port);
    if (fd >= 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    }
    g_assert_cmpint(sendmsg(f->broker, &msg, 0), ==, sizeof(request));
    if (fd >= 0)
        close(fd);
}

/* A stream from @guest_port to port 99 of the host; the host's end. */
static int
open_from_guest(Fixture *f, uint32_t guest_port)
{
    Packet packet;
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    say(f, VIRTIO_VSOCK_OP_REQUEST, guest_port, 99, 0);
    broke(f, guest_port, 99, ends[1]);
    expect(f, &packet, VIRTIO_VSOCK_OP_RESPONSE, guest_port);
    return ends[0];
}

/* Tests. */

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
test_bad_greetings(Fixture *f, gconstpointer data)
{
    static const char *const greetings[] = {
        "CONNECT\n",
        "CONNECT \n",
        "CONNECT x\n",
        "connect 52\n",
        "CONNECT 52 \n",
        "\n",
        "CONNECT 4294967295\n",
        "CONNECT -1\n",
        "CONNECT 99999999999999999999999999",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(greetings); i++) {
        int fd = client_new(f, greetings[i]);

        expect_end(fd);
        close(fd);
    }
    expect_nothing(f);
    g_assert_cmpuint(count_streams(f), ==, 0);
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

    set_up_with(&f, false);
    start(&f);
    say(&f, VIRTIO_VSOCK_OP_REQUEST, 1000, 99, 0);
    expect(&f, &packet, VIRTIO_VSOCK_OP_RST, 1000);
    tear_down(&f, NULL);
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

static void
test_overdrawn(Fixture *f, gconstpointer data)
{
    g_autofree uint8_t *bytes = g_malloc0(BUFFER);
    int fd = open_from_guest(f, 1000);
    Packet packet = { 0 };

    for (unsigned i = 0; packet.op != VIRTIO_VSOCK_OP_RST; i++) {
        g_assert_cmpuint(i, <, 4096);
        write_guest(f, 1000, 99, bytes, BUFFER);
        while (packet.op != VIRTIO_VSOCK_OP_RST && take_packet(f, &packet))
            continue;
    }
    g_assert_cmpuint(count_streams(f), ==, 0);
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
say_raw(Fixture *f, struct virtio_vsock_hdr hdr)
{
    queue_packet(f, &hdr, NULL, 0);
    guest_kick(f->guest, TX);
}

static void
test_strays(Fixture *f, gconstpointer data)
{
    struct virtio_vsock_hdr hdr = header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
    Packet packet;

    say_raw(f, hdr);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 5);
    g_assert_cmpuint(packet.host_port, ==, 6);
    hdr.type = GUINT16_TO_LE(VIRTIO_VSOCK_TYPE_SEQPACKET);
    hdr.op = GUINT16_TO_LE(VIRTIO_VSOCK_OP_REQUEST);
    say_raw(f, hdr);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 5);
    g_assert_cmpuint(packet.type, ==, VIRTIO_VSOCK_TYPE_SEQPACKET);
    say(f, VIRTIO_VSOCK_OP_RST, 5, 6, 0); /* answered by nothing */
    hdr = header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
    hdr.dst_cid = GUINT64_TO_LE(3);
    say_raw(f, hdr);
    hdr = header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
    hdr.src_cid = GUINT64_TO_LE(8);
    say_raw(f, hdr);
    expect_nothing(f);
}

/* Answers that nobody takes are bounded: the device waits with the driver's packets, and goes on. */
static void
test_unanswered(void)
{
    Fixture f = { 0 };
    uint32_t head, len;
    unsigned n = 0, n_more = 0;

    set_up_with(&f, true);
    guest_start(f.guest, UINT64_MAX);
    f.rx = guest_alloc(f.guest, N_RX * BUFFER);
    for (unsigned i = 0; i < 100; i++) {
        struct virtio_vsock_hdr hdr = header(&f, VIRTIO_VSOCK_OP_RW, i, 6);

        queue_packet(&f, &hdr, NULL, 0);
    }
    guest_kick(f.guest, TX);
    while (guest_take_used(f.guest, TX, &head, &len))
        n++;
    g_assert_cmpuint(n, ==, 64);
    for (unsigned i = 0; i < N_RX; i++)
        offer_rx(&f, i);
    guest_kick(f.guest, RX);
    test_board_settle(f.guest->test);
    while (guest_take_used(f.guest, TX, &head, &len))
        n_more++;
    g_assert_cmpuint(n_more, ==, 36);
    tear_down(&f, NULL);
}

static void
test_many(Fixture *f, gconstpointer data)
{
    Packet packet;

    f->room = 0;
    for (unsigned i = 0; i < 1023; i++) {
        VsockBrokerRequest request;

        say(f, VIRTIO_VSOCK_OP_REQUEST, i, 99, 0);
        g_assert_cmpint(recv(f->broker, &request, sizeof(request), 0), ==, sizeof(request));
        g_assert_cmpuint(request.guest_port, ==, i);
    }
    g_assert_cmpuint(count_streams(f), ==, 1023);
    say(f, VIRTIO_VSOCK_OP_REQUEST, 5000, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 5000);
    /* Asking again for one that is under way ends it. */
    say(f, VIRTIO_VSOCK_OP_REQUEST, 7, 99, 0);
    expect(f, &packet, VIRTIO_VSOCK_OP_RST, 7);
    g_assert_cmpuint(count_streams(f), ==, 1022);
}

/* Clients that say nothing cannot take all the room. */
static void
test_many_greeters(Fixture *f, gconstpointer data)
{
    int fds[100];

    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        fds[i] = client_new(f, "");
    g_assert_cmpuint(count_streams(f), ==, 64);
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    /* Those that waited are heard, one at a time, and have left by then. */
    for (gsize i = 0; i < G_N_ELEMENTS(fds); i++)
        test_board_settle(f->guest->test);
    g_assert_cmpuint(count_streams(f), ==, 0);
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

    set_up_with(&f, true);
    fd = client_new(&f, "CONNECT 52\n");
    start(&f);
    expect(&f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    close(fd);
    tear_down(&f, NULL);
}

static void
assert_broken(Fixture *f)
{
    g_assert_cmphex(guest_get(f->guest, COMMON_STATUS, 1) & STATUS_NEEDS_RESET, ==,
                    STATUS_NEEDS_RESET);
}

static void
test_short_packet(Fixture *f, gconstpointer data)
{
    uint64_t at = guest_alloc(f->guest, HEADER);

    guest_desc(f->guest, f->guest->queues[TX].desc, 0, at, HEADER - 1, 0, 0);
    guest_offer(f->guest, TX, 0);
    guest_kick(f->guest, TX);
    assert_broken(f);
}

static void
test_long_size(Fixture *f, gconstpointer data)
{
    struct virtio_vsock_hdr hdr = header(f, VIRTIO_VSOCK_OP_RW, 5, 6);

    hdr.len = GUINT32_TO_LE(UINT32_MAX);
    say_raw(f, hdr);
    assert_broken(f);
}

static void
test_small_buffer(void)
{
    Fixture f = { 0 };

    set_up_with(&f, true);
    guest_start(f.guest, UINT64_MAX);
    f.rx = guest_alloc(f.guest, BUFFER);
    guest_desc(f.guest, f.guest->queues[RX].desc, 0, f.rx, HEADER - 1, DESC_WRITE, 0);
    guest_offer(f.guest, RX, 0);
    guest_kick(f.guest, RX);
    say(&f, VIRTIO_VSOCK_OP_RW, 5, 6, 0);
    assert_broken(&f);
    tear_down(&f, NULL);
}

static void
test_bad_params(void)
{
    static const uint64_t cids[] = { 0, 2, UINT32_MAX, (uint64_t)1 << 32 | 3 };

    for (gsize i = 0; i < G_N_ELEMENTS(cids); i++) {
        TestBoard *test = test_board_new(loop_new());
        Device *host = test_board_add(test, &pci_host_class, NULL);
        vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
        Fixture f = { 0 };
        VmmError err = { 0 };
        Loop *loop = test->board.loop;

        vmm_msg_put_string(params, "device", "vsock");
        vmm_msg_put_fd(params, "fd", listen_for(&f));
        vmm_msg_put_u64(params, "cid", cids[i]);
        g_assert_null(device_new(&virtio_pci_class, &test->board, "x", params, &err));
        g_assert_nonnull(strstr(err.text, "cid"));
        device_free(host);
        test_board_free(test);
        loop_free(loop);
    }
}

#define ADD(name, test) g_test_add("/virtio-vsock/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("config", test_config);
    ADD("from-host", test_from_host);
    ADD("eager-client", test_eager_client);
    ADD("slow-client", test_slow_client);
    ADD("refused", test_refused);
    ADD("bad-greetings", test_bad_greetings);
    ADD("from-guest", test_from_guest);
    ADD("half-close", test_half_close);
    ADD("nobody-listens", test_nobody_listens);
    g_test_add_func("/virtio-vsock/no-broker", test_no_broker);
    ADD("broker-leaves", test_broker_leaves);
    ADD("late-answer", test_late_answer);
    ADD("guest-credit", test_guest_credit);
    ADD("host-credit", test_host_credit);
    ADD("overdrawn", test_overdrawn);
    ADD("close-before-read", test_close_before_read);
    ADD("strays", test_strays);
    g_test_add_func("/virtio-vsock/unanswered", test_unanswered);
    ADD("many", test_many);
    ADD("many-greeters", test_many_greeters);
    ADD("driver-reset", test_driver_reset);
    ADD("reset-and-client", test_reset_and_client);
    g_test_add_func("/virtio-vsock/clients-wait-for-driver", test_clients_wait_for_driver);
    ADD("short-packet", test_short_packet);
    ADD("long-size", test_long_size);
    g_test_add_func("/virtio-vsock/small-buffer", test_small_buffer);
    g_test_add_func("/virtio-vsock/bad-params", test_bad_params);
    return g_test_run();
}
