/* A network card sends, receives, and has a cable. */
#include "tests/unit/net-fixture.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)

static uint16_t
read_config16(Fixture *f, unsigned offset)
{
    return mmio_read(f->guest->test, f->guest->device + offset, 2);
}

/* What is said before anything is sent */

static void
test_configuration(Fixture *f, const void *data)
{
    uint64_t features;

    for (unsigned i = 0; i < sizeof(net_mac); i++)
        g_assert_cmphex(mmio_read(f->guest->test, f->guest->device + i, 1), ==, net_mac[i]);
    g_assert_cmpuint(read_config16(f, 6), ==, VIRTIO_NET_S_LINK_UP);
    g_assert_cmpuint(read_config16(f, 8), ==, 1);
    g_assert_cmpuint(guest_get(f->guest, COMMON_NUM_QUEUES, 2), ==, 3);
    guest_set(f->guest, COMMON_FEATURE_SELECT, 4, 0);
    features = guest_get(f->guest, COMMON_FEATURE, 4) & 0xffffff;
    /* A stream has no header that could net_tell of checksums or segments. */
    g_assert_cmphex(features, ==,
                    FEATURE(MAC) | FEATURE(STATUS) | FEATURE(MRG_RXBUF) | FEATURE(CTRL_VQ) |
                        FEATURE(CTRL_RX) | FEATURE(CTRL_RX_EXTRA) | FEATURE(CTRL_VLAN) |
                        FEATURE(CTRL_MAC_ADDR));
}

static void
test_bad_parameters(void)
{
    static const struct {
        const char *key, *string;
        uint64_t number;
    } rows[] = {
        { "mac", "52:54:00:12:34", 0 },
        { "mac", "53:54:00:12:34:56", 0 },
        { "mac", "52:54:00:12:34:567", 0 },
        { "mac", "5:54:00:12:34:56", 0 },
        { "mac", NULL, 0 },
        { "backend", "slirp", 0 },
        { "backend", "tap", 0 },
        { "mtu", NULL, 67 },
        { "mtu", NULL, 65536 },
        { "queues", NULL, 0 },
        { "queues", NULL, 16 },
        { "queues", NULL, 2 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        TestBoard *test = test_board_new(loop_new());
        vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
        VmmError err = { 0 };
        VirtioDevice *vdev;
        Device dev = { .id = (char *)"net0", .board = &test->board };
        int fds[2];

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
        vmm_msg_put_fd(params, "fd", fds[0]);
        if (strcmp(rows[i].key, "mac"))
            vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
        if (strcmp(rows[i].key, "backend"))
            vmm_msg_put_string(params, "backend", "stream");
        if (rows[i].string)
            vmm_msg_put_string(params, rows[i].key, rows[i].string);
        else if (strcmp(rows[i].key, "mac"))
            vmm_msg_put_u64(params, rows[i].key, rows[i].number);
        vdev = g_malloc0(virtio_class_find("net")->size);
        *vdev = (VirtioDevice){ .class = virtio_class_find("net"), .dev = &dev };
        vdev->loop = test->board.loop;
        g_assert_false(vdev->class->create(vdev, params, &err));
        g_assert_cmpstr(err.text, !=, "");
        vdev->class->destroy(vdev);
        g_free(vdev);
        close(fds[1]);
        loop_free(test->board.loop);
        test_board_free(test);
    }
}

/* Sending */

static void
test_send(Fixture *f, const void *data)
{
    for (unsigned i = 0; i < 10; i++)
        g_assert_true(guest_sends(f, 60 + 100 * i, i));
    guest_kick(f->guest, TX);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 10);
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_VECTOR(TX)), ==, 1);
    for (unsigned i = 0; i < 10; i++)
        check_wire(f, 60 + 100 * i, i);
    check_wire_empty(f);
    g_assert_cmpuint(net_tell(f, "tx-packets"), ==, 10);
    g_assert_cmpuint(net_tell(f, "tx-bytes"), ==, 600 + 100 * 45);
}

/* One byte a second lets one packet pass, and the next ones in a minute and more. */
static void
limit(Fixture *f, uint64_t in, uint64_t out)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    Device *dev = f->guest->dev;

    vmm_msg_put_bool(request, "bandwidth", true);
    vmm_msg_put_u64(request, "in-rate", in);
    vmm_msg_put_u64(request, "out-rate", out);
    g_assert_true(dev->class->tell(dev, request, reply, NULL));
}

static void
quit(void *data, uint32_t events)
{
    loop_quit(data);
}

/* Long enough for the card's own timer. */
static void
settle_for_a_while(Fixture *f)
{
    Loop *loop = f->guest->test->board.loop;
    LoopSource *timer = loop_add_timer(loop, quit, loop);

    loop_timer_set(timer, 50);
    loop_run(loop);
    loop_source_free(timer);
}

static void
test_bandwidth_out(Fixture *f, const void *data)
{
    limit(f, 0, 1);
    for (unsigned i = 0; i < 5; i++)
        g_assert_true(guest_sends(f, 60 + i, i));
    guest_kick(f->guest, TX);
    settle_for_a_while(f);
    check_wire(f, 60, 0);
    check_wire_empty(f);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 1);
    guest_kick(f->guest, TX); /* changes nothing */
    settle_for_a_while(f);
    check_wire_empty(f);
    g_assert_true(wire_put(f, 60, 9)); /* the other way is open */
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    net_settle(f);
    check_received(f, 60, 9, 1);
    /* More of it lets one more pass, and no limit all of them, in order. */
    limit(f, 0, 2);
    settle_for_a_while(f);
    check_wire(f, 61, 1);
    check_wire_empty(f);
    limit(f, 0, 0);
    settle_for_a_while(f);
    for (unsigned i = 2; i < 5; i++)
        check_wire(f, 60 + i, i);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 4);
}

static void
test_bandwidth_in(Fixture *f, const void *data)
{
    limit(f, 1, 0);
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    for (unsigned i = 0; i < 5; i++)
        g_assert_true(wire_put(f, 60 + i, i));
    settle_for_a_while(f);
    check_received(f, 60, 0, 1);
    check_nothing_received(f);
    guest_kick(f->guest, RX); /* changes nothing */
    g_assert_true(wire_put(f, 65, 5));
    settle_for_a_while(f);
    check_nothing_received(f);
    /* A pause leaves all of it where it is. */
    f->guest->dev->class->pause(f->guest->dev);
    f->guest->dev->class->resume(f->guest->dev);
    settle_for_a_while(f);
    check_nothing_received(f);
    limit(f, 0, 0);
    settle_for_a_while(f);
    for (unsigned i = 1; i < 6; i++)
        check_received(f, 60 + i, i, 1);
    check_nothing_received(f);
}

/* Header and frame in pieces as no driver cuts them: the header's end lies within a piece, as its beginning. */
static void
test_send_pieces(Fixture *f, const void *data)
{
    static const unsigned sizes[] = { 1, 5, 10, 1, 44, 11 };
    g_autoptr(GByteArray) frame = frame_new(60, 9);
    uint64_t buffer = guest_alloc(f->guest, 256), table = f->guest->queues[TX].desc;
    unsigned at = 0, i;

    memcpy(guest_memory(f->guest, buffer + 12, 60), frame->data, 60);
    for (i = 0; i < G_N_ELEMENTS(sizes); i++) {
        bool last = i + 1 == G_N_ELEMENTS(sizes);

        guest_desc(f->guest, table, i, buffer + at, sizes[i], last ? 0 : DESC_NEXT, i + 1);
        at += sizes[i];
    }
    g_assert_cmpuint(at, ==, 72);
    guest_offer(f->guest, TX, 0);
    guest_kick(f->guest, TX);
    check_wire(f, 60, 9);
}

/* What does not fit into the wire waits in the guest's memory, and half a frame is followed by its rest. */
static void
test_send_waits(Fixture *f, const void *data)
{
    unsigned n = 0, n_read = 0;

    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        g_assert_true(guest_sends(f, 20000, i));
    guest_kick(f->guest, TX);
    n = net_guest_reclaim(f->net);
    g_assert_cmpuint(n, >, 0);
    g_assert_cmpuint(n, <, NET_GUEST_SLOTS);
    guest_kick(f->guest, TX); /* changes nothing */
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 0);
    while (n_read < NET_GUEST_SLOTS)
        check_wire(f, 20000, n_read++);
    net_settle(f);
    check_wire_empty(f);
    g_assert_cmpuint(n + net_guest_reclaim(f->net), ==, NET_GUEST_SLOTS);
    g_assert_true(guest_sends(f, 100, 1));
    guest_kick(f->guest, TX);
    check_wire(f, 100, 1);
}

static uint16_t *
used_flags(Fixture *f, unsigned queue)
{
    return guest_memory(f->guest, f->guest->queues[queue].device, 2);
}

/* When all that waited has gone the card has nothing to do, though a packet waits for the guest's buffers: it does not even
 * look at the queue, which would put the flags there in order. */
static void
test_send_rests(Fixture *f, const void *data)
{
    g_assert_true(wire_put(f, 100, 1));
    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        g_assert_true(guest_sends(f, 20000, i));
    guest_kick(f->guest, TX);
    net_settle(f);
    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        check_wire(f, 20000, i);
    net_settle(f);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, NET_GUEST_SLOTS);
    *used_flags(f, TX) = 0xbeef;
    net_settle(f);
    g_assert_cmphex(*used_flags(f, TX), ==, 0xbeef);
}

/* A pause while half a frame is out. */
static void
test_send_over_pause(Fixture *f, const void *data)
{
    const DeviceClass *class = f->guest->dev->class;

    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        g_assert_true(guest_sends(f, 30001, i));
    guest_kick(f->guest, TX);
    class->pause(f->guest->dev);
    class->resume(f->guest->dev);
    net_settle(f);
    for (unsigned i = 0; i < NET_GUEST_SLOTS; i++)
        check_wire(f, 30001, i);
    net_settle(f);
    check_wire_empty(f);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, NET_GUEST_SLOTS);
}

/* Too short, too long, or with work for a network that has no header to net_tell it of. */
static void
test_send_nonsense(Fixture *f, const void *data)
{
    static const NetHeader headers[] = {
        { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM },
        { .gso_type = VIRTIO_NET_HDR_GSO_TCPV4 },
        { .gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN },
        { .gso_type = VIRTIO_NET_HDR_GSO_UDP },
        { .gso_type = VIRTIO_NET_HDR_GSO_ECN },
        { .gso_type = 77 },
    };
    g_autoptr(GByteArray) frame = frame_new(66000, 0);

    for (unsigned i = 0; i < G_N_ELEMENTS(headers); i++)
        g_assert_true(net_guest_send(f->net, &headers[i], frame->data, 100));
    g_assert_true(net_guest_send(f->net, &(NetHeader){ 0 }, frame->data, 13));
    g_assert_true(net_guest_send(f->net, &(NetHeader){ 0 }, frame->data, 0));
    g_assert_true(net_guest_send(f->net, &(NetHeader){ 0 }, frame->data, 66000));
    g_assert_true(net_guest_send(f->net, &(NetHeader){ 0 }, frame->data, 65540));
    guest_kick(f->guest, TX);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, G_N_ELEMENTS(headers) + 4);
    check_wire_empty(f);
    g_assert_cmpuint(net_tell(f, "tx-dropped"), ==, G_N_ELEMENTS(headers) + 4);
    g_assert_false(net_is_broken(f));
}

static void
test_send_breaks(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, 64);

    guest_desc(f->guest, f->guest->queues[TX].desc, 0, buffer, data ? 11 : 64,
               data ? 0 : DESC_WRITE, 0);
    guest_offer(f->guest, TX, 0);
    guest_kick(f->guest, TX);
    g_assert_true(net_is_broken(f));
}

/* Receiving */

static void
test_receive(Fixture *f, const void *data)
{
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    check_nothing_received(f);
    for (unsigned i = 0; i < 10; i++)
        g_assert_true(wire_put(f, 60 + i, i));
    net_settle(f);
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_VECTOR(RX)), ==, 1);
    for (unsigned i = 0; i < 10; i++)
        check_received(f, 60 + i, i, 1);
    check_nothing_received(f);
    g_assert_cmpuint(net_tell(f, "rx-packets"), ==, 10);
    g_assert_cmpuint(net_tell(f, "rx-bytes"), ==, 645);
}

/* 12 bytes of header and the frame over buffers of 1024 bytes. */
static void
test_receive_merged(Fixture *f, const void *data)
{
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(wire_put(f, 1012, 1));
    g_assert_true(wire_put(f, 1013, 2));
    g_assert_true(wire_put(f, 65535 - 9000, 3));
    g_assert_true(wire_put(f, 14, 4));
    net_settle(f);
    check_received(f, 1012, 1, 1);
    check_received(f, 1013, 2, 2);
    check_received(f, 65535 - 9000, 3, 56);
    check_received(f, 14, 4, 1);
}

/* Without MRG_RXBUF a frame that is longer than a buffer is lost, and only that one. */
static void
test_receive_unmerged(Fixture *f, const void *data)
{
    net_prepare(f);
    guest_start(f->guest, FEATURE(MAC));
    f->net = net_guest_new(f->guest, 0, 1024, 2048);
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(wire_put(f, 1013, 1));
    g_assert_true(wire_put(f, 1012, 2));
    net_settle(f);
    check_received(f, 1012, 2, 1);
    check_nothing_received(f);
    g_assert_cmpuint(net_tell(f, "rx-dropped"), ==, 1);
}

/* A guest that gives no buffers fills the wire, not our memory; then nothing is lost. */
static void
test_receive_waits(Fixture *f, const void *data)
{
    unsigned n = 0, n_got = 0;

    for (bool full = false; !full; net_settle(f)) {
        for (full = true; wire_put(f, 1000, n); full = false)
            n++;
    }
    check_nothing_received(f);
    g_assert_cmpuint(n, >, NET_GUEST_SLOTS);
    g_assert_cmpuint(n, <, 2000); /* 128 KiB here, and the socket's own */
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    while (n_got < n) {
        for (unsigned i = 0; i < NET_GUEST_SLOTS && n_got < n; i++)
            check_received(f, 1000, n_got++, 1);
        guest_kick(f->guest, RX);
    }
    check_nothing_received(f);
}

/* Buffers that come one by one: a packet needs three, and is told with the third. The driver is asked to
 * kick for each, by event index or by flag. */
static void
test_receive_starved(Fixture *f, const void *data)
{
    net_prepare(f);
    guest_start(f->guest, data ? UINT64_MAX : UINT64_MAX & ~(1ull << VIRTIO_F_EVENT_IDX));
    f->net = net_guest_new(f->guest, 0, 1024, 2048);
    g_assert_true(wire_put(f, 3000, 5));
    net_settle(f);
    for (unsigned i = 0; i < 3; i++) {
        GuestQueue *queue = &f->guest->queues[RX];
        uint16_t flags, event;

        memcpy(&flags, guest_memory(f->guest, queue->device, 2), 2);
        memcpy(&event, guest_memory(f->guest, queue->device + 4 + queue->size * 8, 2), 2);
        if (data)
            g_assert_cmpuint(event, ==, i);
        else
            g_assert_cmpuint(flags, ==, 0);
        check_nothing_received(f);
        net_guest_offer(f->net, i);
        guest_kick(f->guest, RX);
    }
    check_received(f, 3000, 5, 3);
}

static void
test_receive_over_pause(Fixture *f, const void *data)
{
    const DeviceClass *class = f->guest->dev->class;

    g_assert_true(wire_put(f, 3000, 5));
    net_settle(f);
    class->pause(f->guest->dev);
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    check_nothing_received(f);
    class->resume(f->guest->dev);
    net_settle(f);
    check_received(f, 3000, 5, 3);
}

/* Every buffer of the ring together does not hold it: it is dropped, and what comes next is not. */
static void
test_receive_too_long(Fixture *f, const void *data)
{
    net_prepare(f);
    g_assert_true(guest_negotiate(f->guest, UINT64_MAX));
    guest_setup_queue(f->guest, RX, 8);
    guest_driver_ok(f->guest);
    f->net = net_guest_new(f->guest, 0, 1024, 2048);
    for (unsigned i = 0; i < 8; i++)
        net_guest_offer(f->net, i);
    guest_kick(f->guest, RX);
    g_assert_true(wire_put(f, 8181, 1));
    g_assert_true(wire_put(f, 8180, 2));
    net_settle(f);
    check_received(f, 8180, 2, 8);
    check_nothing_received(f);
}

static void
test_receive_breaks(Fixture *f, const void *data)
{
    uint64_t buffer = guest_alloc(f->guest, 64);

    guest_desc(f->guest, f->guest->queues[RX].desc, 0, buffer, data ? 11 : 64,
               data ? DESC_WRITE : 0, 0);
    guest_offer(f->guest, RX, 0);
    guest_kick(f->guest, RX);
    g_assert_false(net_is_broken(f));
    g_assert_true(wire_put(f, 60, 0));
    net_settle(f);
    g_assert_true(net_is_broken(f));
    guest_reset(f->guest);
    guest_start(f->guest, UINT64_MAX);
    net_settle(f);
    net_guest_offer(f->net, 0);
    guest_kick(f->guest, RX);
    check_received(f, 60, 0, 1);
}

/* The cable */

static void
test_link(Fixture *f, const void *data)
{
    net_guest_offer_all(f->net);
    guest_kick(f->guest, RX);
    g_assert_true(net_tell_link(f, true)); /* as it was */
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 0);
    g_assert_true(net_tell_link(f, false));
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 1);
    g_assert_cmpuint(read_config16(f, 6), ==, 0);
    g_assert_true(wire_put(f, 60, 1));
    g_assert_true(guest_sends(f, 60, 2));
    guest_kick(f->guest, TX);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 1);
    check_wire_empty(f);
    g_assert_true(net_tell_link(f, true));
    g_assert_cmpuint(read_config16(f, 6), ==, VIRTIO_NET_S_LINK_UP);
    g_assert_true(wire_put(f, 60, 3));
    net_settle(f);
    check_received(f, 60, 3, 1);
    check_nothing_received(f);
}

static void
test_network_ends(Fixture *f, const void *data)
{
    static const uint8_t lengths[][4] = { { 0, 0, 0, 13 },
                                          { 0, 1, 0, 15 },
                                          { 255, 255, 255, 255 } };

    if (data)
        g_assert_cmpint(send(f->wire, lengths[GPOINTER_TO_UINT(data) - 1], 4, 0), ==, 4);
    else
        g_assert_cmpint(shutdown(f->wire, SHUT_RDWR), ==, 0);
    net_settle(f);
    g_assert_cmpuint(read_config16(f, 6), ==, 0);
    g_assert_cmpuint(test_board_take_msi(f->guest->test, GUEST_CONFIG_MSI), ==, 1);
    g_assert_false(net_tell_link(f, true));
    g_assert_true(guest_sends(f, 60, 2));
    guest_kick(f->guest, TX);
    g_assert_cmpuint(net_guest_reclaim(f->net), ==, 1);
}

/* With a thread of its own, as guests have it. */
static void
test_thread(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    Fixture f;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_u64(params, "mtu", 9000);
    vmm_msg_put_bool(params, "link", false);
    vmm_msg_put_fd(params, "fd0", fds[0]);
    f.wire = fds[1];
    f.guest = virtio_guest_new(params, 16 * MIB);
    g_assert_cmpuint(read_config16(&f, 6), ==, 0);
    g_assert_cmpuint(read_config16(&f, 10), ==, 9000);
    g_assert_true(guest_negotiate(f.guest, UINT64_MAX));
    for (unsigned i = 0; i < 3; i++)
        guest_setup_queue(f.guest, i, 0);
    guest_driver_ok(f.guest);
    f.net = net_guest_new(f.guest, 0, 2048, 2048);
    /* Also waits for the thread to have started the device. */
    g_assert_true(net_tell_link(&f, true));
    for (unsigned i = 0; i < 20; i++) {
        g_assert_true(guest_sends(&f, 1000, i));
        guest_kick(f.guest, TX);
        check_wire(&f, 1000, i); /* the wire blocks */
    }
    g_assert_cmpuint(net_tell(&f, "tx-packets"), ==, 20);
    virtio_guest_free(f.guest);
    g_free(f.net);
    close(f.wire);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(path, test)                                                                           \
    g_test_add("/virtio-net/" path, Fixture, NULL, net_set_up, test, net_tear_down)
#define CASE_WITH(path, test, data)                                                                \
    g_test_add("/virtio-net/" path, Fixture, GUINT_TO_POINTER(data), net_set_up, test,             \
               net_tear_down)
#define CASE_BARE(path, test, data)                                                                \
    g_test_add("/virtio-net/" path, Fixture, GUINT_TO_POINTER(data), NULL, test, net_tear_down)
    CASE("configuration", test_configuration);
    g_test_add_func("/virtio-net/bad-parameters", test_bad_parameters);
    CASE("send/frames", test_send);
    CASE("send/pieces", test_send_pieces);
    CASE("send/waits", test_send_waits);
    CASE("send/rests", test_send_rests);
    CASE("send/bandwidth", test_bandwidth_out);
    CASE("receive/bandwidth", test_bandwidth_in);
    CASE("send/over-pause", test_send_over_pause);
    CASE("send/nonsense", test_send_nonsense);
    CASE_WITH("send/breaks-writable", test_send_breaks, 0);
    CASE_WITH("send/breaks-short", test_send_breaks, 1);
    CASE("receive/frames", test_receive);
    CASE("receive/merged", test_receive_merged);
    CASE_BARE("receive/unmerged", test_receive_unmerged, 0);
    CASE("receive/waits", test_receive_waits);
    CASE_BARE("receive/starved", test_receive_starved, 0);
    CASE_BARE("receive/starved-event-index", test_receive_starved, 1);
    CASE("receive/over-pause", test_receive_over_pause);
    CASE_BARE("receive/too-long", test_receive_too_long, 0);
    CASE_WITH("receive/breaks-readable", test_receive_breaks, 0);
    CASE_WITH("receive/breaks-short", test_receive_breaks, 1);
    CASE("link", test_link);
    CASE_WITH("network-ends/closed", test_network_ends, 0);
    CASE_WITH("network-ends/short", test_network_ends, 1);
    CASE_WITH("network-ends/long", test_network_ends, 2);
    CASE_WITH("network-ends/negative", test_network_ends, 3);
    g_test_add_func("/virtio-net/thread", test_thread);
    return g_test_run();
}
