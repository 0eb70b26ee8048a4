/* What a driver does wrong, and clients, or what they do too often. */
#include "tests/unit/vsock-fixture.h"

#include "qemu-kvm-backend/device-classes.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

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

static void
say_raw(Fixture *f, struct virtio_vsock_hdr hdr)
{
    queue_packet(f, &hdr, NULL, 0);
    guest_kick(f->guest, TX);
}

static void
test_strays(Fixture *f, gconstpointer data)
{
    struct virtio_vsock_hdr hdr = vsock_header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
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
    hdr = vsock_header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
    hdr.dst_cid = GUINT64_TO_LE(3);
    say_raw(f, hdr);
    hdr = vsock_header(f, VIRTIO_VSOCK_OP_RW, 5, 6);
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

    vsock_set_up_with(&f, true);
    guest_start(f.guest, UINT64_MAX);
    f.rx = guest_alloc(f.guest, N_RX * BUFFER);
    for (unsigned i = 0; i < 100; i++) {
        struct virtio_vsock_hdr hdr = vsock_header(&f, VIRTIO_VSOCK_OP_RW, i, 6);

        queue_packet(&f, &hdr, NULL, 0);
    }
    guest_kick(f.guest, TX);
    while (guest_take_used(f.guest, TX, &head, &len))
        n++;
    g_assert_cmpuint(n, ==, 64);
    for (unsigned i = 0; i < N_RX; i++)
        vsock_offer(&f, i);
    guest_kick(f.guest, RX);
    test_board_settle(f.guest->test);
    while (guest_take_used(f.guest, TX, &head, &len))
        n_more++;
    g_assert_cmpuint(n_more, ==, 36);
    vsock_tear_down(&f, NULL);
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

static uint64_t passed_ns;

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);

/* The clock of the loop's timers is ahead by the time that tests let pass. */
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    int result = __real_clock_gettime(clock, ret);
    uint64_t ns = ret->tv_nsec + passed_ns;

    ret->tv_sec += ns / 1000000000;
    ret->tv_nsec = ns % 1000000000;
    return result;
}

static void
quit(void *loop, uint32_t events)
{
    loop_quit(loop);
}

/* Timers that are due by then are served. */
static void
pass_time(Fixture *f, unsigned ms)
{
    Loop *loop = f->guest->test->board.loop;
    LoopSource *timer = loop_add_timer(loop, quit, loop);

    passed_ns += ms * 1000000ull;
    loop_timer_set(timer, 1);
    loop_run(loop);
    loop_source_free(timer);
}

/* A client that says nothing has ten seconds, however many others come and go meanwhile. */
static void
test_silent_greeter(Fixture *f, gconstpointer data)
{
    int silent = client_new(f, "");

    for (unsigned i = 0; i < 24; i++) {
        close(client_new(f, ""));
        pass_time(f, 500);
    }
    expect_end(silent);
    close(silent);
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
    struct virtio_vsock_hdr hdr = vsock_header(f, VIRTIO_VSOCK_OP_RW, 5, 6);

    hdr.len = GUINT32_TO_LE(UINT32_MAX);
    say_raw(f, hdr);
    assert_broken(f);
}

static void
test_small_buffer(void)
{
    Fixture f = { 0 };

    vsock_set_up_with(&f, true);
    guest_start(f.guest, UINT64_MAX);
    f.rx = guest_alloc(f.guest, BUFFER);
    guest_desc(f.guest, f.guest->queues[RX].desc, 0, f.rx, HEADER - 1, DESC_WRITE, 0);
    guest_offer(f.guest, RX, 0);
    guest_kick(f.guest, RX);
    say(&f, VIRTIO_VSOCK_OP_RW, 5, 6, 0);
    assert_broken(&f);
    vsock_tear_down(&f, NULL);
}

/* Buffers for a header alone do for packets that are one, and for data they do not. */
static void
test_no_room_for_data(void)
{
    Fixture f = { 0 };
    Packet packet;
    int fd;

    vsock_set_up_with(&f, true);
    guest_start(f.guest, UINT64_MAX);
    f.rx = guest_alloc(f.guest, N_RX * BUFFER);
    for (unsigned i = 0; i < 2; i++) {
        guest_desc(f.guest, f.guest->queues[RX].desc, i, f.rx + i * BUFFER, HEADER, DESC_WRITE, 0);
        guest_offer(f.guest, RX, i);
    }
    guest_kick(f.guest, RX);
    fd = client_new(&f, "CONNECT 52\n");
    expect(&f, &packet, VIRTIO_VSOCK_OP_REQUEST, 52);
    g_assert_cmphex(guest_get(f.guest, COMMON_STATUS, 1) & STATUS_NEEDS_RESET, ==, 0);
    say(&f, VIRTIO_VSOCK_OP_RESPONSE, 52, packet.host_port, 0);
    g_assert_cmpint(send(fd, "x", 1, 0), ==, 1);
    test_board_settle(f.guest->test);
    assert_broken(&f);
    close(fd);
    vsock_tear_down(&f, NULL);
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
        vmm_msg_put_fd(params, "fd", vsock_listen(&f));
        vmm_msg_put_u64(params, "cid", cids[i]);
        g_assert_null(device_new(&virtio_pci_class, &test->board, "x", params, &err));
        g_assert_nonnull(strstr(err.text, "cid"));
        device_free(host);
        test_board_free(test);
        loop_free(loop);
    }
}

#define ADD(name, test)                                                                            \
    g_test_add("/virtio-vsock/" name, Fixture, NULL, vsock_set_up, test, vsock_tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("bad-greetings", test_bad_greetings);
    ADD("overdrawn", test_overdrawn);
    ADD("strays", test_strays);
    g_test_add_func("/virtio-vsock/unanswered", test_unanswered);
    ADD("many", test_many);
    ADD("many-greeters", test_many_greeters);
    ADD("silent-greeter", test_silent_greeter);
    ADD("short-packet", test_short_packet);
    ADD("long-size", test_long_size);
    g_test_add_func("/virtio-vsock/small-buffer", test_small_buffer);
    g_test_add_func("/virtio-vsock/no-room-for-data", test_no_room_for_data);
    g_test_add_func("/virtio-vsock/bad-params", test_bad_params);
    return g_test_run();
}
