/* What a virtio disk has taken is brought to stable storage, in another thread, while the disk can be told something: that
 * takes as long as the host's disk does. */
#include "tests/unit/blk-guest.h"
#include "tests/unit/slow-sync.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>

typedef struct Way {
    const char *name, *io;
    bool iothread;
} Way;

static const Way ways[] = {
    { "threads", "threads", false },
    { "threads-iothread", "threads", true },
    { "io_uring", "io_uring", false },
    { "io_uring-iothread", "io_uring", true },
};

/* One that is paused, with a write to be flushed. */
static void
open_written(Disk *disk, const Way *way)
{
    VmmMsg *params = disk_params_with("io", way->io);
    uint64_t data;

    if (way->iothread)
        vmm_msg_put_u64(params, "iothread", 7);
    disk_start(disk, params);
    data = disk_put_data(disk, 1024, 1);
    g_assert_cmpuint(disk_run(disk, VIRTIO_BLK_T_OUT, 6, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    disk->guest->dev->class->pause(disk->guest->dev);
}

static void
assert_figures(Disk *disk, VmmMsg *reply)
{
    uint64_t value;

    g_assert_true(vmm_msg_get_u64(reply, "size", &value));
    g_assert_cmpuint(value, ==, DISK_SIZE);
    g_assert_true(vmm_msg_get_u64(reply, "wr-bytes", &value));
    g_assert_cmpuint(value, ==, 1024);
    g_assert_true(vmm_msg_get_u64(reply, "written-to", &value));
    g_assert_cmpuint(value, ==, 8 * 512);
    g_assert_true(vmm_msg_get_u64(reply, "threshold", &value));
    g_assert_cmpuint(value, ==, 4096);
}

static void
tell(Disk *disk)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    Device *dev = disk->guest->dev;
    VmmError err;

    vmm_msg_put_u64(request, "threshold", 4096);
    g_assert_true(dev->class->tell(dev, request, reply, &err));
    assert_figures(disk, reply);
}

/* Nobody who asks for figures waits for the host's disk; the guest runs on as if nothing had been. */
static void
test_figures(gconstpointer way)
{
    GThread *thread;
    uint64_t data;
    Disk disk;

    open_written(&disk, way);
    slow_sync_hold();
    thread = g_thread_new("flush", slow_sync_flush, disk.guest->dev);
    slow_sync_await();
    for (unsigned i = 0; i < 10; i++)
        tell(&disk);
    slow_sync_release();
    g_thread_join(thread);
    disk.guest->dev->class->resume(disk.guest->dev);
    data = disk_put_data(&disk, 1024, 2);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 6, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 6 * 512, data, 1024);
    disk_close(&disk);
}

/* Whichever way, and again. */
static void
test_again(gconstpointer way)
{
    Disk disk;

    open_written(&disk, way);
    for (unsigned i = 0; i < 20; i++) {
        GThread *thread = g_thread_new("flush", slow_sync_flush, disk.guest->dev);

        tell(&disk);
        g_thread_join(thread);
    }
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *figures = g_strdup_printf("/virtio-blk/flush/figures/%s", ways[i].name);
        g_autofree char *again = g_strdup_printf("/virtio-blk/flush/again/%s", ways[i].name);

        if (g_str_equal(ways[i].io, "threads")) /* whose syncs can be held */
            g_test_add_data_func(figures, &ways[i], test_figures);
        g_test_add_data_func(again, &ways[i], test_again);
    }
    return g_test_run();
}
