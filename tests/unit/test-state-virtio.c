/* What each virtio device saves, as its driver has left it: in a fresh one it gives the same again, and the device goes on
 * as the first would have. */
#include "tests/unit/state-fixture.h"
#include "tests/unit/virtio-guest.h"

#include <string.h>
#include <sys/socket.h>

static VmmMsg *
blk_params(void)
{
    VmmMsg *params = device_params("blk");

    vmm_msg_put_fd(params, "fd", new_file(MIB));
    vmm_msg_put_string(params, "io", "threads");
    return params;
}

/* Nobody is at the other end, but it is there. */
static VmmMsg *
net_params(void)
{
    VmmMsg *params = device_params("net");
    int fds[2];

    g_assert_no_errno(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
    vmm_msg_put_string(params, "mac", "52:54:00:12:34:56");
    vmm_msg_put_bool(params, "thread", false);
    vmm_msg_put_string(params, "backend", "stream");
    vmm_msg_put_fd(params, "fd", fds[0]);
    return params;
}

static VmmMsg *
console_params(void)
{
    VmmMsg *params = device_params("console");

    vmm_msg_put_string(params, "port-0-kind", "null");
    vmm_msg_put_bool(params, "port-0-console", true);
    vmm_msg_put_string(params, "port-2-kind", "null");
    vmm_msg_put_string(params, "port-2-name", "agent");
    return params;
}

static VmmMsg *
balloon_params(void)
{
    VmmMsg *params = device_params("balloon");

    vmm_msg_put_u64(params, "target", MIB);
    return params;
}

static VmmMsg *
rng_params(void)
{
    return device_params("rng");
}

/* The kernel gives the socket a name. */
static VmmMsg *
vsock_params(void)
{
    const struct sockaddr any = { .sa_family = AF_UNIX };
    VmmMsg *params = device_params("vsock");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(bind(fd, &any, sizeof(any.sa_family)));
    g_assert_no_errno(listen(fd, 1));
    vmm_msg_put_u64(params, "cid", 3);
    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

static const struct {
    const char *name;
    VmmMsg *(*params)(void);
} virtio[] = {
    { "blk", blk_params },         { "net", net_params }, { "console", console_params },
    { "balloon", balloon_params }, { "rng", rng_params }, { "vsock", vsock_params },
};

static void
pause_device(VirtioGuest *guest)
{
    guest->dev->class->pause(guest->dev);
}

/* The second machine has the first one's memory. */
static void
copy_memory(VirtioGuest *from, VirtioGuest *to)
{
    MemoryRegion a, b;

    g_assert_true(memory_region(from->test->board.memory, 0, &a) &&
                  memory_region(to->test->board.memory, 0, &b));
    memcpy(b.host, a.host, a.size);
    memcpy(to->queues, from->queues, sizeof(from->queues));
    to->free_gpa = from->free_gpa;
}

static void
test_virtio(gconstpointer data)
{
    gsize i = GPOINTER_TO_SIZE(data);
    VirtioGuest *first = virtio_guest_new(virtio[i].params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL, again = NULL;

    guest_enable_msix(first);
    guest_start(first, ~0ull);
    pause_device(first);
    saved = save_device(first->dev);
    check_state_golden(virtio[i].name, 1, saved);
    second = virtio_guest_new(virtio[i].params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load_device(second->dev, saved);
    again = save_device(second->dev);
    assert_same_state(virtio[i].name, saved, again);
    load_damaged(second->dev, saved);
    copy_memory(first, second);
    remap_bars(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_cmphex(guest_get(second, COMMON_STATUS, 1), ==, 0xf);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

/* A chain that was made available and not kicked before the device was saved is served where it is restored, behind
 * those that were served before. */
static void
test_queue_goes_on(void)
{
    VirtioGuest *first = virtio_guest_new(rng_params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL;
    uint32_t head, len;
    uint64_t buffer;

    guest_enable_msix(first);
    guest_start(first, 0);
    for (unsigned i = 0; i < 70; i++) { /* once round the ring */
        buffer = guest_alloc(first, 64);
        guest_desc(first, first->queues[0].desc, i % 64, buffer, 64, DESC_WRITE, 0);
        guest_offer(first, 0, i % 64);
        guest_kick(first, 0);
        g_assert_true(guest_take_used(first, 0, &head, &len));
    }
    pause_device(first);
    guest_desc(first, first->queues[0].desc, 5, buffer, 64, DESC_WRITE, 0);
    guest_offer(first, 0, 5);
    saved = save_device(first->dev);
    second = virtio_guest_new(rng_params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load_device(second->dev, saved);
    remap_bars(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_true(guest_take_used(second, 0, &head, &len));
    g_assert_cmpuint(head, ==, 5);
    g_assert_cmpuint(len, ==, 64);
    g_assert_false(guest_take_used(second, 0, &head, &len));
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 1);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

static VirtioGuest *
new_drive(bool full)
{
    VmmMsg *params = device_params("blk");

    vmm_msg_put_bool(params, "removable", true);
    if (full) {
        vmm_msg_put_fd(params, "fd", new_file(MIB));
        vmm_msg_put_bool(params, "read-only", true);
        vmm_msg_put_string(params, "io", "threads");
    }
    return virtio_guest_new(params, 4 * MIB);
}

/* A drive can be empty when its guest goes on, and could be when it was saved. */
static void
test_empty_drive(void)
{
    for (unsigned i = 0; i < 2; i++) {
        VirtioGuest *first = new_drive(i == 0), *second = new_drive(false);
        g_autoptr(GBytes) saved = NULL;

        guest_enable_msix(first);
        guest_start(first, ~0ull);
        pause_device(first);
        saved = save_device(first->dev);
        pause_device(second);
        copy_memory(first, second);
        must_load_device(second->dev, saved);
        remap_bars(second->test);
        second->dev->class->resume(second->dev);
        test_board_settle(second->test);
        g_assert_cmphex(guest_get(second, COMMON_STATUS, 1), ==, 0xf);
        virtio_guest_free(first);
        virtio_guest_free(second);
    }
}

/* An interrupt that a masked vector held back comes when the restored guest unmasks it. */
static void
test_pending_vector(void)
{
    VirtioGuest *first = virtio_guest_new(rng_params(), 4 * MIB), *second;
    g_autoptr(GBytes) saved = NULL;
    uint64_t buffer;

    guest_enable_msix(first);
    guest_start(first, ~0ull);
    mmio_write(first->test, first->msix + 16 + 12, 4, 1);
    buffer = guest_alloc(first, 64);
    guest_desc(first, first->queues[0].desc, 0, buffer, 64, DESC_WRITE, 0);
    guest_offer(first, 0, 0);
    guest_kick(first, 0);
    g_assert_cmpuint(test_board_take_msi(first->test, GUEST_VECTOR(0)), ==, 0);
    pause_device(first);
    saved = save_device(first->dev);
    second = virtio_guest_new(rng_params(), 4 * MIB);
    pause_device(second);
    copy_memory(first, second);
    must_load_device(second->dev, saved);
    remap_bars(second->test);
    second->dev->class->resume(second->dev);
    test_board_settle(second->test);
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 0);
    mmio_write(second->test, second->msix + 16 + 12, 4, 0);
    g_assert_cmpuint(test_board_take_msi(second->test, GUEST_VECTOR(0)), ==, 1);
    virtio_guest_free(first);
    virtio_guest_free(second);
}

/* Another kind of device under the same name. */
static void
test_other_device(void)
{
    VirtioGuest *rng = virtio_guest_new(rng_params(), 4 * MIB);
    VirtioGuest *balloon = virtio_guest_new(balloon_params(), 4 * MIB);
    g_autoptr(GBytes) saved = NULL;
    VmmError err;

    pause_device(rng);
    pause_device(balloon);
    saved = save_device(rng->dev);
    g_assert_false(load_device(balloon->dev, saved, &err));
    g_assert_nonnull(strstr(err.text, "was another kind of PCI device"));
    virtio_guest_free(rng);
    virtio_guest_free(balloon);
}

/* What a device writes to memory is dirty: its buffers and the used ring, and nothing else. */
static void
test_dirty(void)
{
    VirtioGuest *guest = virtio_guest_new(rng_params(), 4 * MIB);
    Memory *memory = guest->test->board.memory;
    g_autofree uint64_t *bitmap = g_new0(uint64_t, memory_dirty_words(memory, 0));
    uint64_t buffer = 2 * MIB, used;
    guint n = 0;

    guest_start(guest, ~0ull);
    memory_track(memory, true);
    used = guest->queues[0].device;
    guest_desc(guest, guest->queues[0].desc, 0, buffer + 4000, 200, DESC_WRITE, 0);
    guest_offer(guest, 0, 0);
    guest_kick(guest, 0);
    memory_take_dirty(memory, 0, bitmap);
    for (gsize page = 0; page < 4 * MIB / 4096; page++)
        n += bitmap[page / 64] >> page % 64 & 1;
    for (uint64_t page = buffer / 4096; page < buffer / 4096 + 2; page++)
        g_assert_true(bitmap[page / 64] >> page % 64 & 1);
    g_assert_true(bitmap[used / 4096 / 64] >> used / 4096 % 64 & 1);
    g_assert_cmpuint(n, <=, 4); /* the ring may lie in two pages */
    virtio_guest_free(guest);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(virtio); i++) {
        g_autofree char *path = g_strdup_printf("/state-devices/virtio-%s", virtio[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_virtio);
    }
    g_test_add_func("/state-devices/queue-goes-on", test_queue_goes_on);
    g_test_add_func("/state-devices/empty-drive", test_empty_drive);
    g_test_add_func("/state-devices/pending-vector", test_pending_vector);
    g_test_add_func("/state-devices/other-device", test_other_device);
    g_test_add_func("/state-devices/dirty", test_dirty);
    return g_test_run();
}
