#include "tests/unit/vsock-fixture.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/proto/vsock-broker.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* No file: the name begins with a NUL. */
int
vsock_listen(Fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    f->address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    snprintf(f->address.sun_path + 1, sizeof(f->address.sun_path) - 1, "vmctl-test-vsock-%d",
             (int)getpid());
    g_assert_cmpint(bind(fd, (struct sockaddr *)&f->address, sizeof(f->address)), ==, 0);
    g_assert_cmpint(listen(fd, 128), ==, 0);
    return fd;
}

void
vsock_offer(Fixture *f, unsigned i)
{
    guest_desc(f->guest, f->guest->queues[RX].desc, i, f->rx + i * BUFFER, BUFFER, DESC_WRITE, 0);
    guest_offer(f->guest, RX, i);
}

void
vsock_start(Fixture *f)
{
    guest_start(f->guest, UINT64_MAX);
    f->rx = guest_alloc(f->guest, N_RX * BUFFER);
    f->tx = guest_alloc(f->guest, 2 * BUFFER);
    for (unsigned i = 0; i < N_RX; i++)
        vsock_offer(f, i);
    guest_kick(f->guest, RX);
}

void
vsock_set_up_with(Fixture *f, bool broker)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    int ends[2] = { -1, -1 };

    vmm_msg_put_string(params, "device", "vsock");
    vmm_msg_put_u64(params, "cid", CID);
    vmm_msg_put_fd(params, "fd", vsock_listen(f));
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

void
vsock_set_up(Fixture *f, gconstpointer data)
{
    vsock_set_up_with(f, true);
    vsock_start(f);
}

void
vsock_tear_down(Fixture *f, gconstpointer data)
{
    virtio_guest_free(f->guest);
    if (f->broker >= 0)
        close(f->broker);
}

void
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

struct virtio_vsock_hdr
vsock_header(const Fixture *f, uint16_t op, uint32_t guest_port, uint32_t host_port)
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

void
say(Fixture *f, uint16_t op, uint32_t guest_port, uint32_t host_port, uint32_t flags)
{
    struct virtio_vsock_hdr hdr = vsock_header(f, op, guest_port, host_port);

    hdr.flags = GUINT32_TO_LE(flags);
    queue_packet(f, &hdr, NULL, 0);
    guest_kick(f->guest, TX);
}

void
write_guest(Fixture *f, uint32_t guest_port, uint32_t host_port, const void *data, uint32_t size)
{
    struct virtio_vsock_hdr hdr = vsock_header(f, VIRTIO_VSOCK_OP_RW, guest_port, host_port);

    hdr.len = GUINT32_TO_LE(size);
    queue_packet(f, &hdr, data, size);
    guest_kick(f->guest, TX);
}

gboolean
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
    vsock_offer(f, i);
    guest_kick(f->guest, RX);
    return TRUE;
}

void
expect(Fixture *f, Packet *ret, uint16_t op, uint32_t guest_port)
{
    g_assert_true(take_packet(f, ret));
    g_assert_cmpuint(ret->op, ==, op);
    g_assert_cmpuint(ret->guest_port, ==, guest_port);
}

void
expect_nothing(Fixture *f)
{
    Packet packet;

    g_assert_false(take_packet(f, &packet));
}

uint64_t
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

int
client_new(Fixture *f, const char *greeting)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&f->address, sizeof(f->address)), ==, 0);
    g_assert_cmpint(send(fd, greeting, strlen(greeting), 0), ==, strlen(greeting));
    test_board_settle(f->guest->test);
    return fd;
}

void
expect_text(int fd, const char *text)
{
    char got[256] = "";

    g_assert_cmpint(recv(fd, got, sizeof(got) - 1, 0), ==, strlen(text));
    g_assert_cmpstr(got, ==, text);
}

void
expect_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, 0);

    g_assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

uint32_t
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

void
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

int
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
