/* A virtio disk: what it is, what it does for a driver, and what it refuses. */
#include "tests/unit/blk-guest.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What it is */

static void
test_identity(void)
{
    VmmMsg *params = disk_params_with("serial", "s");
    Disk disk;

    vmm_msg_put_u64(params, "queues", 4);
    vmm_msg_put_u64(params, "queue-size", 64);
    vmm_msg_put_u64(params, "physical-block-size", 4096);
    disk_open(&disk, params, O_RDWR);
    g_assert_cmphex(config_read(disk.guest->test, 0, 8, 0x00, 4), ==, 0x10421af4);
    g_assert_cmphex(config_read(disk.guest->test, 0, 8, 0x08, 4) >> 8, ==, 0x010000);
    g_assert_cmpuint(guest_get(disk.guest, COMMON_NUM_QUEUES, 2), ==, 4);
    g_assert_cmpuint(DISK_CONFIG(&disk, capacity), ==, DISK_SIZE / 512);
    g_assert_cmpuint(DISK_CONFIG(&disk, seg_max), ==, 62);
    g_assert_cmpuint(DISK_CONFIG(&disk, blk_size), ==, 512);
    g_assert_cmpuint(DISK_CONFIG(&disk, physical_block_exp), ==, 3);
    g_assert_cmpuint(DISK_CONFIG(&disk, min_io_size), ==, 8);
    g_assert_cmpuint(DISK_CONFIG(&disk, num_queues), ==, 4);
    g_assert_cmpuint(DISK_CONFIG(&disk, wce), ==, 1);
    g_assert_cmpuint(DISK_CONFIG(&disk, geometry.heads), ==, 16);
    g_assert_cmpuint(DISK_CONFIG(&disk, geometry.cylinders), ==, DISK_SIZE / 512 / 16 / 63);
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
    VmmMsg *params = disk_params_with("io", way->io);
    uint64_t out, in;
    Disk disk;

    vmm_msg_put_string(params, "cache", way->cache);
    if (way->iothread)
        vmm_msg_put_u64(params, "iothread", 7);
    disk_open(&disk, params, O_RDWR | (direct ? O_DIRECT : 0));
    guest_enable_msix(disk.guest);
    guest_start(disk.guest, DISK_FEATURES);
    out = disk_put_data(&disk, 65536, 1);
    in = disk_put_data(&disk, 65536 + 4, 2) + 4; /* misaligned */
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 3, out, 65536, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 3 * 512, out, 65536);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 3, in, 65536, true), ==, VIRTIO_BLK_S_OK);
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
    status = disk_put_status(&disk);
    parts[0] = (Part){ out, 16 + 512, false };
    parts[1] = (Part){ status, 1, true };
    disk_offer_parts(&disk, 0, parts, 2);
    guest_kick(disk.guest, 0);
    disk_await(&disk, 0, 1);
    g_assert_cmpuint(disk_status(&disk, status), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 0, out + 16, 512);

    header = disk_put_header(&disk, VIRTIO_BLK_T_IN, 0);
    for (unsigned i = 0; i < 16; i++)
        parts[i] = (Part){ header + i, 1, false };
    out = disk_put_data(&disk, 513, 0);
    parts[16] = (Part){ out, 511, true };
    parts[17] = (Part){ out + 511, 2, true }; /* the last byte and the status */
    disk_offer_parts(&disk, 0, parts, 18);
    guest_kick(disk.guest, 0);
    g_assert_cmpuint(disk_await(&disk, 0, 1), ==, 513);
    g_assert_cmpuint(disk_status(&disk, out + 512), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 0, out, 512);
    disk_close(&disk);
}

static void
test_get_id(void)
{
    static const char serial[] = "12345678901234567890";
    uint64_t data;
    Disk disk;

    disk_start(&disk, disk_params_with("serial", serial));
    data = disk_put_data(&disk, 32, 7);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_GET_ID, 0, data, 20, true), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpmem(guest_memory(disk.guest, data, 20), 20, serial, 20);
    data = disk_put_data(&disk, 32, 7);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_GET_ID, 0, data, 4, true), ==, VIRTIO_BLK_S_OK);
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
    return disk_run(disk, type, 0, gpa, sizeof(range), false);
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
    out = disk_put_data(&disk, 65536, 1);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, out, 65536, false), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 3, 5, 0), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 16, 8, 1), ==, 0);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, 64, 64, 0), ==, 0);
    disk_check_file(&disk, 0, out, 3 * 512);
    g_assert_true(disk_file_is_zero(&disk, 3 * 512, 5 * 512));
    disk_check_file(&disk, 8 * 512, out + 8 * 512, 8 * 512);
    g_assert_true(disk_file_is_zero(&disk, 16 * 512, 8 * 512));
    disk_check_file(&disk, 24 * 512, out + 24 * 512, 40 * 512);
    g_assert_true(disk_file_is_zero(&disk, 64 * 512, 64 * 512));
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

        g_assert_cmpuint(disk_run(&disk, bad->type, bad->sector, data, bad->size, bad->in), ==,
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
    g_assert_true(disk_file_is_zero(&disk, 0, DISK_SIZE));
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
    data = disk_put_data(&disk, 512, 1);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, data, 512, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_WRITE_ZEROES, 0, 1, 0), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(run_range(&disk, VIRTIO_BLK_T_DISCARD, 0, 1, 0), ==, VIRTIO_BLK_S_UNSUPP);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_FLUSH, 0, 0, 0, false), ==, VIRTIO_BLK_S_OK);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 512, true), ==, VIRTIO_BLK_S_OK);
    g_assert_true(disk_file_is_zero(&disk, 0, 512));
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
    data = disk_put_data(&disk, 8192, 1);
    g_assert_cmpuint(DISK_CONFIG(&disk, blk_size), ==, 4096);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 8, data, 4096, false), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 4096, data, 4096);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 1, data, 4096, false), ==, VIRTIO_BLK_S_IOERR);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 8, data, 512, false), ==, VIRTIO_BLK_S_IOERR);
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
    parts[0] = (Part){ disk_put_header(&disk, VIRTIO_BLK_T_FLUSH, 0), no_status ? 16 : 15, false };
    parts[1] = (Part){ disk_put_status(&disk), 1, true };
    disk_offer_parts(&disk, 0, parts, no_status ? 1 : 2);
    guest_kick(disk.guest, 0);
    g_assert_true(guest_get(disk.guest, COMMON_STATUS, 1) & STATUS_NEEDS_RESET);
    g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_CONFIG_MSI), ==, 1);
    guest_reset(disk.guest);
    disk.next = 0;
    guest_start(disk.guest, DISK_FEATURES);
    buffer = disk_put_data(&disk, 512, 3);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_OUT, 0, buffer, 512, false), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 0, buffer, 512);
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
        data[i] = disk_put_data(&disk, 4096, i);
        status[i] = disk_offer(&disk, i, VIRTIO_BLK_T_OUT, i * 8, data[i], 4096, false);
    }
    for (unsigned i = 0; i < 4; i++)
        guest_kick(disk.guest, i);
    for (unsigned i = 0; i < 4; i++) {
        disk_await(&disk, i, 1);
        g_assert_cmpuint(disk_status(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
        g_assert_cmpuint(test_board_take_msi(disk.guest->test, GUEST_VECTOR(i)), ==, 1);
        disk_check_file(&disk, i * 4096, data[i], 4096);
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

    disk_start(&disk, disk_params_with("io", io));
    data = disk_put_data(&disk, N * 4096, 5);
    for (unsigned i = 0; i < N; i++)
        status[i] = disk_offer(&disk, 0, VIRTIO_BLK_T_OUT, i * 8, data + i * 4096, 4096, false);
    guest_kick(disk.guest, 0);
    disk.guest->dev->class->pause(disk.guest->dev);
    for (unsigned i = 0; i < N; i++)
        g_assert_cmpuint(disk_status(&disk, status[i]), ==, VIRTIO_BLK_S_OK);
    disk_check_file(&disk, 0, data, N * 4096);
    disk_await(&disk, 0, N);
    disk.guest->dev->class->resume(disk.guest->dev);
    g_assert_cmpuint(disk_run(&disk, VIRTIO_BLK_T_IN, 0, data, 4096, true), ==, VIRTIO_BLK_S_OK);
    disk_close(&disk);
}

/* Nothing of a driver that is gone is written into its memory. */
static void
test_reset_under_way(gconstpointer io)
{
    enum { N = 60 };
    uint64_t data;
    Disk disk;

    disk_start(&disk, disk_params_with("io", io));
    data = disk_put_data(&disk, N * 4096, 5);
    for (unsigned i = 0; i < N; i++)
        disk_offer(&disk, 0, VIRTIO_BLK_T_IN, i * 8, data + i * 4096, 4096, true);
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

int
main(int argc, char **argv)
{
    static const char *const ios[] = { "io_uring", "threads" };

    g_test_init(&argc, &argv, NULL);
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

        g_test_add_data_func(pause, ios[i], test_pause);
        g_test_add_data_func(reset, ios[i], test_reset_under_way);
    }
    return g_test_run();
}
