/* Fuzz target: a guest's driver of a balloon that does anything, while ours changes its mind. */
#include "tests/fuzz/virtio-steps.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
wish_step(void *data, const uint8_t *step)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    VirtioGuest *guest = data;
    VmmError err;

    if (step[1] & 1)
        vmm_msg_put_u64(request, "target", (uint64_t)step[6] << (step[7] % 64));
    if (step[1] & 2)
        vmm_msg_put_u64(request, "stats-period", step[6]);
    guest->dev->class->tell(guest->dev, request, reply, &err);
    test_board_settle(guest->test);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_ADD_DEVICE);
    VirtioGuest *guest;

    vmm_msg_put_string(params, "device", "balloon");
    vmm_msg_put_bool(params, "reporting", true);
    vmm_msg_put_bool(params, "deflate-on-oom", true);
    guest = virtio_guest_new(params, 4 << 20);
    guest_start(guest, UINT64_MAX);
    virtio_steps_run(&(VirtioSteps){ guest, wish_step, guest }, data, size);
    virtio_guest_free(guest);
    return 0;
}
