/* What a disk is told of the file that it is in, by a host of our own: a kernel that says what O_DIRECT wants or does not,
 * and block devices, with what is asked of them. */
#include "qemu-kvm-backend/block/file.h"
#include "tests/unit/qcow2-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB (1u << 20)

/* The host. */
static struct {
    bool is_device;
    unsigned logical, physical;           /* bytes, of a device */
    unsigned blksize;                     /* of a file; 0: it is as it is */
    uint32_t memory_align, offset_align; /* as the kernel says; 0: it does not */
    uint32_t wanted_align;                /* of those that read */
    unsigned n_reads;
    gint n_discards;
} host;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_statx(int fd, const char *path, int flags, unsigned mask, struct statx *stx);
int __real_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset);

int
__wrap_fstat(int fd, struct stat *st)
{
    int result = __real_fstat(fd, st);

    if (host.is_device)
        st->st_mode = S_IFBLK | 0600;
    if (host.blksize)
        st->st_blksize = host.blksize;
    return result;
}

int
__wrap_statx(int fd, const char *path, int flags, unsigned mask, struct statx *stx)
{
    *stx = (struct statx){
        .stx_mask = host.offset_align ? STATX_DIOALIGN : 0,
        .stx_dio_mem_align = host.memory_align,
        .stx_dio_offset_align = host.offset_align,
    };
    return 0;
}

int
__wrap_ioctl(int fd, unsigned long request, void *arg)
{
    switch (request) {
    case BLKGETSIZE64:
        *(uint64_t *)arg = MIB;
        return 0;
    case BLKPBSZGET:
        *(unsigned *)arg = host.physical;
        return 0;
    case BLKSSZGET:
        *(unsigned *)arg = host.logical;
        return 0;
    case BLKDISCARD:
        g_atomic_int_inc(&host.n_discards);
        return 0;
    default:
        return __real_ioctl(fd, request, arg);
    }
}

ssize_t
__wrap_pread(int fd, void *data, size_t size, off_t offset)
{
    host.n_reads++;
    if (((uintptr_t)data | size | offset) % host.wanted_align == 0)
        return __real_pread(fd, data, size, offset);
    errno = EINVAL;
    return -1;
}

/* As a disk without cache finds it in a file of 1 MiB, which has a byte of data at @data_at; -1: none. */
static BlockFile
inspect(off_t data_at)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("file-XXXXXX", &path, NULL);
    BlockFile file = { 0 };
    VmmError err = { 0 };

    g_assert_no_errno(ftruncate(fd, MIB));
    if (data_at >= 0)
        g_assert_cmpint(pwrite(fd, "x", 1, data_at), ==, 1);
    fsync(fd);
    close(fd);
    file.fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
    g_assert_cmpint(file.fd, >=, 0);
    host.n_reads = 0;
    if (!block_file_inspect(&file, "disk", true, &err))
        g_error("%s", err.text);
    g_assert_true(file.direct);
    close(file.fd);
    g_unlink(path);
    return file;
}

static void
check_align(off_t data_at, uint32_t memory_align, uint32_t offset_align)
{
    BlockFile file = inspect(data_at);

    g_assert_cmpuint(file.memory_align, ==, memory_align);
    g_assert_cmpuint(file.offset_align, ==, offset_align);
}

static void
test_told(void)
{
    host.memory_align = 4;
    host.offset_align = 512;
    check_align(0, 4, 512);
    g_assert_cmpuint(host.n_reads, ==, 0);
    host.memory_align = host.offset_align = 0;
}

static void
test_device(void)
{
    host.is_device = true;
    host.logical = 512;
    host.physical = 4096;
    check_align(-1, 512, 512);
    host.logical = 4096;
    check_align(-1, 4096, 4096);
    g_assert_cmpuint(host.n_reads, ==, 0);
    host.is_device = false;
}

static void
test_file(void)
{
    static const uint32_t aligns[] = { 1, 512, 4096 };

    for (size_t i = 0; i < G_N_ELEMENTS(aligns); i++) {
        uint32_t got = aligns[i] <= 512 ? 512 : 4096;

        host.wanted_align = aligns[i];
        check_align(0, got, got);
        g_assert_cmpuint(host.n_reads, ==, 1);
        check_align(MIB / 2 + 5000, got, got);
        g_assert_cmpuint(host.n_reads, ==, 1);
    }
}

/* A hole is read by a file system that asks no device. */
static void
test_hole(void)
{
    host.wanted_align = 1;
    check_align(-1, 4096, 4096);
    g_assert_cmpuint(host.n_reads, ==, 0);
}

/* What a file system likes to move at once may be a lot more than what it has to. */
static void
test_block_size(void)
{
    static const struct {
        unsigned blksize, size;
    } files[] = {
        { 512, 512 }, { 4096, 4096 }, { 6000, 4096 }, { 131072, 4096 }, { 1 << 20, 4096 }
    };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        host.blksize = files[i].blksize;
        g_assert_cmpuint(inspect(-1).block_size, ==, files[i].size);
    }
    host.is_device = true;
    host.physical = 16384;
    g_assert_cmpuint(inspect(-1).block_size, ==, 16384);
    host.is_device = false;
}

/* An engine of threads that is seen to be opened for discards, or not. */

static bool opened_for_discards, has_no_helper;

static Engine *
noting_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    Engine *engine = engine_threads_class.open(fds, n, workers, discards, err);

    opened_for_discards = discards;
    if (engine && has_no_helper)
        engine->discards = false;
    return engine;
}

static const EngineClass noting_class = { .name = "noting", .open = noting_open };

static void
reaped(void *data)
{
}

static void
done(BlockRequest *req, int error)
{
    g_assert_cmpint(error, ==, 0);
}

/* Of the first cluster, with something in it. */
static void
discard(Block *block)
{
    static char data[65536] = { 1 };
    struct iovec iov = { data, sizeof(data) };
    BlockRequest write = { .op = BLOCK_WRITE, .size = sizeof(data), .iov = &iov, .n_iov = 1, .done = done };
    BlockRequest req = { .op = BLOCK_DISCARD, .size = sizeof(data), .done = done };

    block_submit(block, &write);
    block_drain(block);
    block_submit(block, &req);
    block_drain(block);
}

static const struct Disk {
    const char *name, *format;
    bool read_only, discard;
    bool asks;
    gint n_discards; /* where the guest would */
    bool no_helper;  /* the engine cannot, whatever it is asked for */
} disks[] = {
    { "raw", "raw", false, false, false, 0 },
    { "raw-discard", "raw", false, true, true, 1 },
    { "raw-read-only", "raw", true, true, false, 0 },
    { "raw-without", "raw", false, true, true, 0, .no_helper = true },
    { "qcow2", "qcow2", false, false, true, 1 }, /* it frees clusters whatever its guest may */
    { "qcow2-discard", "qcow2", false, true, true, 1 },
    { "qcow2-without", "qcow2", false, true, true, 0, .no_helper = true },
};

/* A disk on a device has a thread for discards where it may be asked for some. */
static void
test_discards(gconstpointer data)
{
    const struct Disk *disk = data;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const BlockOwner owner = { "disk", &lock, reaped, NULL };
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    char *dir = qcow2_test_dir(FALSE);
    g_autofree char *path = g_build_filename(dir, "disk", NULL);
    VmmError err = { 0 };
    Block *block;

    qemu_img("create -q -f %s %s 1M", disk->format, path);
    g_assert_no_errno(truncate(path, MIB));
    vmm_msg_put_fd(params, "fd", open(path, (disk->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC));
    vmm_msg_put_string(params, "format", disk->format);
    vmm_msg_put_bool(params, "read-only", disk->read_only);
    vmm_msg_put_bool(params, "discard", disk->discard);
    host.is_device = true;
    host.logical = host.physical = 512;
    host.n_discards = 0;
    has_no_helper = disk->no_helper;
    block = block_open_with(&noting_class, params, &owner, &err);
    if (!block)
        g_error("%s", err.text);
    g_assert_cmpint(opened_for_discards, ==, disk->asks);
    g_assert_null(vmm_msg_unread(params));
    if (!disk->read_only)
        discard(block);
    g_assert_cmpint(host.n_discards, ==, disk->n_discards);
    block_close(block);
    host.is_device = false;
    qcow2_test_dir_free(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/block-file/align/told", test_told);
    g_test_add_func("/block-file/align/device", test_device);
    g_test_add_func("/block-file/align/file", test_file);
    g_test_add_func("/block-file/align/hole", test_hole);
    g_test_add_func("/block-file/block-size", test_block_size);
    for (size_t i = 0; i < G_N_ELEMENTS(disks); i++) {
        g_autofree char *name = g_strdup_printf("/block-file/discards/%s", disks[i].name);

        g_test_add_data_func(name, &disks[i], test_discards);
    }
    return g_test_run();
}
