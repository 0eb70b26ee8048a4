/* What a request on qcow2 may cost, however large the image is and whoever made it. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <string.h>

#define CLUSTER     512u
/* In the header: those features, and where the table of the refcount blocks is. */
#define AT_AUTOCLEAR 88
#define AT_REFTABLE  48

static char *dir, *path;

static void
create(const char *options, const char *size)
{
    dir = qcow2_test_dir(FALSE);
    path = g_build_filename(dir, "disk.qcow2", NULL);
    qemu_img("create -q -f qcow2 -o cluster_size=%u,%s %s %s", CLUSTER, options, path, size);
}

static void
discard_image(void)
{
    g_free(path);
    qcow2_test_dir_free(dir);
}

static Qcow2Disk *
open_disk(const EngineClass *engine, gboolean read_only)
{
    VmmError err = { 0 };
    Qcow2Disk *disk = qcow2_disk_open(engine, path, "writeback", read_only, NULL, &err);

    if (!disk)
        g_error("%s", err.text);
    return disk;
}

/* A refcount table that names one block again and again, each of whose counts would be looked at as often. */

static guint64
get64(const char *contents, gsize at)
{
    guint64 value;

    memcpy(&value, contents + at, sizeof(value));
    return GUINT64_FROM_BE(value);
}

static void
name_block_twice(void)
{
    g_autofree char *contents = NULL;
    gsize size, table;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    table = get64(contents, AT_REFTABLE);
    g_assert_cmpuint(get64(contents, table + 8), !=, 0);
    memcpy(contents + table + 8, contents + table, 8);
    g_assert_true(g_file_set_contents(path, contents, size, NULL));
}

/* Of the features that end with the first change, such as bitmaps. */
static guint64
autoclear(guint64 set)
{
    g_autofree char *contents = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    if (set) {
        set = GUINT64_TO_BE(set);
        memcpy(contents + AT_AUTOCLEAR, &set, sizeof(set));
        g_assert_true(g_file_set_contents(path, contents, size, NULL));
    }
    return get64(contents, AT_AUTOCLEAR);
}

/* They stay where nothing can change. */
static void
test_autoclear(void)
{
    create("preallocation=off", "1M");
    autoclear(2);
    qcow2_disk_close(open_disk(NULL, TRUE));
    g_assert_cmphex(autoclear(0), ==, 2);
    qcow2_disk_close(open_disk(NULL, FALSE));
    g_assert_cmphex(autoclear(0), ==, 0);
    qemu_img_check(path, FALSE);
    discard_image();
}

static void
test_twins(void)
{
    VmmError err = { 0 };

    create("preallocation=metadata", "1M");
    qcow2_disk_close(open_disk(NULL, FALSE));
    name_block_twice();
    autoclear(2);
    g_assert_null(qemu_img_output("check -f qcow2 %s", path)); /* they agree */
    g_assert_null(qcow2_disk_open(NULL, path, "writeback", FALSE, NULL, &err));
    g_assert_cmpstr(err.text, ==,
                    "The qcow2 image of disk 'disk' has a refcount table that names a block twice");
    g_assert_cmphex(autoclear(0), ==, 2);
    qcow2_disk_close(open_disk(NULL, TRUE));
    discard_image();
}

/* An image with more reference counts than the cache has room for, almost all of whose clusters are used. */

#define FULL   (96ull << 20)
#define REUSED (2u << 20) /* more than qemu-img leaves free here and there */
#define ROUNDS 8

static void
discard(Qcow2Disk *disk, guint64 offset, guint64 size)
{
    g_assert_cmpint(qcow2_do(disk, BLOCK_DISCARD, offset, size, NULL), ==, 0);
    block_drain(disk->block);
}

static void
write_again(Qcow2Disk *disk, guint64 offset, guint64 size)
{
    g_autofree guint8 *data = g_malloc(size);

    memset(data, 0x5a, size);
    g_assert_cmpint(qcow2_do(disk, BLOCK_WRITE, offset, size, data), ==, 0);
}

/* One cluster near the file's beginning becomes free, and is used again with one that only its end has. */
static void
reuse(Qcow2Disk *disk, guint64 offset)
{
    discard(disk, offset, CLUSTER);
    write_again(disk, offset, CLUSTER);
    write_again(disk, FULL - REUSED + offset, CLUSTER);
}

/* The first search goes through all of the counts, the others know where to look. */
static void
test_search(void)
{
    unsigned first;
    Qcow2Disk *disk;

    create("preallocation=metadata,refcount_bits=64", "96M");
    recorder_begin(path, 5);
    disk = open_disk(&recorder_class, FALSE);
    discard(disk, FULL - REUSED, REUSED);
    write_again(disk, FULL - REUSED / 2, REUSED / 2);
    first = recorder.n_reads;
    for (guint i = 0; i < ROUNDS; i++)
        reuse(disk, i * CLUSTER);
    g_assert_cmpuint(first, >, 2048);
    g_assert_cmpuint(recorder.n_reads - first, <, first / 10);
    block_drain(disk->block);
    qcow2_disk_close(disk);
    recorder_end();
    qemu_img_check(path, FALSE);
    discard_image();
}

/* A request for a disk that is large and empty: there is much to look at, and nothing to wait for. */

#define EMPTY (128ull << 20) /* 4096 L2 tables that are not there */

static Qcow2Request *
begin(Qcow2Disk *disk, BlockOp op, guint64 size)
{
    Qcow2Request *req = qcow2_request(disk, op, 0, size, NULL);

    block_submit(disk->block, &req->block);
    return req;
}

static Qcow2Request *
begin_shrinking(Qcow2Disk *disk)
{
    Qcow2Request *req = qcow2_request(disk, BLOCK_FLUSH, 0, 0, NULL);
    VmmError err;

    g_assert_true(block_set_size(disk->block, &req->block, CLUSTER, &err));
    return req;
}

/* Others are served before it ends. */
static void
assert_gives_way(Qcow2Disk *disk, Qcow2Request *req)
{
    guint8 data[CLUSTER];

    for (guint i = 0; i < 8; i++) {
        g_assert_cmpint(qcow2_do(disk, BLOCK_READ, 0, CLUSTER, data), ==, 0);
        g_assert_false(req->ended);
        block_wait(disk->block);
    }
    while (!req->ended)
        block_wait(disk->block);
    g_assert_cmpint(req->error, ==, 0);
    qcow2_request_free(req);
}

static void
test_gives_way(void)
{
    Qcow2Disk *disk;

    create("compat=1.1", "128M");
    recorder_begin(path, 5);
    disk = open_disk(&recorder_class, FALSE);
    assert_gives_way(disk, begin(disk, BLOCK_DISCARD, EMPTY));
    assert_gives_way(disk, begin_shrinking(disk));
    g_assert_cmpuint(block_geometry(disk->block).size, ==, CLUSTER);
    qcow2_disk_close(disk);
    recorder_end();
    discard_image();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-bounds/autoclear", test_autoclear);
    g_test_add_func("/qcow2-bounds/twins", test_twins);
    g_test_add_func("/qcow2-bounds/search", test_search);
    g_test_add_func("/qcow2-bounds/gives-way", test_gives_way);
    return g_test_run();
}
