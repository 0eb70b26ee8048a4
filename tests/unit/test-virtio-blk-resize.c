/* A disk of format qcow2 gets another size while a driver has it, or none yet. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/slow-sync.h"
#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <string.h>
#include <unistd.h>

#define MIB    ((uint64_t)1 << 20)
#define SECTOR 512
#define ALL    (~(1ull << VIRTIO_F_EVENT_IDX))

typedef struct Disk {
    VirtioGuest *guest;
    char *dir, *path;
} Disk;

static VmmMsg *last_event;

static void
notify(Board *board, VmmMsg *event)
{
    vmm_msg_free(last_event);
    last_event = event;
}

static void
disk_open(Disk *disk, const char *io)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    disk->dir = qcow2_test_dir(FALSE);
    disk->path = g_build_filename(disk->dir, "disk.qcow2", NULL);
    qemu_img("create -q -f qcow2 -o cluster_size=4k %s 1M", disk->path);
    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_string(params, "format", "qcow2");
    vmm_msg_put_string(params, "io", io);
    vmm_msg_put_fd(params, "fd", open(disk->path, O_RDWR | O_CLOEXEC));
    disk->guest = virtio_guest_new(params, 8 * MIB);
    disk->guest->test->board.notify = notify;
}

static void
disk_start(Disk *disk, const char *io)
{
    disk_open(disk, io);
    guest_enable_msix(disk->guest);
    guest_start(disk->guest, ALL);
}

static void
disk_close(Disk *disk)
{
    virtio_guest_free(disk->guest);
    g_clear_pointer(&last_event, vmm_msg_free);
    qemu_img_check(disk->path, FALSE);
    g_free(disk->path);
    qcow2_test_dir_free(disk->dir);
}

static uint64_t
sectors(Disk *disk)
{
    VirtioGuest *guest = disk->guest;

    return mmio_read(guest->test, guest->device, 4) |
           (uint64_t)mmio_read(guest->test, guest->device + 4, 4) << 32;
}

/* True where it has begun. */
static bool
ask(Disk *disk, uint64_t size, VmmError *err)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    Device *dev = disk->guest->dev;

    vmm_msg_put_u64(request, "new-size", size);
    if (!dev->class->tell(dev, request, reply, err))
        return false;
    g_assert_null(vmm_msg_unread(request));
    return true;
}

/* A write or a read of the sector @sector; the status. */
static uint8_t
run(Disk *disk, uint32_t type, uint64_t sector, uint64_t data)
{
    VirtioGuest *guest = disk->guest;
    struct virtio_blk_outhdr header = { .type = type, .sector = sector };
    uint64_t head = guest_alloc(guest, sizeof(header)), status = guest_alloc(guest, 1);
    uint64_t table = guest->queues[0].desc;
    uint32_t used, len;

    memcpy(guest_memory(guest, head, sizeof(header)), &header, sizeof(header));
    guest_desc(guest, table, 0, head, sizeof(header), DESC_NEXT, 1);
    guest_desc(guest, table, 1, data, SECTOR,
               DESC_NEXT | (type == VIRTIO_BLK_T_IN ? DESC_WRITE : 0), 2);
    guest_desc(guest, table, 2, status, 1, DESC_WRITE, 0);
    guest_offer(guest, 0, 0);
    guest_kick(guest, 0);
    while (!guest_take_used(guest, 0, &used, &len))
        test_board_settle(guest->test);
    return *(uint8_t *)guest_memory(guest, status, 1);
}

static void
await_event(Disk *disk, uint64_t size, const char *text)
{
    const char *is = NULL;
    uint64_t now;

    while (!last_event)
        test_board_settle(disk->guest->test);
    g_assert_cmpstr(vmm_msg_name(last_event), ==, VMM_EVENT_RESIZED);
    g_assert_true(vmm_msg_get_u64(last_event, "size", &now));
    g_assert_cmpuint(now, ==, size);
    vmm_msg_get_string(last_event, "text", &is);
    g_assert_cmpstr(is, ==, text);
    g_clear_pointer(&last_event, vmm_msg_free);
}

/* The driver sees the capacity change and uses what is new. */
static void
test_started(void)
{
    Disk disk;
    VmmError err;
    uint64_t data;

    disk_start(&disk, "io_uring");
    data = guest_alloc(disk.guest, SECTOR);
    memset(guest_memory(disk.guest, data, SECTOR), 0x5a, SECTOR);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 2047, data), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 2048, data), ==, VIRTIO_BLK_S_IOERR);
    g_assert_true(ask(&disk, 48 * MIB, &err));
    await_event(&disk, 48 * MIB, NULL);
    g_assert_cmpuint(sectors(&disk), ==, 48 * MIB / SECTOR);
    g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_CONFIG_MSI), ==, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 48 * MIB / SECTOR - 1, data), ==,
                     VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 2048, data), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(*(uint8_t *)guest_memory(disk.guest, data, 1), ==, 0);
    g_assert_true(ask(&disk, 1 * MIB, &err));
    await_event(&disk, 1 * MIB, NULL);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 2048, data), ==, VIRTIO_BLK_S_IOERR);
    disk_close(&disk);
}

/* Without a driver it is done when the answer comes. */
static void
test_not_started(void)
{
    Disk disk;
    VmmError err;

    disk_open(&disk, "io_uring");
    g_assert_true(ask(&disk, 48 * MIB, &err));
    g_assert_nonnull(last_event);
    await_event(&disk, 48 * MIB, NULL);
    g_assert_cmpuint(sectors(&disk), ==, 48 * MIB / SECTOR);
    disk_close(&disk);
}

/* It goes away, or its driver does, before it has its new size. */
static void
test_interrupted(void)
{
    Disk disk;
    VmmError err;

    disk_start(&disk, "io_uring");
    g_assert_true(ask(&disk, 48 * MIB, &err));
    guest_reset(disk.guest);
    await_event(&disk, 48 * MIB, NULL);
    guest_start(disk.guest, ALL);
    g_assert_true(ask(&disk, 96 * MIB, &err));
    disk_close(&disk);
}

static void
test_refused(void)
{
    Disk disk;
    VmmError err;

    disk_start(&disk, "io_uring");
    g_assert_false(ask(&disk, MIB + 1, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_INVALID);
    g_assert_true(ask(&disk, (uint64_t)1 << 60, &err));
    await_event(&disk, MIB, "File too large");
    g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_CONFIG_MSI), ==, 0);
    g_assert_cmpuint(sectors(&disk), ==, MIB / SECTOR);
    disk_close(&disk);
}

/* The second time it is in its place, and nothing but its sync is left to a flush. */
static void
write_twice(Disk *disk)
{
    uint64_t data = guest_alloc(disk->guest, SECTOR);
    Device *dev = disk->guest->dev;

    g_assert_cmpuint(run(disk, VIRTIO_BLK_T_OUT, 0, data), ==, VIRTIO_BLK_S_OK);
    dev->class->pause(dev);
    dev->class->resume(dev);
    g_assert_cmpuint(run(disk, VIRTIO_BLK_T_OUT, 0, data), ==, VIRTIO_BLK_S_OK);
    dev->class->pause(dev);
}

/* A flush has the image to itself; there is another size after it. */
static void
test_flushed(void)
{
    GThread *thread;
    VmmError err;
    Disk disk;

    disk_start(&disk, "threads");
    write_twice(&disk);
    slow_sync_hold();
    thread = g_thread_new("flush", slow_sync_flush, disk.guest->dev);
    slow_sync_await();
    g_assert_false(ask(&disk, 48 * MIB, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_STATE);
    slow_sync_release();
    g_thread_join(thread);
    g_assert_cmpuint(sectors(&disk), ==, MIB / SECTOR);
    g_assert_true(ask(&disk, 48 * MIB, &err));
    await_event(&disk, 48 * MIB, NULL);
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-blk/new-size/started", test_started);
    g_test_add_func("/virtio-blk/new-size/not-started", test_not_started);
    g_test_add_func("/virtio-blk/new-size/interrupted", test_interrupted);
    g_test_add_func("/virtio-blk/new-size/refused", test_refused);
    g_test_add_func("/virtio-blk/new-size/flushed", test_flushed);
    return g_test_run();
}
