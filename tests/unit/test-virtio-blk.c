#include "tests/unit/virtio-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/virtio/virtio-classes.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <linux/virtio_blk.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define MIB       ((uint64_t)1 << 20)
#define DISK_SIZE (1 * MIB)
/* Every feature but the event index, which would want to be driven. */
#define ALL       (~(1ull << VIRTIO_F_EVENT_IDX))
#define NO_STATUS 0xee

typedef struct Disk {
    VirtioGuest *guest;
    char *path;
    int fd;
    unsigned next; /* descriptor to use */
} Disk;

/* Events come from the disk's own thread, too. */
static GPtrArray *events;

static void
notify(Board *board, VmmMsg *event)
{
    g_ptr_array_add(events, event);
}

static void
free_event(gpointer event)
{
    vmm_msg_free(event);
}

static VmmMsg *
blk_params(int fd)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_fd(params, "fd", fd);
    return params;
}

/* @params without a descriptor yet are taken over; NULL: the defaults. */
static void
disk_open(Disk *disk, VmmMsg *params, int flags)
{
    disk->fd = g_file_open_tmp("blk-XXXXXX", &disk->path, NULL);
    g_assert_cmpint(ftruncate(disk->fd, DISK_SIZE), ==, 0);
    if (!params)
        params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    vmm_msg_put_string(params, "device", "blk");
    vmm_msg_put_fd(params, "fd", open(disk->path, flags | O_CLOEXEC));
    disk->guest = virtio_guest_new(params, 8 * MIB);
    disk->guest->test->board.notify = notify;
    disk->next = 0;
    g_clear_pointer(&events, g_ptr_array_unref);
    events = g_ptr_array_new_with_free_func(free_event);
}

static void
disk_start(Disk *disk, VmmMsg *params)
{
    disk_open(disk, params, O_RDWR);
    guest_enable_msix(disk->guest);
    guest_start(disk->guest, ALL);
}

static void
disk_close(Disk *disk)
{
    virtio_guest_free(disk->guest);
    g_clear_pointer(&events, g_ptr_array_unref);
    close(disk->fd);
    g_unlink(disk->path);
    g_free(disk->path);
}

static VmmMsg *
params_with(const char *key, const char *value)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(params, key, value);
    return params;
}

/* Requests: descriptors in a row, of parts that are as long and lie as the test says */

typedef struct Part {
    uint64_t gpa;
    uint32_t size;
    bool in;
} Part;

static uint16_t
offer_parts(Disk *disk, unsigned queue, const Part *parts, unsigned n)
{
    VirtioGuest *guest = disk->guest;
    uint16_t head = disk->next;

    for (unsigned i = 0; i < n; i++) {
        guest_desc(guest, guest->queues[queue].desc, head + i, parts[i].gpa, parts[i].size,
                   (parts[i].in ? DESC_WRITE : 0) | (i + 1 < n ? DESC_NEXT : 0), head + i + 1);
    }
    disk->next = (head + n) % 240;
    guest_offer(guest, queue, head);
    return head;
}

static uint64_t
put_header(Disk *disk, uint32_t type, uint64_t sector)
{
    uint64_t gpa = guest_alloc(disk->guest, sizeof(struct virtio_blk_outhdr));
    struct virtio_blk_outhdr header = { .type = type, .sector = sector };

    memcpy(guest_memory(disk->guest, gpa, sizeof(header)), &header, sizeof(header));
    return gpa;
}

static uint64_t
put_status(Disk *disk)
{
    uint64_t gpa = guest_alloc(disk->guest, 1);

    *(uint8_t *)guest_memory(disk->guest, gpa, 1) = NO_STATUS;
    return gpa;
}

/* The usual three parts; the status' address. */
static uint64_t
offer(Disk *disk, unsigned queue, uint32_t type, uint64_t sector, uint64_t data, uint32_t size,
      bool in)
{
    uint64_t status = put_status(disk);
    Part parts[] = { { put_header(disk, type, sector), 16, false },
                     { data, size, in },
                     { status, 1, true } };

    if (size == 0)
        parts[1] = parts[2];
    offer_parts(disk, queue, parts, size ? 3 : 2);
    return status;
}

static uint8_t
status_at(Disk *disk, uint64_t gpa)
{
    return *(uint8_t *)guest_memory(disk->guest, gpa, 1);
}

/* Waits until @n chains were given back, then their last one's length. */
static uint32_t
await(Disk *disk, unsigned queue, unsigned n)
{
    gint64 until = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    uint32_t head, len = 0;

    while (n > 0) {
        test_board_settle(disk->guest->test);
        while (n > 0 && guest_take_used(disk->guest, queue, &head, &len))
            n--;
        g_assert_cmpint(g_get_monotonic_time(), <, until);
    }
    g_assert_false(guest_take_used(disk->guest, queue, &head, &len));
    return len;
}

static uint8_t
run(Disk *disk, uint32_t type, uint64_t sector, uint64_t data, uint32_t size, bool in)
{
    uint64_t status = offer(disk, 0, type, sector, data, size, in);

    guest_kick(disk->guest, 0);
    g_assert_cmpuint(await(disk, 0, 1), ==, in ? size + 1 : 1);
    return status_at(disk, status);
}

static uint64_t
put_data(Disk *disk, size_t size, unsigned seed)
{
    uint64_t gpa = guest_alloc(disk->guest, size);
    uint8_t *data = guest_memory(disk->guest, gpa, size);

    for (size_t i = 0; i < size; i++)
        data[i] = seed + i + i / 253;
    return gpa;
}

static void
check_file(Disk *disk, uint64_t at, uint64_t gpa, size_t size)
{
    g_autofree uint8_t *back = g_malloc(size);

    g_assert_cmpint(pread(disk->fd, back, size, at), ==, size);
    g_assert_cmpmem(back, size, guest_memory(disk->guest, gpa, size), size);
}

static bool
file_is_zero(Disk *disk, uint64_t at, size_t size)
{
    g_autofree uint8_t *back = g_malloc(size), *zeros = g_malloc0(size);

    g_assert_cmpint(pread(disk->fd, back, size, at), ==, size);
    return memcmp(back, zeros, size) == 0;
}

/* What it is */

static uint64_t
config_get(Disk *disk, unsigned offset, unsigned size)
{
    return mmio_read(disk->guest->test, disk->guest->device + offset, size);
}

#define CONFIG(disk, member)                                                                       \
    config_get(disk, offsetof(struct virtio_blk_config, member),                                   \
               sizeof(((struct virtio_blk_config *)0)->member))

static void
test_identity(void)
{
    VmmMsg *params = params_with("serial", "s");
    Disk disk;

    vmm_msg_put_u64(params, "queues", 4);
    vmm_msg_put_u64(params, "queue-size", 64);
    vmm_msg_put_u64(params, "physical-block-size", 4096);
    disk_open(&disk, params, O_RDWR);
    g_assert_cmphex(config_read(disk.guest->test, 0, 8, 0x00, 4), ==, 0x10421af4);
    g_assert_cmphex(config_read(disk.guest->test, 0, 8, 0x08, 4) >> 8, ==, 0x010000);
    g_assert_cmpuint(guest_get(disk.guest, COMMON_NUM_QUEUES, 2), ==, 4);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==, DISK_SIZE / 512);
    g_assert_cmpuint(CONFIG(&disk, seg_max), ==, 62);
    g_assert_cmpuint(CONFIG(&disk, blk_size), ==, 512);
    g_assert_cmpuint(CONFIG(&disk, physical_block_exp), ==, 3);
    g_assert_cmpuint(CONFIG(&disk, min_io_size), ==, 8);
    g_assert_cmpuint(CONFIG(&disk, num_queues), ==, 4);
    g_assert_cmpuint(CONFIG(&disk, wce), ==, 1);
    g_assert_cmpuint(CONFIG(&disk, geometry.heads), ==, 16);
    g_assert_cmpuint(CONFIG(&disk, geometry.cylinders), ==, DISK_SIZE / 512 / 16 / 63);
    disk_close(&disk);
}

/* What is offered, by what the disk is. */
static void
test_features(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    uint32_t features;
    Disk disk;

    vmm_msg_put_bool(params, "read-only", true);
    vmm_msg_put_bool(params, "discard", true);
    disk_open(&disk, params, O_RDONLY);
    features = guest_get(disk.guest, COMMON_FEATURE, 4);
    g_assert_true(features & 1u << VIRTIO_BLK_F_RO);
    g_assert_false(features & (1u << VIRTIO_BLK_F_DISCARD | 1u << VIRTIO_BLK_F_WRITE_ZEROES |
                               1u << VIRTIO_BLK_F_CONFIG_WCE));
    disk_close(&disk);
    disk_open(&disk, NULL, O_RDWR);
    features = guest_get(disk.guest, COMMON_FEATURE, 4);
    g_assert_false(features & (1u << VIRTIO_BLK_F_RO | 1u << VIRTIO_BLK_F_DISCARD));
    g_assert_true(features & 1u << VIRTIO_BLK_F_WRITE_ZEROES);
    g_assert_true(features & 1u << VIRTIO_BLK_F_MQ);
    disk_close(&disk);
}

/* What it does */

typedef struct Way {
    const char *name;
    const char *io, *cache;
    bool iothread;
} Way;

static const Way ways[] = {
    { "io_uring", "io_uring", "writeback", false },
    { "io_uring-direct", "io_uring", "none", false },
    { "io_uring-iothread", "io_uring", "writeback", true },
    { "threads", "threads", "writeback", false },
    { "threads-direct", "threads", "directsync", false },
    { "threads-iothread", "threads", "writethrough", true },
};

static void
test_data(gconstpointer data)
{
    const Way *way = data;
    bool direct = g_str_equal(way->cache, "none") || g_str_equal(way->cache, "directsync");
    VmmMsg *params = params_with("io", way->io);
    uint64_t out, in;
    Disk disk;

    vmm_msg_put_string(params, "cache", way->cache);
    if (way->iothread)
        vmm_msg_put_u64(params, "iothread", 7);
    disk_open(&disk, params, O_RDWR | (direct ? O_DIRECT : 0));
    guest_enable_msix(disk.guest);
    guest_start(disk.guest, ALL);
    out = put_data(&disk, 65536, 1);
    in = put_data(&disk, 65536 + 4, 2) + 4; /* misaligned */
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 3, out, 65536, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 3 * 512, out, 65536);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 3, in, 65536, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpmem(guest_memory(disk.guest, in, 65536), 65536,
                    guest_memory(disk.guest, out, 65536), 65536);
    g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_VECTOR(0)), ==, 3);
    disk_close(&disk);
}

/* Header, data and status lie as the driver likes (2.7.4): here all in one, there byte by byte. */
static void
test_framing(void)
{
    uint64_t out, status, header;
    Part parts[20];
    uint8_t *both;
    Disk disk;

    disk_start(&disk, NULL);
    out = guest_alloc(disk.guest, 16 + 512);
    both = guest_memory(disk.guest, out, 16 + 512);
    ((struct virtio_blk_outhdr *)both)->type = VIRTIO_BLK_T_OUT;
    memset(both + 16, 0x5a, 512);
    status = put_status(&disk);
    parts[0] = (Part){ out, 16 + 512, false };
    parts[1] = (Part){ status, 1, true };
    offer_parts(&disk, 0, parts, 2);
    guest_kick(disk.guest, 0);
    await(&disk, 0, 1);
    g_assert_cmpuint(status_at(&disk, status), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 0, out + 16, 512);

    header = put_header(&disk, VIRTIO_BLK_T_IN, 0);
    for (unsigned i = 0; i < 16; i++)
        parts[i] = (Part){ header + i, 1, false };
    out = put_data(&disk, 513, 0);
    parts[16] = (Part){ out, 511, true };
    parts[17] = (Part){ out + 511, 2, true }; /* the last byte and the status */
    offer_parts(&disk, 0, parts, 18);
    guest_kick(disk.guest, 0);
    g_assert_cmpuint(await(&disk, 0, 1), ==, 513);
    g_assert_cmpuint(status_at(&disk, out + 512), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 0, out, 512);
    disk_close(&disk);
}

static void
test_get_id(void)
{
    static const char serial[] = "12345678901234567890";
    uint64_t data;
    Disk disk;

    disk_start(&disk, params_with("serial", serial));
    data = put_data(&disk, 32, 7);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_GET_ID, 0, data, 20, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpmem(guest_memory(disk.guest, data, 20), 20, serial, 20);
    data = put_data(&disk, 32, 7);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_GET_ID, 0, data, 4, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpmem(guest_memory(disk.guest, data, 4), 4, serial, 4);
    g_assert_cmpuint(*(uint8_t *)guest_memory(disk.guest, data + 4, 1), ==, 7 + 4);
    disk_close(&disk);
}

static uint8_t
run_range(Disk *disk, uint32_t type, uint64_t sector, uint32_t n, uint32_t flags)
{
    struct virtio_blk_discard_write_zeroes range = { sector, n, flags };
    uint64_t gpa = guest_alloc(disk->guest, sizeof(range));

    memcpy(guest_memory(disk->guest, gpa, sizeof(range)), &range, sizeof(range));
    return run(disk, type, 0, gpa, sizeof(range), false);
}

static VmmMsg *
discard_params(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_bool(params, "discard", true);
    return params;
}

static void
test_ranges(void)
{
    uint64_t out;
    Disk disk;

    disk_start(&disk, discard_params());
    out = put_data(&disk, 65536, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, out, 65536, false), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 16, 8, 1), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, 64, 64, 0), ==, 0);
    check_file(&disk, 0, out, 3 * 512);
    g_assert_true(file_is_zero(&disk, 3 * 512, 5 * 512));
    check_file(&disk, 8 * 512, out + 8 * 512, 8 * 512);
    g_assert_true(file_is_zero(&disk, 16 * 512, 8 * 512));
    check_file(&disk, 24 * 512, out + 24 * 512, 40 * 512);
    g_assert_true(file_is_zero(&disk, 64 * 512, 64 * 512));
    disk_close(&disk);
}

/* What it refuses */

typedef struct BadRequest {
    uint32_t type;
    uint64_t sector;
    uint32_t size;
    bool in;
    uint8_t status;
} BadRequest;

static const BadRequest bad_requests[] = {
    { VIRTIO_BLK_T_IN, DISK_SIZE / 512, 512, true, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_IN, DISK_SIZE / 512 - 1, 1024, true, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_IN, UINT64_MAX, 512, true, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_IN, UINT64_MAX / 512 + 1, 512, true, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_OUT, UINT64_MAX, 1024, false, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_IN, 0, 100, true, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_OUT, 0, 513, false, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_IN, 0, 512, false, VIRTIO_BLK_S_OK }, /* nothing to read into */
    { VIRTIO_BLK_T_OUT, 0, 512, true, VIRTIO_BLK_S_OK }, /* nothing to write */
    { VIRTIO_BLK_T_SCSI_CMD, 0, 512, true, VIRTIO_BLK_S_UNSUPP },
    { VIRTIO_BLK_T_SECURE_ERASE, 0, 16, false, VIRTIO_BLK_S_UNSUPP },
    { 0xffffffff, 0, 512, true, VIRTIO_BLK_S_UNSUPP },
    { VIRTIO_BLK_T_DISCARD, 0, 15, false, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_DISCARD, 0, 32, false, VIRTIO_BLK_S_IOERR },
    { VIRTIO_BLK_T_WRITE_ZEROES, 0, 4096, false, VIRTIO_BLK_S_IOERR },
};

static void
test_refused(void)
{
    uint64_t data;
    Disk disk;

    disk_start(&disk, discard_params());
    data = guest_alloc(disk.guest, 8192);
    memset(guest_memory(disk.guest, data, 8192), 0xaa, 8192);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_requests); i++) {
        const BadRequest *bad = &bad_requests[i];

        g_assert_cmpuint(run(&disk, bad->type, bad->sector, data, bad->size, bad->in), ==,
                         bad->status);
    }
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, 0, 8, 1), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 8, 2), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 0, UINT32_MAX, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, UINT64_MAX, 1, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, DISK_SIZE / 512, 1, 0), ==,
                     VIRTIO_BLK_S_IOERR);
    g_assert_true(file_is_zero(&disk, 0, DISK_SIZE));
    for (unsigned i = 0; i < 8192; i++)
        g_assert_cmphex(((uint8_t *)guest_memory(disk.guest, data, 8192))[i], ==, 0xaa);
    disk_close(&disk);
}

static void
test_read_only(void)
{
    VmmMsg *params = discard_params();
    uint64_t data;
    Disk disk;

    vmm_msg_put_bool(params, "read-only", true);
    disk_start(&disk, params);
    data = put_data(&disk, 512, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, 0, 1, 0), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_true(file_is_zero(&disk, 0, 512));
    disk_close(&disk);
}

static void
test_big_blocks(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    uint64_t data;
    Disk disk;

    vmm_msg_put_u64(params, "logical-block-size", 4096);
    disk_start(&disk, params);
    data = put_data(&disk, 8192, 1);
    g_assert_cmpuint(CONFIG(&disk, blk_size), ==, 4096);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 8, data, 4096, false), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 4096, data, 4096);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 1, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 8, data, 512, false), ==, VIRTIO_BLK_S_IOERR);
    disk_close(&disk);
}

/* Requests that cannot be answered break the device, until the driver resets it. */
static void
test_broken(gconstpointer data)
{
    bool no_status = GPOINTER_TO_INT(data);
    uint64_t buffer;
    Part parts[2];
    Disk disk;

    disk_start(&disk, NULL);
    parts[0] = (Part){ put_header(&disk, VIRTIO_BLK_T_FLUSH, 0), no_status ? 16 : 15, false };
    parts[1] = (Part){ put_status(&disk), 1, true };
    offer_parts(&disk, 0, parts, no_status ? 1 : 2);
    guest_kick(disk.guest, 0);
    g_assert_true(guest_get(disk.guest, COMMON_STATUS, 1) & STATUS_NEEDS_RESET);
    g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_CONFIG_MSI), ==, 1);
    guest_reset(disk.guest);
    disk.next = 0;
    guest_start(disk.guest, ALL);
    buffer = put_data(&disk, 512, 3);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, buffer, 512, false), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 0, buffer, 512);
    disk_close(&disk);
}

/* Several at once */

static void
test_queues(void)
{
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    uint64_t data[4], status[4];
    Disk disk;

    vmm_msg_put_u64(params, "queues", 4);
    disk_start(&disk, params);
    for (unsigned i = 0; i < 4; i++) {
        data[i] = put_data(&disk, 4096, i);
        status[i] = offer(&disk, i, VIRTIO_BLK_T_OUT, i * 8, data[i], 4096, false);
    }
    for (unsigned i = 0; i < 4; i++)
        guest_kick(disk.guest, i);
    for (unsigned i = 0; i < 4; i++) {
        await(&disk, i, 1);
        g_assert_cmpuint(status_at(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
        g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_VECTOR(i)), ==, 1);
        check_file(&disk, i * 4096, data[i], 4096);
    }
    disk_close(&disk);
}

/* All that was under way has been answered when a pause returns. */
static void
test_pause(gconstpointer io)
{
    enum { N = 60 };
    uint64_t status[N], data;
    Disk disk;

    disk_start(&disk, params_with("io", io));
    data = put_data(&disk, N * 4096, 5);
    for (unsigned i = 0; i < N; i++)
        status[i] = offer(&disk, 0, VIRTIO_BLK_T_OUT, i * 8, data + i * 4096, 4096, false);
    guest_kick(disk.guest, 0);
    disk.guest->dev->class->pause(disk.guest->dev);
    for (unsigned i = 0; i < N; i++)
        g_assert_cmpuint(status_at(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 0, data, N * 4096);
    await(&disk, 0, N);
    disk.guest->dev->class->resume(disk.guest->dev);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 4096, true), ==, VIRTIO_BLK_S_OK);
    disk_close(&disk);
}

/* Nothing of a driver that is gone is written into its memory. */
static void
test_reset_under_way(gconstpointer io)
{
    enum { N = 60 };
    uint64_t data;
    Disk disk;

    disk_start(&disk, params_with("io", io));
    data = put_data(&disk, N * 4096, 5);
    for (unsigned i = 0; i < N; i++)
        offer(&disk, 0, VIRTIO_BLK_T_IN, i * 8, data + i * 4096, 4096, true);
    guest_kick(disk.guest, 0);
    guest_reset(disk.guest);
    memset(guest_memory(disk.guest, data, N * 4096), 0xcc, N * 4096);
    for (unsigned i = 0; i < 5; i++) {
        g_usleep(2000);
        test_board_settle(disk.guest->test);
    }
    for (unsigned i = 0; i < N * 4096; i++)
        g_assert_cmphex(((uint8_t *)guest_memory(disk.guest, data, N * 4096))[i], ==, 0xcc);
    disk_close(&disk);
}

/* The host fails: a limit on the size of files stands for it */

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
    VmmMsg *event = events->pdata[0];
    const char *value;

    g_assert_cmpuint(events->len, ==, 1);
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

    disk_start(&disk, params_with("on-write-error", policy));
    data = put_data(&disk, 4096, 1);
    limit_files(65536);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
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

    disk_start(&disk, params_with("on-write-error", "ignore"));
    data = put_data(&disk, 4096, 1);
    limit_files(65536);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 1024, data, 4096, false), ==, VIRTIO_BLK_S_OK);
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
        status[i] = offer(disk, 0, VIRTIO_BLK_T_OUT, 1024 + i * 8, data + i * 4096, 4096, false);
    guest_kick(disk->guest, 0);
    disk->guest->dev->class->pause(disk->guest->dev);
    limit_files(unlimited.rlim_cur);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(status_at(disk, status[i]), ==, NO_STATUS);
    g_assert_cmpuint(disk->guest->test->n_requests, ==, 1);
    g_assert_cmpuint(disk->guest->test->request, ==, BOARD_IO_ERROR);
    check_event(VMM_ACTION_PAUSE);
}

static void
test_stop_and_retry(gconstpointer io)
{
    VmmMsg *params = params_with("on-write-error", "stop");
    uint64_t data, status[3];
    Disk disk;

    vmm_msg_put_string(params, "io", io);
    disk_start(&disk, params);
    data = put_data(&disk, 3 * 4096, 1);
    stop_disk(&disk, status, data);
    disk.guest->dev->class->resume(disk.guest->dev);
    await(&disk, 0, 3);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(status_at(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
    check_file(&disk, 1024 * 512, data, 3 * 4096);
    g_assert_cmpuint(disk.guest->test->n_requests, ==, 1);
    disk_close(&disk);
}

static void
test_stop_and_reset(void)
{
    uint64_t data, status[3];
    Disk disk;

    disk_start(&disk, params_with("on-write-error", "stop"));
    data = put_data(&disk, 3 * 4096, 1);
    stop_disk(&disk, status, data);
    disk.guest->dev->class->reset(disk.guest->dev);
    disk.guest->dev->class->resume(disk.guest->dev);
    test_board_settle(disk.guest->test);
    for (unsigned i = 0; i < 3; i++)
        g_assert_cmpuint(status_at(&disk, status[i]), ==, NO_STATUS);
    g_assert_true(file_is_zero(&disk, 1024 * 512, 3 * 4096));
    disk_close(&disk);
}

/* Configuration */

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
    data = put_data(&disk, 512, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    set_wce(&disk, 0);
    g_assert_cmpuint(CONFIG(&disk, wce), ==, 0);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    set_wce(&disk, 0x80);
    g_assert_cmpuint(CONFIG(&disk, wce), ==, 1);
    set_wce(&disk, 0);
    mmio_write(disk.guest->test, disk.guest->device, 4, 0xffffffff);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==,
                     DISK_SIZE / 512); /* not for the driver to write */
    guest_reset(disk.guest);
    g_assert_cmpuint(CONFIG(&disk, wce), ==, 1);
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
    vmm_msg_auto params = blk_params(dup(fd));
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
    guest_start(disk.guest, ALL);
    data = put_data(&disk, 512, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);

    g_assert_cmpint(change_medium(&disk, NULL, 0), ==, 0);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==, 0);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);

    g_assert_cmpint(change_medium(&disk, path, O_RDWR), ==, -1);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==, 0);
    g_assert_cmpint(change_medium(&disk, path, O_RDONLY), ==, 8192);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==, 16);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpstr(guest_memory(disk.guest, data, 512), ==, "other");
    g_assert_cmpint(change_medium(&disk, disk.path, O_RDONLY), ==, DISK_SIZE); /* at once */
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpstr(guest_memory(disk.guest, data, 512), ==, "");
    disk_close(&disk);
    close(fd);
    g_unlink(path);
}

/* What is no drive keeps what it has. */
static void
test_no_medium(void)
{
    Disk disk;

    disk_start(&disk, NULL);
    g_assert_cmpint(change_medium(&disk, NULL, 0), ==, -1);
    g_assert_cmpuint(CONFIG(&disk, capacity), ==, DISK_SIZE / 512);
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
        vmm_msg_auto params = blk_params(g_file_open_tmp("blk-XXXXXX", &path, NULL));
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
    data = put_data(&disk, 1024, 1);
    vmm_msg_put_u64(request, "threshold", 4096);
    g_assert_true(dev->class->tell(dev, request, reply, NULL));
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 6, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(events->len, ==, 0); /* up to it is not behind it */
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 7, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 8, data, 1024, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(events->len, ==, 1);
    g_assert_cmpstr(vmm_msg_name(events->pdata[0]), ==, VMM_EVENT_BLOCK_THRESHOLD);
    g_assert_true(vmm_msg_get_u64(events->pdata[0], "threshold", &value));
    g_assert_cmpuint(value, ==, 4096);
    g_assert_true(vmm_msg_get_u64(events->pdata[0], "excess", &value));
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

/* Limits: one byte a second lets one request pass, and the next ones in hours. */

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
        ret_status[i] = offer(disk, 0, VIRTIO_BLK_T_IN, 0, data, 4096, true);
    guest_kick(disk->guest, 0);
}

static unsigned
count_done(Disk *disk, const uint64_t *status, unsigned n)
{
    unsigned done = 0;

    for (unsigned i = 0; i < n; i++)
        done += status_at(disk, status[i]) == VIRTIO_BLK_S_OK;
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
    await(&disk, 0, 1);
    settle_for_a_while(&disk);
    g_assert_cmpuint(count_done(&disk, status, N), ==, 1);
    /* Writes and flushes have no limit here. */
    data = put_data(&disk, 512, 1);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    /* New ones count at once, for those that wait as well. */
    g_assert_true(set_limit(&disk, 2, NULL));
    await(&disk, 0, 1);
    g_assert_cmpuint(count_done(&disk, status, N), ==, 2);
    g_assert_false(set_limit(&disk, UINT64_MAX, NULL));
    g_assert_true(set_limit(&disk, 0, NULL));
    await(&disk, 0, N - 2);
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
    await(&disk, 0, 1);
    disk.guest->dev->class->pause(disk.guest->dev);
    g_assert_cmpuint(count_done(&disk, status, N), ==, N);
    await(&disk, 0, N - 1);
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
    await(&disk, 0, 1);
    offer_reads(&other, others, 2);
    settle_for_a_while(&other);
    g_assert_cmpuint(count_done(&other, others, 2), ==, 0);
    /* The other disk looks again by itself. */
    g_assert_true(set_limit(&disk, 0, "group"));
    await(&disk, 0, 1);
    while (count_done(&other, others, 2) < 2)
        settle_for_a_while(&other);
    await(&other, 0, 2);
    /* Out of the group, it has what it may use for itself. */
    g_assert_true(set_limit(&disk, 1, "group"));
    g_assert_true(set_limit(&other, 1, NULL));
    offer_reads(&disk, status, 1);
    await(&disk, 0, 1);
    offer_reads(&other, others, 1);
    await(&other, 0, 1);
    disk_close(&other);
    disk_close(&disk);
}

int
main(int argc, char **argv)
{
    static const char *const ios[] = { "io_uring", "threads" };

    g_test_init(&argc, &argv, NULL);
    getrlimit(RLIMIT_FSIZE, &unlimited);
    signal(SIGXFSZ, SIG_IGN);
    g_test_add_func("/virtio-blk/identity", test_identity);
    g_test_add_func("/virtio-blk/features", test_features);
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *name = g_strdup_printf("/virtio-blk/data/%s", ways[i].name);

        g_test_add_data_func(name, &ways[i], test_data);
    }
    g_test_add_func("/virtio-blk/framing", test_framing);
    g_test_add_func("/virtio-blk/get-id", test_get_id);
    g_test_add_func("/virtio-blk/ranges", test_ranges);
    g_test_add_func("/virtio-blk/refused", test_refused);
    g_test_add_func("/virtio-blk/read-only", test_read_only);
    g_test_add_func("/virtio-blk/big-blocks", test_big_blocks);
    g_test_add_data_func("/virtio-blk/broken/no-status", GINT_TO_POINTER(true), test_broken);
    g_test_add_data_func("/virtio-blk/broken/short-header", GINT_TO_POINTER(false), test_broken);
    g_test_add_func("/virtio-blk/queues", test_queues);
    for (size_t i = 0; i < G_N_ELEMENTS(ios); i++) {
        g_autofree char *pause = g_strdup_printf("/virtio-blk/pause/%s", ios[i]);
        g_autofree char *reset = g_strdup_printf("/virtio-blk/reset/%s", ios[i]);
        g_autofree char *limits = g_strdup_printf("/virtio-blk/limits/%s", ios[i]);
        g_autofree char *stop = g_strdup_printf("/virtio-blk/error/stop-and-retry/%s", ios[i]);

        g_test_add_data_func(pause, ios[i], test_pause);
        g_test_add_data_func(reset, ios[i], test_reset_under_way);
        g_test_add_data_func(limits, ios[i], test_limits);
        g_test_add_data_func(stop, ios[i], test_stop_and_retry);
    }
    g_test_add_data_func("/virtio-blk/error/report", "report", test_report);
    g_test_add_data_func("/virtio-blk/error/report-if-not-full", "enospace", test_report);
    g_test_add_func("/virtio-blk/error/ignore", test_ignore);
    g_test_add_func("/virtio-blk/error/stop-and-reset", test_stop_and_reset);
    g_test_add_func("/virtio-blk/wce", test_wce);
    g_test_add_func("/virtio-blk/figures", test_figures);
    g_test_add_func("/virtio-blk/limits/pause", test_limits_pause);
    g_test_add_func("/virtio-blk/limits/group", test_limits_group);
    g_test_add_func("/virtio-blk/resize", test_resize);
    g_test_add_func("/virtio-blk/medium", test_medium);
    g_test_add_func("/virtio-blk/no-medium", test_no_medium);
    g_test_add_func("/virtio-blk/bad-parameters", test_bad_parameters);
    g_test_add_func("/virtio-blk/drive-in-thread", test_drive_in_thread);
    return g_test_run();
}
