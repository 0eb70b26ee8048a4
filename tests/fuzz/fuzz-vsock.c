/* Fuzz target: a guest's driver of streams, a broker, and clients on the host, that do anything. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <linux/virtio_vsock.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CID    3
#define N_ENDS 4
#define BYTES  65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Host {
    VirtioGuest *guest;
    struct sockaddr_un address;
    int broker;
    int ends[N_ENDS]; /* of streams; -1: none */
} Host;

static void
leave(Host *host, unsigned i)
{
    if (host->ends[i] >= 0)
        close(host->ends[i]);
    host->ends[i] = -1;
}

static void
come(Host *host, unsigned i, unsigned port)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "CONNECT %u\n", port);

    leave(host, i);
    host->ends[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(host->ends[i], (struct sockaddr *)&host->address, sizeof(host->address)) < 0)
        leave(host, i);
    else
        send(host->ends[i], text, n, MSG_NOSIGNAL);
}

/* Answers what the guest asked for, with a stream or without. */
static void
broke(Host *host, unsigned i, bool accept)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = { 0 };
    VsockBrokerRequest request;
    struct iovec iov = { &request, sizeof(request) };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int ends[2];

    if (recv(host->broker, &request, sizeof(request), 0) != sizeof(request))
        return;
    if (accept && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0) {
        msg.msg_control = &control;
        msg.msg_controllen = sizeof(control);
        control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.align), &ends[1], sizeof(int));
        leave(host, i);
        host->ends[i] = ends[0];
        sendmsg(host->broker, &msg, MSG_NOSIGNAL);
        close(ends[1]);
    } else {
        sendmsg(host->broker, &msg, MSG_NOSIGNAL);
    }
}

/* A packet with a header that makes sense, and a buffer for an answer. */
static void
send_packet(Host *host, const uint8_t *step)
{
    const uint64_t packet = 0x200000, answer = 0x300000;
    VirtioGuest *guest = host->guest;
    struct virtio_vsock_hdr hdr = {
        .src_cid = GUINT64_TO_LE(CID),
        .dst_cid = GUINT64_TO_LE(2),
        .src_port = GUINT32_TO_LE(step[3] & 3),
        .dst_port = GUINT32_TO_LE(step[3] & 4 ? 9 : 0x40000000u + (step[3] >> 5)),
        .len = GUINT32_TO_LE(step[4] << 8),
        .type = GUINT16_TO_LE(1),
        .op = GUINT16_TO_LE(step[5] % 9),
        .flags = GUINT32_TO_LE(step[2] & 3),
        .buf_alloc = GUINT32_TO_LE(step[6] << 10),
        .fwd_cnt = GUINT32_TO_LE(step[7]),
    };

    memcpy(guest_memory(guest, packet, sizeof(hdr)), &hdr, sizeof(hdr));
    guest_desc(guest, guest->queues[1].desc, 0, packet, sizeof(hdr) + (step[4] << 8), 0, 0);
    guest_desc(guest, guest->queues[0].desc, 0, answer, 4096, DESC_WRITE, 0);
    guest_offer(guest, 0, 0);
    guest_offer(guest, 1, 0);
    guest_kick(guest, 0);
    guest_kick(guest, 1);
}

static void
host_step(void *data, const uint8_t *step)
{
    static uint8_t bytes[BYTES];
    unsigned i = step[2] % N_ENDS, value = step[6] << 8 | step[7];
    Host *host = data;

    switch (step[1] % 10) {
    case 0:
        come(host, i, value % 4);
        break;
    case 1:
        leave(host, i);
        break;
    case 2:
        send(host->ends[i], bytes, value % BYTES, MSG_NOSIGNAL);
        break;
    case 3:
        recv(host->ends[i], bytes, sizeof(bytes), 0);
        break;
    case 4:
        broke(host, i, value % 4);
        break;
    case 5:
        shutdown(host->ends[i], value % 3);
        break;
    case 6:
        send(host->broker, bytes, value % 16, MSG_NOSIGNAL); /* no answer to anything */
        break;
    default:
        send_packet(host, step);
        break;
    }
    test_board_settle(host->guest->test);
}

/* No file: the name begins with a NUL. */
static int
listen_for(Host *host)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    host->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(host->address.sun_path + 1, sizeof(host->address.sun_path) - 1, "vmctl-fuzz-vsock-%d",
             (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)&host->address, sizeof(host->address)), ==, 0);
    g_assert_cmpint(listen(fd, N_ENDS), ==, 0);
    return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    Host host = { .ends = { -1, -1, -1, -1 } };
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), ==,
                    0);
    host.broker = ends[1];
    vmm_msg_put_string(params, "device", "vsock");
    vmm_msg_put_u64(params, "cid", CID);
    vmm_msg_put_fd(params, "fd", listen_for(&host));
    vmm_msg_put_fd(params, "broker", ends[0]);
    host.guest = virtio_guest_new(params, 4 << 20);
    guest_start(host.guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ host.guest, host_step, &host }, data, size);
    for (unsigned i = 0; i < N_ENDS; i++)
        leave(&host, i);
    close(host.broker);
    virtio_guest_free(host.guest);
    return 0;
}
