/* Fuzz target: a guest's driver of a source of random bytes that does anything, while the host's source behind it has
 * bytes, has none, and ends. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Source {
    VirtioGuest *guest;
    int fd; /* -1: it has ended */
} Source;

static void
end(Source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}

static void
source_step(void *data, const uint8_t *step)
{
    static const uint8_t bytes[8192];
    Source *source = data;

    if (step[1] == 0xff)
        end(source);
    else if (source->fd >= 0 &&
             write(source->fd, bytes, 1 + (step[6] | step[7] << 8) % sizeof(bytes)) < 0)
        return;
    test_board_settle(source->guest->test);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    Source source;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC | O_NONBLOCK), ==, 0);
    source.fd = fds[1];
    vmm_msg_put_string(params, "device", "rng");
    vmm_msg_put_fd(params, "rng", fds[0]);
    source.guest = virtio_guest_new(params, 4 << 20);
    guest_start(source.guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ source.guest, source_step, &source }, data, size);
    virtio_guest_free(source.guest);
    end(&source);
    return 0;
}
