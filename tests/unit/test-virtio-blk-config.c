/* What a virtio disk is told: its parameters, another cache, size or medium, and what it tells of itself. */
#include "tests/unit/blk-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

static void
set_wce(Disk *disk, uint8_t value)
{
    mmio_write(disk->guest->test, disk->guest->device + offsetof(struct virtio_blk_config, wce), 1,
               value);
    test_board_settle(disk->guest->test);
}

static void
test_wce(void)
{
    uint64_t data;
    Disk disk;

    disk_start(&disk, NULL);
    data = disk_put_data(&disk, 512, 1);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    set_wce(&disk, 0);
    g_assert_cmpuint(DISK_CONFIG(&disk, wce), ==, 0);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    set_wce(&disk, 0x80);
    g_assert_cmpuint(DISK_CONFIG(&disk, wce), ==, 1);
    set_wce(&disk, 0);
    mmio_write(disk.guest->test, disk.guest->device, 4, 0xffffffff);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==,
                     DISK_SIZE / 512); /* not for the driver to write */
    guest_reset(disk.guest);
    g_assert_cmpuint(DISK_CONFIG(&disk, wce), ==, 1);
    disk_close(&disk);
}

static gint write_is_slow, n_writing, n_flushes;

ssize_t __real_pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

/* Long enough for a flush that does not wait for it. */
ssize_t
__wrap_pwritev2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    ssize_t done;

    g_atomic_int_inc(&n_writing);
    if (g_atomic_int_get(&write_is_slow))
        g_usleep(200 * 1000);
    done = __real_pwritev2(fd, iov, n, offset, flags);
    g_atomic_int_add(&n_writing, -1);
    return done;
}

int
__wrap_fdatasync(int fd)
{
    g_assert_cmpint(g_atomic_int_get(&n_writing), ==, 0);
    g_atomic_int_inc(&n_flushes);
    return __real_fdatasync(fd);
}

/* A write that is on its way when the cache goes is covered by the flush, which comes behind it. */
static void
test_wce_under_way(void)
{
    uint64_t data;
    Disk disk;

    disk_start(&disk, disk_params_with("io", "threads"));
    data = disk_put_data(&disk, 512, 1);
    g_atomic_int_set(&write_is_slow, 1);
    disk_offer(&disk, 0, VIRTIO_BLK_T_OUT, 0, data, 512, false);
    guest_kick(disk.guest, 0);
    while (g_atomic_int_get(&n_writing) == 0)
        g_usleep(1000);
    n_flushes = 0;
    set_wce(&disk, 0);
    while (g_atomic_int_get(&n_flushes) == 0)
        test_board_settle(disk.guest->test);
    disk_await(&disk, 0, 1);
    g_atomic_int_set(&write_is_slow, 0);
    disk_close(&disk);
}

/* Without a transport: hooks that it does not call. */

static unsigned n_config_changes;

static void
raise_config(VirtioDevice *vdev)
{
    n_config_changes++;
}

static VirtioDevice *
bare_new(Device *dev, VmmMsg *params, VmmError *err)
{
    static const VirtioTransport transport = { .raise_config = raise_config };
    VirtioDevice *vdev = g_malloc0(virtio_blk_class.size);

    vdev->class = &virtio_blk_class;
    vdev->dev = dev;
    vdev->transport = &transport;
    if (virtio_blk_class.create(vdev, params, err))
        return vdev;
    virtio_blk_class.destroy(vdev);
    g_free(vdev);
    return NULL;
}

static uint64_t
tell_size(VirtioDevice *vdev, bool resize)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    uint64_t size;

    if (resize)
        vmm_msg_put_bool(request, "resize", true);
    g_assert_true(virtio_blk_class.tell(vdev, request, reply, NULL));
    g_assert_null(vmm_msg_unread(request));
    g_assert_true(vmm_msg_get_u64(reply, "size", &size));
    return size;
}

static void
test_resize(void)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("blk-XXXXXX", &path, NULL);
    vmm_msg_auto params = disk_params(dup(fd));
    Device dev = { .id = (char *)"disk", .lock = PTHREAD_MUTEX_INITIALIZER };
    VirtioDevice *vdev;
    VmmError err;

    g_assert_cmpint(ftruncate(fd, 4096), ==, 0);
    vdev = bare_new(&dev, params, &err);
    g_assert_nonnull(vdev);
    g_assert_cmpuint(tell_size(vdev, true), ==, 4096);
    g_assert_cmpuint(n_config_changes, ==, 0);
    g_assert_cmpint(ftruncate(fd, 8192), ==, 0);
    g_assert_cmpuint(tell_size(vdev, false), ==, 4096);
    g_assert_cmpuint(tell_size(vdev, true), ==, 8192);
    g_assert_cmpuint(((struct virtio_blk_config *)vdev->config)->capacity, ==, 16);
    g_assert_cmpuint(n_config_changes, ==, 1);
    virtio_blk_class.destroy(vdev);
    g_free(vdev);
    close(fd);
    g_unlink(path);
}

/* Puts the image at @path into the drive, read-only or not; NULL: ejects. The size of what is in it then, or
 * -1: refused. */
static int64_t
change_medium(Disk *disk, const char *path, int flags)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    Device *dev = disk->guest->dev;
    uint64_t size;
    VmmError err;

    vmm_msg_put_bool(request, "medium", path != NULL);
    if (path) {
        vmm_msg_put_fd(request, "fd", open(path, flags | O_CLOEXEC));
        vmm_msg_put_bool(request, "read-only", flags == O_RDONLY);
    }
    if (!dev->class->tell(dev, request, reply, &err))
        return -1;
    g_assert_null(vmm_msg_unread(request));
    g_assert_true(vmm_msg_get_u64(reply, "size", &size));
    return size;
}

static void
test_medium(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("blk-XXXXXX", &path, NULL);
    uint64_t data;
    Disk disk;

    g_assert_cmpint(ftruncate(fd, 8192), ==, 0);
    g_assert_cmpint(pwrite(fd, "other", 5, 0), ==, 5);
    vmm_msg_put_bool(params, "removable", true);
    vmm_msg_put_bool(params, "read-only", true);
    disk_open(&disk, params, O_RDONLY);
    guest_enable_msix(disk.guest);
    guest_start(disk.guest, DISK_FEATURES);
    data = disk_put_data(&disk, 512, 1);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);

    g_assert_cmpint(change_medium(&disk, NULL, 0), ==, 0);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==, 0);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);

    g_assert_cmpint(change_medium(&disk, path, O_RDWR), ==, -1);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==, 0);
    g_assert_cmpint(change_medium(&disk, path, O_RDONLY), ==, 8192);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==, 16);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpstr(guest_memory(disk.guest, data, 512), ==, "other");
    g_assert_cmpint(change_medium(&disk, disk.path, O_RDONLY), ==, DISK_SIZE); /* at once */
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpstr(guest_memory(disk.guest, data, 512), ==, "");
    disk_close(&disk);
    close(fd);
    g_unlink(path);
}

static gint reads_fail;

ssize_t __real_preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags);

ssize_t
__wrap_preadv2(int fd, const struct iovec *iov, int n, off_t offset, int flags)
{
    if (!g_atomic_int_get(&reads_fail))
        return __real_preadv2(fd, iov, n, offset, flags);
    errno = EIO;
    return -1;
}

/* The guest is stopped by a read that fails. */
static uint64_t
stop_by_read(Disk *disk, uint64_t data)
{
    uint64_t status = disk_offer(disk, 0, VIRTIO_BLK_T_IN, 0, data, 512, true);

    g_atomic_int_set(&reads_fail, 1);
    guest_kick(disk->guest, 0);
    while (disk->guest->test->n_requests == 0)
        test_board_settle(disk->guest->test);
    disk->guest->dev->class->pause(disk->guest->dev);
    g_atomic_int_set(&reads_fail, 0);
    return status;
}

/* A request that waits for a medium fails with it, and a guest that is paused has that in its memory at once: it may be
 * saved next. */
static void
test_medium_paused(void)
{
    VmmMsg *params = disk_params_with("on-read-error", "stop");
    uint64_t data, status;
    uint32_t head, len;
    Disk disk;

    vmm_msg_put_bool(params, "removable", true);
    vmm_msg_put_bool(params, "read-only", true);
    vmm_msg_put_string(params, "io", "threads");
    disk_open(&disk, params, O_RDONLY);
    guest_enable_msix(disk.guest);
    guest_start(disk.guest, DISK_FEATURES);
    data = disk_put_data(&disk, 512, 1);
    status = stop_by_read(&disk, data);
    g_assert_false(guest_take_used(disk.guest, 0, &head, &len));
    g_assert_cmpint(change_medium(&disk, disk.path, O_RDONLY), ==, DISK_SIZE);
    g_assert_true(guest_take_used(disk.guest, 0, &head, &len));
    g_assert_cmpuint(disk_status(&disk, status), ==, VIRTIO_BLK_S_IOERR);
    disk.guest->dev->class->resume(disk.guest->dev);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    disk_close(&disk);
}

/* What is no drive keeps what it has. */
static void
test_no_medium(void)
{
    Disk disk;

    disk_start(&disk, NULL);
    g_assert_cmpint(change_medium(&disk, NULL, 0), ==, -1);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==, DISK_SIZE / 512);
    disk_close(&disk);
}

typedef struct BadParameter {
    const char *key, *word; /* NULL: @number counts */
    uint64_t number;
    const char *text;
} BadParameter;

static const BadParameter bad_parameters[] = {
    { "queues", NULL, 0, "Disk 'disk' has a queues of 0, which is not from 1 to 32" },
    { "queues", NULL, 33, "Disk 'disk' has a queues of 33, which is not from 1 to 32" },
    { "queue-size", NULL, 48, "Disk 'disk' has a queue-size of 48, which is no power of two" },
    { "queue-size", NULL, 2048,
      "Disk 'disk' has a queue-size of 2048, which is not from 4 to 1024" },
    { "logical-block-size", NULL, 8192,
      "Disk 'disk' has a logical-block-size of 8192, which is not from 512 to 4096" },
    { "physical-block-size", NULL, 256,
      "Disk 'disk' has a physical-block-size of 256, which is not from 512 to 65536" },
    { "serial", "123456789012345678901", 0,
      "The serial number of disk 'disk' is longer than 20 bytes" },
    { "on-write-error", "often", 0, "Disk 'disk' has no on-write-error 'often'" },
    { "on-read-error", "perhaps", 0, "Disk 'disk' has no on-read-error 'perhaps'" },
    { "format", "qed", 0, "Disk 'disk' has an image of format 'qed', which is not supported" },
};

static void
test_bad_parameters(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_parameters); i++) {
        const BadParameter *bad = &bad_parameters[i];
        g_autofree char *path = NULL;
        vmm_msg_auto params = disk_params(g_file_open_tmp("blk-XXXXXX", &path, NULL));
        Device dev = { .id = (char *)"disk", .lock = PTHREAD_MUTEX_INITIALIZER };
        VmmError err = { 0 };

        if (bad->word)
            vmm_msg_put_string(params, bad->key, bad->word);
        else
            vmm_msg_put_u64(params, bad->key, bad->number);
        g_assert_null(bare_new(&dev, params, &err));
        g_assert_cmpstr(err.text, ==, bad->text);
        g_unlink(path);
    }
}

/* A thread of its own may not do what opens another medium. */
static void
test_drive_in_thread(void)
{
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    Device dev = { .id = (char *)"disk", .lock = PTHREAD_MUTEX_INITIALIZER };
    VmmError err = { 0 };

    vmm_msg_put_bool(params, "removable", true);
    vmm_msg_put_u64(params, "iothread", 1);
    g_assert_null(bare_new(&dev, params, &err));
    g_assert_cmpstr(err.text, ==, "Drive 'disk' cannot have an I/O thread");
}

/* Told of the disk: counters and times of what went well, how far its file is written, and once that it is written
 * behind a threshold. */
static void
test_figures(void)
{
    vmm_msg_auto request = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_TELL_DEVICE);
    vmm_msg_auto reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    uint64_t data, value;
    const char *status;
    Device *dev;
    Disk disk;

    disk_start(&disk, NULL);
    dev = disk.guest->dev;
    data = disk_put_data(&disk, 1024, 1);
    vmm_msg_put_u64(request, "threshold", 4096);
    g_assert_true(dev->class->tell(dev, request, reply, NULL));
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 6, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_events->len, ==, 0); /* up to it is not behind it */
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 7, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 8, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_events->len, ==, 1);
    g_assert_cmpstr(vmm_msg_name(disk_events->pdata[0]), ==, VMM_EVENT_BLOCK_THRESHOLD);
    g_assert_true(vmm_msg_get_u64(disk_events->pdata[0], "threshold", &value));
    g_assert_cmpuint(value, ==, 4096);
    g_assert_true(vmm_msg_get_u64(disk_events->pdata[0], "excess", &value));
    g_assert_cmpuint(value, ==, 512);

    vmm_msg_free(g_steal_pointer(&reply));
    reply = vmm_msg_new(VMM_MSG_REPLY, 1, VMM_TELL_DEVICE);
    g_assert_true(dev->class->tell(dev, request, reply, NULL));
    g_assert_true(vmm_msg_get_u64(reply, "wr-requests", &value));
    g_assert_cmpuint(value, ==, 3);
    g_assert_true(vmm_msg_get_u64(reply, "wr-time", &value));
    g_assert_cmpuint(value, >, 0);
    g_assert_true(vmm_msg_get_u64(reply, "written-to", &value));
    g_assert_cmpuint(value, ==, 10 * 512);
    g_assert_true(vmm_msg_get_u64(reply, "file-size", &value));
    g_assert_cmpuint(value, ==, DISK_SIZE);
    g_assert_true(vmm_msg_get_string(reply, "io-status", &status));
    g_assert_cmpstr(status, ==, "ok");
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-blk/wce", test_wce);
    g_test_add_func("/virtio-blk/wce-under-way", test_wce_under_way);
    g_test_add_func("/virtio-blk/figures", test_figures);
    g_test_add_func("/virtio-blk/resize", test_resize);
    g_test_add_func("/virtio-blk/medium", test_medium);
    g_test_add_func("/virtio-blk/medium-paused", test_medium_paused);
    g_test_add_func("/virtio-blk/no-medium", test_no_medium);
    g_test_add_func("/virtio-blk/bad-parameters", test_bad_parameters);
    g_test_add_func("/virtio-blk/drive-in-thread", test_drive_in_thread);
    return g_test_run();
}
