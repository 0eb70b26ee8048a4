/* The host fails a virtio disk: a limit on the size of files stands for it. */
#include "tests/unit/blk-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rlimit unlimited;

static void
limit_files(rlim_t size)
{
    struct rlimit limit = { size, unlimited.rlim_max };

    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
}

static void
check_event(const char *action)
{
    VmmMsg *event = disk_events->pdata[0];
    const char *value;

    g_assert_cmpuint(disk_events->len, ==, 1);
    g_assert_cmpstr(vmm_msg_name(event), ==, VMM_EVENT_IO_ERROR);
    g_assert_true(vmm_msg_get_string(event, "device", &value));
    g_assert_cmpstr(value, ==, "virtio-pci");
    g_assert_true(vmm_msg_get_string(event, "operation", &value));
    g_assert_cmpstr(value, ==, "write");
    g_assert_true(vmm_msg_get_string(event, "action", &value));
    g_assert_cmpstr(value, ==, action);
    g_assert_true(vmm_msg_get_string(event, "error", &value));
    g_assert_cmpstr(value, ==, "other");
}

static void
test_report(gconstpointer policy)
{
    uint64_t data;
    Disk disk;

    disk_start(&disk, disk_params_with("on-write-error", policy));
    data = disk_put_data(&disk, 4096, 1);
    limit_files(65536);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
    limit_files(unlimited.rlim_cur);
    check_event("report"); /* one, though there were two */
    g_assert_cmpuint(disk.guest->test->n_requests, ==, 0);
    disk_close(&disk);
}

/* The guest hears of nothing, the driver does. */
static void
test_ignore(void)
{
    uint64_t data;
    Disk disk;

    disk_start(&disk, disk_params_with("on-write-error", "ignore"));
    data = disk_put_data(&disk, 4096, 1);
    limit_files(65536);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_OK);
    limit_files(unlimited.rlim_cur);
    check_event("ignore");
    g_assert_cmpuint(disk.guest->test->n_requests, ==, 0);
    disk_close(&disk);
}

static void
stop_disk(Disk *disk, uint64_t *status, uint64_t data)
{
    limit_files(65536);
    for (unsigned i = 0; i < 3; i++)
        status[i] = disk_offer(disk, 0, VIRTIO_BLK_T_OUT, 1024 + i * 8, data + i * 4096, 4096, false);
    guest_kick(disk->guest, 0);
    disk->guest->dev->class->pause(disk->guest->dev);
    limit_files(unlimited.rlim_cur);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(disk_status(disk, status[i]), ==, DISK_NO_STATUS);
    g_assert_cmpuint(disk->guest->test->n_requests, ==, 1);
    g_assert_cmpuint(disk->guest->test->request, ==, BOARD_IO_ERROR);
    check_event(VMM_ACTION_PAUSE);
}

static void
test_stop_and_retry(gconstpointer io)
{
    VmmMsg *params = disk_params_with("on-write-error", "stop");
    uint64_t data, status[3];
    Disk disk;

    vmm_msg_put_string(params, "io", io);
    disk_start(&disk, params);
    data = disk_put_data(&disk, 3 * 4096, 1);
    stop_disk(&disk, status, data);
    disk.guest->dev->class->resume(disk.guest->dev);
    disk_await(&disk, 0, 3);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(disk_status(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 1024 * 512, data, 3 * 4096);
    g_assert_cmpuint(disk.guest->test->n_requests, ==, 1);
    disk_close(&disk);
}

static void
test_stop_and_reset(void)
{
    uint64_t data, status[3];
    Disk disk;

    disk_start(&disk, disk_params_with("on-write-error", "stop"));
    data = disk_put_data(&disk, 3 * 4096, 1);
    stop_disk(&disk, status, data);
    disk.guest->dev->class->reset(disk.guest->dev);
    disk.guest->dev->class->resume(disk.guest->dev);
    test_board_settle(disk.guest->test);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(disk_status(&disk, status[i]), ==, DISK_NO_STATUS);
    g_assert_true(disk_file_is_zero(&disk, 1024 * 512, 3 * 4096));
    disk_close(&disk);
}

/* The disk's own descriptor of the file. */
static int
find_descriptor(const Disk *disk)
{
    struct stat file, other;

    g_assert_no_errno(fstat(disk->fd, &file));
    for (int fd = 0; fd < 1024; fd++) {
        if (fd != disk->fd && fstat(fd, &other) == 0 && other.st_dev == file.st_dev && other.st_ino == file.st_ino)
            return fd;
    }
    g_assert_not_reached();
}

static void
assert_flush_fails(Disk *disk)
{
    VmmError err;

    g_assert_false(device_flush(disk->guest->dev, &err));
    g_assert_cmpstr(err.kind, ==, VMM_ERROR_FAILED);
    g_assert_cmpstr(err.text, ==,
                    "What the guest has written to disk 'virtio-pci' cannot be brought to its image: "
                    "Invalid argument");
}

/* A pipe in the file's place cannot be flushed, which a pause does not try; what the host has lost then it does not find
 * again. */
static void
test_flush(void)
{
    VmmError err;
    int own, ends[2];
    Disk disk;

    disk_start(&disk, disk_params_with("io", "threads"));
    own = find_descriptor(&disk);
    disk.guest->dev->class->pause(disk.guest->dev);
    g_assert_true(device_flush(disk.guest->dev, &err));
    disk.guest->dev->class->resume(disk.guest->dev);
    g_assert_no_errno(pipe(ends));
    g_assert_no_errno(dup2(ends[0], own));
    disk.guest->dev->class->pause(disk.guest->dev);
    g_assert_cmpuint(disk_events->len, ==, 0);
    assert_flush_fails(&disk);
    g_assert_no_errno(dup2(disk.fd, own));
    assert_flush_fails(&disk);
    close(ends[0]);
    close(ends[1]);
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    getrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_data_func("/virtio-blk/error/stop-and-retry/io_uring", "io_uring", test_stop_and_retry);
    g_test_add_data_func("/virtio-blk/error/stop-and-retry/threads", "threads", test_stop_and_retry);
    g_test_add_data_func("/virtio-blk/error/report", "report", test_report);
    g_test_add_data_func("/virtio-blk/error/report-if-not-full", "enospace", test_report);
    g_test_add_func("/virtio-blk/error/ignore", test_ignore);
    g_test_add_func("/virtio-blk/error/stop-and-reset", test_stop_and_reset);
    g_test_add_func("/virtio-blk/error/flush", test_flush);
    return g_test_run();
}
