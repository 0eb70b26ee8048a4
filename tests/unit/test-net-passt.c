/* A guest's network card on a genuine passt: the guest asks by DHCP for its address and by ARP for its
 * router's. passt takes them from the interface with the default route, so there is one, in a namespace of
 * its own. Needs root for that. */
#include "tests/unit/net-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB      ((uint64_t)1 << 20)
#define PATIENCE 60 /* s */

static const uint8_t mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t address[] = { 192, 168, 55, 2 }, router[] = { 192, 168, 55, 1 };

typedef struct Fixture {
    VirtioGuest *guest;
    NetGuest *net;
    pid_t passt;
} Fixture;

static void
run(const char *command)
{
    g_assert_cmpint(system(command), ==, 0);
}

/* The child inherits its end of the wire under the number that its command line says. */
static pid_t
start_passt(int fd)
{
    pid_t pid = fork();

    g_assert_cmpint(pid, >=, 0);
    if (pid > 0)
        return pid;
    dup2(fd, 3);
    execlp("passt", "passt", "-f", "-q", "-1", "-4", "-F", "3", NULL);
    _exit(127);
}

static void
set_up(Fixture *f, const void *data)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->passt = start_passt(fds[1]);
    close(fds[1]);
    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_fd(params, "fd", fds[0]);
    f->guest = virtio_guest_new(params, 16 * MIB);
    guest_start(f->guest, UINT64_MAX);
    f->net = net_guest_new(f->guest, 0, 1536, 2048);
    net_guest_offer_all(f->net);
    guest_kick(f->guest, 0);
}

static void
tear_down(Fixture *f, const void *data)
{
    virtio_guest_free(f->guest);
    g_free(f->net);
    kill(f->passt, SIGTERM);
    waitpid(f->passt, NULL, 0);
}

/* Sends @frame and returns the first answer of which @want is a part. */
static GByteArray *
ask(Fixture *f, const uint8_t *frame, size_t size, const uint8_t *want, size_t want_size)
{
    gint64 end = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;
    NetHeader header = { 0 };

    g_assert_true(net_guest_send(f->net, &header, frame, size));
    guest_kick(f->guest, 1);
    while (g_get_monotonic_time() < end) {
        GByteArray *packet;

        while ((packet = net_guest_receive(f->net, &header, true))) {
            if (memmem(packet->data, packet->len, want, want_size))
                return packet;
            g_byte_array_unref(packet);
        }
        g_usleep(1000);
        test_board_settle(f->guest->test);
    }
    return NULL;
}

static void
test_arp(Fixture *f, const void *data)
{
    uint8_t frame[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x08, 0x06,
                          0,    1,    8,    0,    6,    4,    0,           1 };
    static const uint8_t reply[] = { 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 2 };
    g_autoptr(GByteArray) packet = NULL;

    memcpy(frame + 6, mac, 6);
    memcpy(frame + 22, mac, 6);
    memcpy(frame + 28, address, 4);
    memcpy(frame + 38, router, 4);
    packet = ask(f, frame, sizeof(frame), reply, sizeof(reply));
    g_assert_nonnull(packet);
    g_assert_cmpuint(packet->len, >=, 42);
    g_assert_cmpmem(packet->data, 6, mac, 6);
    g_assert_cmpmem(packet->data + 28, 4, router, 4);
}

static void
put_checksum(uint8_t *header, size_t size, size_t at)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i += 2)
        sum += header[i] << 8 | header[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16));
    header[at] = sum >> 8;
    header[at + 1] = sum;
}

/* RFC 2131: an offer (2) has the address at byte 16 of what follows the UDP header. */
static void
test_dhcp(Fixture *f, const void *data)
{
    static const uint8_t ip[] = { 0x45, 0, 1, 16, 0, 0, 0,   0,   64,  17,
                                  0,    0, 0, 0,  0, 0, 255, 255, 255, 255 };
    static const uint8_t udp[] = { 0, 68, 0, 67, 0, 252, 0, 0 };
    static const uint8_t options[] = { 99, 130, 83, 99, 53, 1, 1, 255 };
    static const uint8_t reply[] = { 2, 1, 6, 0, 'v', 'm', 'c', 't' };
    uint8_t frame[14 + 20 + 252] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 0x08, 0 };
    uint8_t *bootp = frame + 42;
    g_autoptr(GByteArray) packet = NULL;

    memcpy(frame + 6, mac, 6);
    memcpy(frame + 14, ip, sizeof(ip));
    put_checksum(frame + 14, 20, 10);
    memcpy(frame + 34, udp, sizeof(udp));
    memcpy(bootp, "\1\1\6\0vmct", 8);
    memcpy(bootp + 28, mac, 6);
    memcpy(bootp + 236, options, sizeof(options));
    packet = ask(f, frame, sizeof(frame), reply, sizeof(reply));
    g_assert_nonnull(packet);
    g_assert_cmpmem(packet->data + 42 + 16, 4, address, 4);
}

static void
test_end(Fixture *f, const void *data)
{
    gint64 end = g_get_monotonic_time() + PATIENCE * G_USEC_PER_SEC;

    g_assert_cmpint(kill(f->passt, SIGTERM), ==, 0);
    while (mmio_read(f->guest->test, f->guest->device + 6, 2) & VIRTIO_NET_S_LINK_UP &&
           g_get_monotonic_time() < end) {
        g_usleep(1000);
        test_board_settle(f->guest->test);
    }
    g_assert_cmpuint(mmio_read(f->guest->test, f->guest->device + 6, 2), ==, 0);
}

int
main(int argc, char **argv)
{
    g_autofree char *passt = g_find_program_in_path("passt");

    g_test_init(&argc, &argv, NULL);
    if (!passt || access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0) {
        g_print("1..0 # SKIP passt, or root to give it a network, is not there\n");
        return 0;
    }
    run("ip tuntap add dev up0 mode tap && ip address add 192.168.55.2/24 dev up0 && "
        "ip link set lo up && ip link set up0 up && ip route add default via 192.168.55.1");
    g_test_add("/net-passt/arp", Fixture, NULL, set_up, test_arp, tear_down);
    g_test_add("/net-passt/dhcp", Fixture, NULL, set_up, test_dhcp, tear_down);
    g_test_add("/net-passt/end", Fixture, NULL, set_up, test_end, tear_down);
    return g_test_run();
}
