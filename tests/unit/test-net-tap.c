/* Two kernels' network stacks, each behind a tap and a network card; the test's drivers pass what one card
 * receives to the other, headers included, as a wire between the two would. What the stacks leave to the
 * hardware, checksums and segmentation, has to come through. Needs root for the network namespaces. */
#include "tests/unit/net-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB           ((uint64_t)1 << 20)
#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)
#define TRANSFER      (8 * MIB)
#define RX_SIZE       1536
#define TX_SIZE       (12 + 65550)
#define PATIENCE      60 /* s */

/* One side: a namespace with a tap, and the card on it. */
typedef struct Side {
    int namespace;
    int socket; /* lives in the namespace */
    VirtioGuest *guest;
    NetGuest *nets[2]; /* by pair */
    unsigned n_segmented, n_packets;
} Side;

typedef struct Fixture {
    int home;
    Side sides[2];
} Fixture;

static int
tap_open(const char *name, int flags)
{
    struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    g_assert_cmpint(ioctl(fd, TUNSETIFF, &request), ==, 0);
    return fd;
}

static struct sockaddr_in
address_of(unsigned side, uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(0x0a090001 + side),
                                 .sin_port = htons(port) };
}

static void
interface_up(const char *name, unsigned side)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = address_of(side, 0);
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    memcpy(&request.ifr_addr, &address, sizeof(address));
    g_assert_cmpint(ioctl(fd, SIOCSIFADDR, &request), ==, 0);
    address.sin_addr.s_addr = htonl(0xffffff00);
    memcpy(&request.ifr_netmask, &address, sizeof(address));
    g_assert_cmpint(ioctl(fd, SIOCSIFNETMASK, &request), ==, 0);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &request), ==, 0);
    close(fd);
}

static void
enter(int namespace)
{
    g_assert_cmpint(setns(namespace, CLONE_NEWNET), ==, 0);
}

static void
side_new(Side *side, unsigned i, unsigned pairs, uint64_t features)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
    side->namespace = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:00:00:01");
    vmm_msg_put_string(params, "backend", "tap");
    vmm_msg_put_u64(params, "queues", pairs);
    vmm_msg_put_bool(params, "thread", false);
    for (unsigned pair = 0; pair < pairs; pair++) {
        g_autofree char *key = g_strdup_printf("fd%u", pair);

        vmm_msg_put_fd(params, key,
                       tap_open("tap0", IFF_VNET_HDR | (pairs > 1 ? IFF_MULTI_QUEUE : 0)));
    }
    interface_up("tap0", i);
    side->socket = -1;
    side->guest = virtio_guest_new(params, 64 * MIB);
    guest_start(side->guest, features);
    for (unsigned pair = 0; pair < pairs; pair++) {
        side->nets[pair] = net_guest_new(side->guest, pair, RX_SIZE, TX_SIZE);
        net_guest_offer_all(side->nets[pair]);
        guest_kick(side->guest, 2 * pair);
    }
}

static void
side_free(Side *side)
{
    virtio_guest_free(side->guest);
    for (unsigned i = 0; i < G_N_ELEMENTS(side->nets); i++)
        g_free(side->nets[i]);
    if (side->socket >= 0)
        close(side->socket);
    close(side->namespace);
}

static void
set_up_with(Fixture *f, unsigned pairs, uint64_t features)
{
    f->home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    for (unsigned i = 0; i < 2; i++)
        side_new(&f->sides[i], i, pairs, features);
}

static void
tear_down(Fixture *f)
{
    for (unsigned i = 0; i < 2; i++)
        side_free(&f->sides[i]);
    enter(f->home);
    close(f->home);
}

/* Passes packets from one card to the other, as long as that has room. */
static unsigned
forward(Side *from, Side *to, unsigned pair)
{
    NetGuest *in = from->nets[pair], *out = to->nets[0];
    unsigned n = 0;

    if (!in)
        return 0;
    net_guest_reclaim(out);
    while (out->n_tx_busy < NET_GUEST_SLOTS) {
        NetHeader header;
        g_autoptr(GByteArray) packet = net_guest_receive(in, &header, true);

        if (!packet)
            break;
        header.flags &= ~VIRTIO_NET_HDR_F_DATA_VALID; /* a word to receivers only */
        g_assert_true(net_guest_send(out, &header, packet->data, packet->len));
        from->n_segmented += header.gso_type != VIRTIO_NET_HDR_GSO_NONE;
        n++;
    }
    if (n > 0) {
        guest_kick(from->guest, 2 * pair);
        guest_kick(to->guest, 1);
    }
    from->n_packets += n;
    return n;
}

static void
pump(Fixture *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < 2; i++) {
        test_board_settle(f->sides[i].guest->test);
        for (unsigned pair = 0; pair < 2; pair++)
            n += forward(&f->sides[i], &f->sides[1 - i], pair);
    }
    if (n == 0)
        g_usleep(500);
}

static int
open_socket(Fixture *f, unsigned side, int type, int protocol)
{
    int fd;

    enter(f->sides[side].namespace);
    fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static uint16_t
checksum(const void *bytes, size_t size)
{
    const uint16_t *words = bytes;
    uint32_t sum = 0;

    for (size_t i = 0; i < size / 2; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return ~((sum & 0xffff) + (sum >> 16));
}

/* A ping from side 0, which the kernel of side 1 answers. */
static void
test_ping(Fixture *f, gconstpointer data)
{
    struct {
        struct icmphdr header;
        uint8_t text[48];
    } echo = { .header = { .type = ICMP_ECHO, .un.echo = { 77, 1 } }, .text = "vmctl" };
    struct sockaddr_in to = address_of(1, 0);
    uint8_t packet[256];
    ssize_t n = -1;
    int fd;

    set_up_with(f, 1, UINT64_MAX);
    fd = open_socket(f, 0, SOCK_RAW, IPPROTO_ICMP);
    echo.header.checksum = checksum(&echo, sizeof(echo));
    g_assert_cmpint(sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)&to, sizeof(to)), ==,
                    sizeof(echo));
    for (gint64 end = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
         n < 0 && g_get_monotonic_time() < end;) {
        pump(f);
        n = recv(fd, packet, sizeof(packet), 0);
    }
    g_assert_cmpint(n, ==, 20 + sizeof(echo));
    g_assert_cmpint(((struct icmphdr *)(packet + 20))->type, ==, ICMP_ECHOREPLY);
    g_assert_cmpmem(packet + 28, 48, echo.text, 48);
    close(fd);
    tear_down(f);
}

/* What byte @at of the transfer is. */
static uint8_t
byte_at(uint64_t at)
{
    return at * 2654435761u >> 13;
}

static uint64_t
push(int fd, uint64_t done)
{
    static uint8_t bytes[65536];
    size_t size = MIN(sizeof(bytes), TRANSFER - done);
    ssize_t n;

    for (size_t i = 0; i < size; i++)
        bytes[i] = byte_at(done + i);
    n = send(fd, bytes, size, MSG_NOSIGNAL);
    g_assert_true(n > 0 || size == 0 || errno == EAGAIN || errno == EINPROGRESS ||
                  errno == ENOTCONN);
    return n > 0 ? done + n : done;
}

static uint64_t
pull(int fd, uint64_t done)
{
    static uint8_t bytes[65536];
    ssize_t n;

    while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            g_assert_cmphex(bytes[i], ==, byte_at(done + i));
        done += n;
    }
    return done;
}

/* TCP from side 0 to side 1. */
static void
transfer(Fixture *f)
{
    gint64 end = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
    static uint16_t port = 5000;
    struct sockaddr_in to = address_of(1, port++); /* the last one may be in TIME_WAIT */
    int listener = open_socket(f, 1, SOCK_STREAM, 0), in = -1, out;
    uint64_t sent = 0, got = 0;

    g_assert_cmpint(bind(listener, (struct sockaddr *)&to, sizeof(to)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    out = open_socket(f, 0, SOCK_STREAM, 0);
    connect(out, (struct sockaddr *)&to, sizeof(to));
    while (got < TRANSFER && g_get_monotonic_time() < end) {
        if (in < 0)
            in = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        else
            sent = push(out, sent);
        pump(f);
        if (in >= 0)
            got = pull(in, got);
    }
    g_assert_cmpuint(got, ==, TRANSFER);
    close(out);
    close(in);
    close(listener);
}

/* With everything negotiated the stack on one side leaves segments to the hardware, that is, to the stack on
 * the other side; with nothing each packet is one that an old Ethernet could carry. */
static void
test_tcp(Fixture *f, gconstpointer with_offloads)
{
    set_up_with(f, 1, with_offloads ? UINT64_MAX : FEATURE(MAC) | FEATURE(MRG_RXBUF));
    transfer(f);
    g_test_message("%u packets, %u of them to be segmented", f->sides[0].n_packets,
                   f->sides[0].n_segmented);
    if (with_offloads)
        g_assert_cmpuint(f->sides[0].n_segmented, >, 50);
    else
        g_assert_cmpuint(f->sides[0].n_segmented, ==, 0);
    tear_down(f);
}

static uint8_t
set_pairs(VirtioGuest *guest, uint16_t n)
{
    uint64_t buffer = guest_alloc(guest, 8), table = guest->queues[4].desc;
    uint8_t *at = guest_memory(guest, buffer, 8);
    uint32_t head, len;

    memcpy(at, (uint8_t[]){ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, n, n >> 8, 0xff },
           5);
    guest_desc(guest, table, 0, buffer, 4, DESC_NEXT, 1);
    guest_desc(guest, table, 1, buffer + 4, 1, DESC_WRITE, 0);
    guest_offer(guest, 4, 0);
    guest_kick(guest, 4);
    g_assert_true(guest_take_used(guest, 4, &head, &len));
    return at[4];
}

/* Flows go to all queues that are on, and to none that is off. */
static void
test_pairs(Fixture *f, gconstpointer data)
{
    NetGuest *second;

    set_up_with(f, 2, UINT64_MAX);
    second = f->sides[0].nets[1];
    g_assert_cmpuint(mmio_read(f->sides[0].guest->test, f->sides[0].guest->device + 8, 2), ==, 2);
    g_assert_cmpint(set_pairs(f->sides[0].guest, 0), ==, VIRTIO_NET_ERR);
    g_assert_cmpint(set_pairs(f->sides[0].guest, 3), ==, VIRTIO_NET_ERR);
    transfer(f);
    g_assert_cmpuint(second->guest->queues[2].used, ==, 0);
    for (unsigned i = 0; i < 2; i++)
        g_assert_cmpint(set_pairs(f->sides[i].guest, 2), ==, VIRTIO_NET_OK);
    for (unsigned i = 0; i < 8; i++) { /* a flow has its queue by the hash of its ports */
        int fd = open_socket(f, 0, SOCK_DGRAM, 0);
        struct sockaddr_in to = address_of(1, 6000 + i);

        for (unsigned k = 0; k < 4; k++) {
            sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
            pump(f);
        }
        close(fd);
    }
    g_assert_cmpuint(second->guest->queues[2].used, >, 0);
    transfer(f);
    g_assert_cmpint(set_pairs(f->sides[0].guest, 1), ==, VIRTIO_NET_OK);
    transfer(f);
    tear_down(f);
}

/* Over a pause nothing is lost but time. */
static void
test_pause(Fixture *f, gconstpointer data)
{
    set_up_with(f, 1, UINT64_MAX);
    transfer(f);
    for (unsigned i = 0; i < 2; i++) {
        f->sides[i].guest->dev->class->pause(f->sides[i].guest->dev);
        f->sides[i].guest->dev->class->resume(f->sides[i].guest->dev);
    }
    transfer(f);
    g_assert_cmpuint(f->sides[0].n_segmented, >, 50);
    tear_down(f);
}

/* A tap that goes takes the link with it. */
static void
test_tap_goes(Fixture *f, gconstpointer data)
{
    set_up_with(f, 1, UINT64_MAX);
    enter(f->sides[0].namespace);
    g_assert_cmpint(system("ip link delete tap0"), ==, 0);
    test_board_settle(f->sides[0].guest->test);
    g_assert_cmpuint(mmio_read(f->sides[0].guest->test, f->sides[0].guest->device + 6, 2), ==, 0);
    tear_down(f);
}

/* A tap without the header, and what is no tap. */
static void
test_bad_taps(Fixture *f, gconstpointer data)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    VirtioDevice *vdev = g_malloc0(virtio_class_find("net")->size);
    TestBoard *test = test_board_new(loop_new());
    Device dev = { .id = (char *)"net0", .board = &test->board };

    g_assert_cmpint(unshare(CLONE_NEWNET), ==, 0);
    for (unsigned i = 0; i < 2; i++) {
        vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
        VmmError err = { 0 };

        vmm_msg_put_string(params, "mac", "52:54:00:00:00:01");
        vmm_msg_put_string(params, "backend", "tap");
        vmm_msg_put_bool(params, "thread", false);
        vmm_msg_put_fd(params, "fd",
                       i ? tap_open("tap1", 0) : open("/dev/null", O_RDWR | O_CLOEXEC));
        memset(vdev, 0, virtio_class_find("net")->size);
        *vdev = (VirtioDevice){ .class = virtio_class_find("net"), .dev = &dev };
        g_assert_false(vdev->class->create(vdev, params, &err));
        g_assert_nonnull(strstr(err.text, "tap"));
        vdev->class->destroy(vdev);
    }
    g_free(vdev);
    loop_free(test->board.loop);
    test_board_free(test);
    enter(home);
    close(home);
}

static bool
can_run(void)
{
    int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), tun;

    if (home < 0 || unshare(CLONE_NEWNET) < 0)
        return false;
    tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    enter(home);
    close(home);
    if (tun >= 0)
        close(tun);
    return tun >= 0;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!can_run()) {
        g_print("1..0 # SKIP network namespaces and taps need root and /dev/net/tun\n");
        return 0;
    }
#define CASE(path, test, data)                                                                     \
    g_test_add("/net-tap/" path, Fixture, GUINT_TO_POINTER(data), NULL, test, NULL)
    CASE("bad-taps", test_bad_taps, 0);
    CASE("ping", test_ping, 0);
    CASE("tcp", test_tcp, 0);
    CASE("tcp-offloads", test_tcp, 1);
    CASE("pairs", test_pairs, 0);
    CASE("pause", test_pause, 0);
    CASE("tap-goes", test_tap_goes, 0);
    return g_test_run();
}
