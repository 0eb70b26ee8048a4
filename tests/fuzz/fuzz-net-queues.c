/* Fuzz target: a guest's driver of a network card with three pairs of queues, which it uses as it likes, and a tap
 * (fake-tap.c) whose packets have any header. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/net/packet.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS      3
#define CONTROL    (2 * PAIRS) /* the queue of commands */
#define PACKET_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Net {
    VirtioGuest *guest;
    int ends[PAIRS];
} Net;

/* A frame of IPv4 and TCP at first sight, and what the input makes of its header. */
static void
send_packet(Net *net, const uint8_t *step)
{
    uint8_t bytes[PACKET_MAX] = { 0 };
    struct virtio_net_hdr_v1 header = {
        .flags = step[3] & 7,
        .gso_type = step[3] >> 3,
        .hdr_len = step[4],
        .gso_size = step[5] << 4,
        .csum_start = step[4],
        .csum_offset = step[5],
    };
    size_t size = sizeof(header) + (step[6] | (step[7] & 0x0f) << 8);

    memcpy(bytes, &header, sizeof(header));
    memcpy(bytes + sizeof(header) + 12, (uint8_t[]){ 0x08, 0x00, 0x45 }, 3);
    bytes[sizeof(header) + 14 + 9] = step[7] & 0x80 ? 6 : 17;
    send(net->ends[step[2] % PAIRS], bytes, MIN(size, sizeof(bytes)), MSG_NOSIGNAL);
}

/* A command as drivers give it (5.1.6.5), with a class, a command and two bytes of the input's. */
static void
command(Net *net, const uint8_t *step)
{
    static const uint8_t known[][2] = {
        { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET },
        { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC },
        { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD },
        { VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET },
    };
    const uint64_t at = 0x300000;
    VirtioGuest *guest = net->guest;
    uint64_t table = guest->queues[CONTROL].desc;
    const uint8_t *which = step[2] & 0x80 ? step + 4 : known[step[2] % G_N_ELEMENTS(known)];

    memcpy(guest_memory(guest, at, 10),
           (uint8_t[]){ which[0], which[1], step[6], step[7], 0, 0, 0, 0, 0, 0 }, 10);
    guest_desc(guest, table, 0, at, 2, DESC_NEXT, 1);
    guest_desc(guest, table, 1, at + 2, which[0] == VIRTIO_NET_CTRL_MQ ? 2 : step[3] & 15,
               DESC_NEXT, 2);
    guest_desc(guest, table, 2, at + 64, 1, DESC_WRITE, 0);
    guest_offer(guest, CONTROL, 0);
    guest_kick(guest, CONTROL);
}

static void
tell_link(Net *net, bool up)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;

    vmm_msg_put_bool(request, "link", up);
    net->guest->dev->class->tell(net->guest->dev, request, reply, &err);
}

static void
host_step(void *data, const uint8_t *step)
{
    uint8_t bytes[PACKET_MAX];
    Net *net = data;

    switch (step[1] % 8) {
    case 0:
        recv(net->ends[step[2] % PAIRS], bytes, sizeof(bytes), MSG_DONTWAIT);
        break;
    case 1:
        tell_link(net, step[2] & 1);
        break;
    case 2:
        if (step[2] == 0)
            shutdown(net->ends[step[3] % PAIRS], SHUT_RDWR);
        break;
    case 3 ... 4:
        command(net, step);
        break;
    default:
        send_packet(net, step);
        break;
    }
    test_board_settle(net->guest->test);
}

static VmmMsg *
net_params(Net *net)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_u64(params, "queues", PAIRS);
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "tap");
    for (unsigned i = 0; i < PAIRS; i++) {
        char key[8];
        int ends[2];

        g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends),
                        ==, 0);
        net->ends[i] = ends[1];
        snprintf(key, sizeof(key), "fd%u", i);
        vmm_msg_put_fd(params, key, ends[0]);
    }
    return params;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Net net;

    net.guest = virtio_guest_new(net_params(&net), 4 << 20);
    g_assert_cmpuint(guest_get(net.guest, COMMON_NUM_QUEUES, 2), ==, CONTROL + 1);
    guest_start(net.guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ net.guest, host_step, &net }, data, size);
    virtio_guest_free(net.guest);
    for (unsigned i = 0; i < PAIRS; i++)
        close(net.ends[i]);
    return 0;
}
