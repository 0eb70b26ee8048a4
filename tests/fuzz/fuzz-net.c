/* Fuzz target: a guest's driver of a network card, and the network behind it, that do anything. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WIRE_MAX 4096 /* bytes in a step */

static void
tell_link(VirtioGuest *guest, bool up)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VmmError err;

    vmm_msg_put_bool(request, "link", up);
    guest->dev->class->tell(guest->dev, request, reply, &err);
}

typedef struct Wire {
    VirtioGuest *guest;
    int fd;
} Wire;

/* A frame, bytes that may be none, nobody who reads, and the end. */
static void
wire_step(void *data, const uint8_t *step)
{
    uint8_t bytes[WIRE_MAX] = { 0, 0, step[6] & 0x0f, step[7] };
    uint32_t length = (step[6] & 0x0f) << 8 | step[7];
    Wire *wire = data;

    for (unsigned i = 4; i < 4 + 16u; i++)
        bytes[i] = step[2 + i % 6];
    switch (step[1] % 8) {
    case 0:
        if (recv(wire->fd, bytes, sizeof(bytes), 0) < 0)
            return;
        break;
    case 1:
        send(wire->fd, step + 2, 1 + step[1] / 64, MSG_NOSIGNAL);
        break;
    case 2:
        tell_link(wire->guest, step[2] & 1);
        break;
    case 3:
        if (step[2] == 0)
            shutdown(wire->fd, SHUT_RDWR);
        break;
    default:
        send(wire->fd, bytes, MIN(sizeof(bytes), 4 + length), MSG_NOSIGNAL);
        break;
    }
    test_board_settle(wire->guest->test);
}

static VmmMsg *
net_params(int fd)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);

    vmm_msg_put_string(params, "device", "net");
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Wire wire;
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_assert_cmpint(fcntl(fds[1], F_SETFL, O_NONBLOCK), ==, 0);
    wire.guest = virtio_guest_new(net_params(fds[0]), 4 << 20);
    wire.fd = fds[1];
    guest_start(wire.guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ wire.guest, wire_step, &wire }, data, size);
    virtio_guest_free(wire.guest);
    close(fds[1]);
    return 0;
}
