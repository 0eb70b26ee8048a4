/* What a request on qcow2 may cost, however large the image is and whoever made it. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <string.h>

#define CLUSTER 512u

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
open_disk(const EngineClass *engine)
{
    VmmError err = { 0 };
    Qcow2Disk *disk = qcow2_disk_open(engine, path, "writeback", FALSE, NULL, &err);

    if (!disk)
        g_error("%s", err.text);
    return disk;
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
    disk = open_disk(&recorder_class);
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-bounds/search", test_search);
    return g_test_run();
}
