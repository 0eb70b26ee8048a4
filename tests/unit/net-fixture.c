#include "tests/unit/net-fixture.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const uint8_t net_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static VmmMsg *
net_params(int fd)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    if (fd >= 0)
        vmm_msg_put_fd(params, "fd", fd);
    return params;
}

void
net_prepare(Fixture *f)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_cmpint(fcntl(fds[1], F_SETFL, O_NONBLOCK), ==, 0);
    f->wire = fds[1];
    f->guest = virtio_guest_new(net_params(fds[0]), 16 * MIB);
    guest_enable_msix(f->guest);
}

void
net_set_up(Fixture *f, const void *data)
{
    net_prepare(f);
    guest_start(f->guest, UINT64_MAX & ~(1ull << VIRTIO_F_EVENT_IDX));
    f->net = net_guest_new(f->guest, 0, 1024, 70000);
}

void
net_tear_down(Fixture *f, const void *data)
{
    virtio_guest_free(f->guest);
    g_free(f->net);
    close(f->wire);
}

void
net_settle(Fixture *f)
{
    test_board_settle(f->guest->test);
}

/* A frame to the card, of @size bytes, each made of @seed. */
GByteArray *
frame_new(size_t size, uint8_t seed)
{
    GByteArray *frame = g_byte_array_sized_new(size);

    g_byte_array_append(frame, net_mac, sizeof(net_mac));
    g_byte_array_set_size(frame, size);
    for (size_t i = sizeof(net_mac); i < size; i++)
        frame->data[i] = seed + i * 7;
    frame->data[12] = 0x88; /* an Ethernet type that means nothing */
    return frame;
}

/* False where the wire is full. */
bool
wire_put(Fixture *f, size_t size, uint8_t seed)
{
    g_autoptr(GByteArray) frame = frame_new(size, seed);
    g_autofree uint8_t *bytes = g_malloc(4 + size);
    uint32_t length = GUINT32_TO_BE(size);
    ssize_t n;

    memcpy(bytes, &length, 4);
    memcpy(bytes + 4, frame->data, size);
    n = send(f->wire, bytes, 4 + size, MSG_NOSIGNAL);
    g_assert_true(n == (ssize_t)(4 + size) || (n < 0 && errno == EAGAIN));
    return n > 0;
}

static void
wire_read(Fixture *f, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(f->wire, (uint8_t *)to + done, size - done, 0);

        if (n < 0 && errno == EAGAIN) {
            net_settle(f);
            n = recv(f->wire, (uint8_t *)to + done, size - done, 0);
        }
        g_assert_cmpint(n, >, 0);
        done += n;
    }
}

void
check_wire(Fixture *f, size_t size, uint8_t seed)
{
    g_autoptr(GByteArray) frame = frame_new(size, seed);
    g_autofree uint8_t *bytes = g_malloc(size);
    uint32_t length;

    wire_read(f, &length, 4);
    g_assert_cmpuint(GUINT32_FROM_BE(length), ==, size);
    wire_read(f, bytes, size);
    g_assert_cmpmem(bytes, size, frame->data, size);
}

void
check_wire_empty(Fixture *f)
{
    char byte;

    g_assert_cmpint(recv(f->wire, &byte, 1, 0), ==, -1);
    g_assert_cmpint(errno, ==, EAGAIN);
}

bool
guest_sends(Fixture *f, size_t size, uint8_t seed)
{
    g_autoptr(GByteArray) frame = frame_new(size, seed);

    return net_guest_send(f->net, &(NetHeader){ 0 }, frame->data, size);
}

void
check_received(Fixture *f, size_t size, uint8_t seed, unsigned n_buffers)
{
    g_autoptr(GByteArray) frame = frame_new(size, seed);
    NetHeader header;
    g_autoptr(GByteArray) got = net_guest_receive(f->net, &header, true);

    g_assert_nonnull(got);
    g_assert_cmpuint(GUINT16_FROM_LE(header.num_buffers), ==, n_buffers);
    g_assert_cmpint(header.flags, ==, 0);
    g_assert_cmpint(header.gso_type, ==, VIRTIO_NET_HDR_GSO_NONE);
    g_assert_cmpmem(got->data, got->len, frame->data, size);
}

void
check_nothing_received(Fixture *f)
{
    NetHeader header;

    g_assert_null(net_guest_receive(f->net, &header, false));
}

bool
net_is_broken(Fixture *f)
{
    return guest_get(f->guest, COMMON_STATUS, 1) & STATUS_NEEDS_RESET;
}

uint64_t
net_tell(Fixture *f, const char *key)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    uint64_t value;
    VmmError err;

    g_assert_true(f->guest->dev->class->tell(f->guest->dev, request, reply, &err));
    g_assert_true(vmm_msg_get_u64(reply, key, &value));
    return value;
}

bool
net_tell_link(Fixture *f, bool up)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err = { 0 };

    vmm_msg_put_bool(request, "link", up);
    if (f->guest->dev->class->tell(f->guest->dev, request, reply, &err))
        return true;
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_FAILED);
    return false;
}
