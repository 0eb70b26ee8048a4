/* Limits of a virtio disk: one byte a second lets one request pass, and the next ones in hours. */
#include "tests/unit/blk-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

static VmmMsg *
limited_params(uint64_t rate, const char *group)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_bool(params, "limits", true);
    vmm_msg_put_u64(params, "read-bytes-sec", rate);
    if (group)
        vmm_msg_put_string(params, "limits-group", group);
    return params;
}

static bool
set_limit(Disk *disk, uint64_t rate, const char *group)
{
    vmm_msg_auto request = limited_params(rate, group);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    Device *dev = disk->guest->dev;
    VmmError err = { 0 };

    return dev->class->tell(dev, request, reply, &err);
}

/* Makes @n reads of 4096 bytes to where a number of 0xcc is, and lets the disk work for a while. */
static void
offer_reads(Disk *disk, uint64_t *ret_status, unsigned n)
{
    uint64_t data = guest_alloc(disk->guest, 4096);

    for (unsigned i = 0; i < n; i++)
        ret_status[i] = disk_offer(disk, 0, VIRTIO_BLK_T_IN, 0, data, 4096, true);
    guest_kick(disk->guest, 0);
}

static unsigned
count_done(Disk *disk, const uint64_t *status, unsigned n)
{
    unsigned done = 0;

    for (unsigned i = 0; i < n; i++)
        done += disk_status(disk, status[i]) == VIRTIO_BLK_S_OK;
    return done;
}

static void
quit(void *data, uint32_t event)
{
    loop_quit(data);
}

/* Long enough for the disk's own timer to come, too. */
static void
settle_for_a_while(Disk *disk)
{
    Loop *loop = disk->guest->test->board.loop;
    LoopSource *timer = loop_add_timer(loop, quit, loop);

    loop_timer_set(timer, 250);
    loop_run(loop);
    loop_source_free(timer);
}

static void
test_limits(gconstpointer io)
{
    enum { N = 10 };
    VmmMsg *params = limited_params(1, NULL);
    uint64_t status[N], data;
    Disk disk;

    vmm_msg_put_string(params, "io", io);
    disk_start(&disk, params);
    offer_reads(&disk, status, N);
    disk_await(&disk, 0, 1);
    settle_for_a_while(&disk);
    g_assert_cmpuint(count_done(&disk, status, N), ==, 1);
    /* Writes and flushes have no limit here. */
    data = disk_put_data(&disk, 512, 1);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    /* New ones count at once, for those that wait as well. */
    g_assert_true(set_limit(&disk, 2, NULL));
    disk_await(&disk, 0, 1);
    g_assert_cmpuint(count_done(&disk, status, N), ==, 2);
    g_assert_false(set_limit(&disk, UINT64_MAX, NULL));
    g_assert_true(set_limit(&disk, 0, NULL));
    disk_await(&disk, 0, N - 2);
    g_assert_cmpuint(count_done(&disk, status, N), ==, N);
    disk_close(&disk);
}

/* Nothing waits while the guest does: a pause answers all of it, and so does the end. */
static void
test_limits_pause(void)
{
    enum { N = 10 };
    uint64_t status[N];
    Disk disk;

    disk_start(&disk, limited_params(1, NULL));
    offer_reads(&disk, status, N);
    disk_await(&disk, 0, 1);
    disk.guest->dev->class->pause(disk.guest->dev);
    g_assert_cmpuint(count_done(&disk, status, N), ==, N);
    disk_await(&disk, 0, N - 1);
    disk.guest->dev->class->resume(disk.guest->dev);
    offer_reads(&disk, status, 2);
    settle_for_a_while(&disk);
    g_assert_cmpuint(count_done(&disk, status, 2), ==, 0);
    disk_close(&disk);
}

/* Disks of a group share what one of them is given, and what one of them has used up. */
static void
test_limits_group(void)
{
    uint64_t status[2], others[2];
    Disk disk, other;

    disk_start(&disk, limited_params(1, "group"));
    disk_start(&other, limited_params(1, "group"));
    offer_reads(&disk, status, 2);
    disk_await(&disk, 0, 1);
    offer_reads(&other, others, 2);
    settle_for_a_while(&other);
    g_assert_cmpuint(count_done(&other, others, 2), ==, 0);
    /* The other disk looks again by itself. */
    g_assert_true(set_limit(&disk, 0, "group"));
    disk_await(&disk, 0, 1);
    while (count_done(&other, others, 2) < 2)
        settle_for_a_while(&other);
    disk_await(&other, 0, 2);
    /* Out of the group, it has what it may use for itself. */
    g_assert_true(set_limit(&disk, 1, "group"));
    g_assert_true(set_limit(&other, 1, NULL));
    offer_reads(&disk, status, 1);
    disk_await(&disk, 0, 1);
    offer_reads(&other, others, 1);
    disk_await(&other, 0, 1);
    disk_close(&other);
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/virtio-blk/limits/io_uring", "io_uring", test_limits);
    g_test_add_data_func("/virtio-blk/limits/threads", "threads", test_limits);
    g_test_add_func("/virtio-blk/limits/pause", test_limits_pause);
    g_test_add_func("/virtio-blk/limits/group", test_limits_group);
    return g_test_run();
}
