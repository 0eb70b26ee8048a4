/* A guest's vsock is restored with another address than it was saved with: the driver is told that its streams are gone,
 * and looks at its address again. */
#include "tests/unit/state-fixture.h"
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <linux/virtio_vsock.h>
#include <string.h>
#include <sys/socket.h>

#define EVENTS 2

typedef struct Saved {
    VirtioGuest *guest;
    uint64_t buffer; /* for an event */
} Saved;

/* With a driver that has a buffer for events. */
static Saved
start(uint64_t cid)
{
    VmmMsg *params = device_params("vsock");
    const struct sockaddr any = { .sa_family = AF_UNIX }; /* a name of the kernel's choice */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Saved saved;

    g_assert_cmpint(bind(fd, &any, sizeof(any.sa_family)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    vmm_msg_put_u64(params, "cid", cid);
    vmm_msg_put_fd(params, "fd", fd);
    saved.guest = virtio_guest_new(params, 8 * MIB);
    guest_enable_msix(saved.guest);
    guest_start(saved.guest, UINT64_MAX);
    saved.buffer = guest_alloc(saved.guest, sizeof(struct virtio_vsock_event));
    guest_desc(saved.guest, saved.guest->queues[EVENTS].desc, 0, saved.buffer,
               sizeof(struct virtio_vsock_event), DESC_WRITE, 0);
    guest_offer(saved.guest, EVENTS, 0);
    guest_kick(saved.guest, EVENTS);
    return saved;
}

static uint64_t
address(Saved *saved)
{
    return mmio_read(saved->guest->test, saved->guest->device, 4);
}

static void
test_moved(void)
{
    Saved before = start(7), after = start(9);
    struct virtio_vsock_event event = { UINT32_MAX };
    g_autoptr(GBytes) saved = NULL;
    uint32_t head, size;

    test_board_settle(before.guest->test);
    g_assert_false(guest_take_used(before.guest, EVENTS, &head, &size));
    device_pause(before.guest->dev);
    saved = save_device(before.guest->dev);
    device_pause(after.guest->dev);
    must_load_device(after.guest->dev, saved);
    device_resume(after.guest->dev);
    test_board_settle(after.guest->test);
    g_assert_true(guest_take_used(after.guest, EVENTS, &head, &size));
    g_assert_cmpuint(size, ==, sizeof(event));
    memcpy(&event, guest_memory(after.guest, after.buffer, sizeof(event)), sizeof(event));
    g_assert_cmpuint(event.id, ==, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
    g_assert_cmpuint(address(&before), ==, 7);
    g_assert_cmpuint(address(&after), ==, 9);
    virtio_guest_free(before.guest);
    virtio_guest_free(after.guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-vsock/moved", test_moved);
    return g_test_run();
}
