#include "tests/unit/virtio-guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static VmmMsg *
rng_params(int fd)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, "device", "rng");
    if (fd >= 0)
        vmm_msg_put_fd(params, "rng", fd);
    return params;
}

static VirtioGuest *
rng_new(int fd)
{
    return virtio_guest_new(rng_params(fd), 2 * MIB);
}

static uint64_t
offer_buffer(VirtioGuest *guest, unsigned i, uint32_t size)
{
    uint64_t buffer = guest_alloc(guest, size);

    guest_desc(guest, guest->queues[0].desc, i, buffer, size, DESC_WRITE, 0);
    guest_offer(guest, 0, i);
    return buffer;
}

static bool
is_zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i])
            return false;
    }
    return true;
}

static void
test_identity(void)
{
    VirtioGuest *guest = rng_new(-1);

    g_assert_cmphex(config_read(guest->test, 0, 8, 0x00, 4), ==, 0x10441af4);
    g_assert_cmphex(config_read(guest->test, 0, 8, 0x08, 4), ==, 0x00ff0001);
    g_assert_cmphex(config_read(guest->test, 0, 8, 0x2c, 4), ==, 0x11001af4);
    g_assert_cmpuint(guest_get(guest, COMMON_NUM_QUEUES, 2), ==, 1);
    g_assert_cmphex(guest->device, ==, 0); /* there is no configuration of its own */
    virtio_guest_free(guest);
}

static void
test_random(void)
{
    VirtioGuest *guest = rng_new(-1);
    uint32_t head, len;
    uint64_t buffer;

    guest_enable_msix(guest);
    guest_start(guest, 0);
    buffer = offer_buffer(guest, 3, 256);
    guest_kick(guest, 0);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    g_assert_cmpuint(head, ==, 3);
    g_assert_cmpuint(len, ==, 256);
    g_assert_false(is_zero(guest_memory(guest, buffer, 256), 256));
    g_assert_cmpuint(test_board_take_msi(guest->test, GUEST_VECTOR(0)), ==, 1);
    g_assert_false(guest_take_used(guest, 0, &head, &len));
    virtio_guest_free(guest);
}

/* However much is asked for, a request costs a page at most. */
static void
test_bounded(void)
{
    VirtioGuest *guest = rng_new(-1);
    uint32_t head, len;
    uint64_t buffer;

    guest_start(guest, 0);
    buffer = offer_buffer(guest, 0, 1 * MIB);
    guest_kick(guest, 0);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    g_assert_cmpuint(len, ==, 4096);
    g_assert_true(is_zero(guest_memory(guest, buffer + 4096, MIB - 4096), MIB - 4096));
    virtio_guest_free(guest);
}

/* A source that has nothing yet keeps the request, also over a pause. */
static void
test_waits(void)
{
    VirtioGuest *guest;
    uint32_t head, len;
    uint64_t buffer;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    guest = rng_new(fds[0]);
    guest_start(guest, 0);
    buffer = offer_buffer(guest, 0, 16);
    guest_kick(guest, 0);
    g_assert_false(guest_take_used(guest, 0, &head, &len));
    guest->dev->class->pause(guest->dev);
    g_assert_cmpint(write(fds[1], "0123456789", 10), ==, 10);
    test_board_settle(guest->test);
    g_assert_false(guest_take_used(guest, 0, &head, &len));
    guest->dev->class->resume(guest->dev);
    test_board_settle(guest->test);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    g_assert_cmpuint(len, ==, 10);
    g_assert_cmpmem(guest_memory(guest, buffer, 10), 10, "0123456789", 10);
    offer_buffer(guest, 1, 16);
    guest_kick(guest, 0);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    test_board_settle(guest->test);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    g_assert_cmpuint(len, ==, 1);
    close(fds[1]);
    virtio_guest_free(guest);
}

/* A source that ends is not the end. */
static void
test_ends(void)
{
    VirtioGuest *guest;
    uint32_t head, len;
    int fds[2];

    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    close(fds[1]);
    guest = rng_new(fds[0]);
    guest_start(guest, 0);
    offer_buffer(guest, 0, 16);
    guest_kick(guest, 0);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    g_assert_cmpuint(len, ==, 16);
    virtio_guest_free(guest);
}

static void
test_readable_buffer(void)
{
    VirtioGuest *guest = rng_new(-1);
    uint32_t head, len;

    guest_start(guest, 0);
    guest_desc(guest, guest->queues[0].desc, 0, guest_alloc(guest, 16), 16, 0, 0);
    guest_offer(guest, 0, 0);
    guest_kick(guest, 0);
    g_assert_cmphex(guest_get(guest, COMMON_STATUS, 1), ==, 0xf | STATUS_NEEDS_RESET);
    g_assert_false(guest_take_used(guest, 0, &head, &len));
    guest_reset(guest);
    guest_start(guest, 0);
    offer_buffer(guest, 0, 16);
    guest_kick(guest, 0);
    g_assert_true(guest_take_used(guest, 0, &head, &len));
    virtio_guest_free(guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-rng/identity", test_identity);
    g_test_add_func("/virtio-rng/random", test_random);
    g_test_add_func("/virtio-rng/bounded", test_bounded);
    g_test_add_func("/virtio-rng/waits", test_waits);
    g_test_add_func("/virtio-rng/ends", test_ends);
    g_test_add_func("/virtio-rng/readable-buffer", test_readable_buffer);
    return g_test_run();
}
