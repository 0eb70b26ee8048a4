/* Whose error is whose: a request on qcow2 fails for its own reasons, not with what it waited for. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <errno.h>
#include <string.h>

#define CLUSTER   512u
#define TABLE     (CLUSTER / 8 * CLUSTER) /* bytes of the disk that one L2 table, which is one slice, has entries for */
#define N_CHANGED 2048u                   /* slices that the cache has room for */
#define N_READ    600u                    /* others, more than a quarter of that */

static char *dir, *path;
static Qcow2Disk *disk;

static void
create(const char *size)
{
    dir = qcow2_test_dir(FALSE);
    path = g_build_filename(dir, "disk.qcow2", NULL);
    qemu_img("create -q -f qcow2 -o cluster_size=%u %s %s", CLUSTER, path, size);
}

static void
open_disk(const EngineClass *engine)
{
    VmmError err = { 0 };

    disk = qcow2_disk_open(engine, path, "writeback", FALSE, NULL, &err);
    if (!disk)
        g_error("%s", err.text);
}

static void
open_recorded(void)
{
    recorder_begin(path, 3);
    open_disk(&recorder_class);
}

static void
finish_with(gboolean leaks)
{
    block_drain(disk->block);
    qcow2_disk_close(disk);
    recorder_end();
    qemu_img_check(path, leaks);
    g_free(path);
    qcow2_test_dir_free(dir);
}

static void
finish(void)
{
    finish_with(FALSE);
}

static int
write_byte(guint64 offset, guint8 byte)
{
    guint8 data[CLUSTER];

    memset(data, byte, sizeof(data));
    return qcow2_do(disk, BLOCK_WRITE, offset, sizeof(data), data);
}

static void
assert_byte(guint64 offset, guint8 byte)
{
    guint8 data[CLUSTER], expected[CLUSTER];

    memset(expected, byte, sizeof(expected));
    g_assert_cmpint(qcow2_do(disk, BLOCK_READ, offset, sizeof(data), data), ==, 0);
    g_assert_cmpmem(data, sizeof(data), expected, sizeof(expected));
}

/* The host's disk is full, and changes of more tables wait to be written than the cache has room for. What is read has
 * tables of its own, none of them in memory. */

static void
write_all_tables(void)
{
    open_disk(NULL);
    for (guint i = 0; i < N_CHANGED + N_READ; i++)
        g_assert_cmpint(write_byte((guint64)i * TABLE, i % 255 + 1), ==, 0);
    block_drain(disk->block);
    qcow2_disk_close(disk);
}

/* Each changes one more table, in memory. */
static guint
change_tables(guint n)
{
    guint i = 0;

    while (i < n && qcow2_do(disk, BLOCK_ZERO, (guint64)i * TABLE, CLUSTER, NULL) == 0)
        i++;
    return i;
}

static void
test_full_disk(void)
{
    guint changed;

    create("96M");
    write_all_tables();
    open_recorded();
    recorder.fail_after = 1;
    changed = change_tables(N_CHANGED + 1);
    g_assert_cmpuint(changed, >, N_CHANGED / 2);
    g_assert_cmpuint(changed, <=, N_CHANGED); /* whoever changes tables needs room, and fails */
    for (guint i = N_CHANGED; i < N_CHANGED + N_READ; i++)
        assert_byte((guint64)i * TABLE, i % 255 + 1);
    for (guint i = 0; i < changed; i++)
        assert_byte((guint64)i * TABLE, 0);
    recorder.fail_after = 0;
    g_assert_cmpuint(change_tables(N_CHANGED), ==, N_CHANGED);
    finish();
}

/* Two at the same time: the first one's error, which the second has waited for, is not the second one's. */

static Qcow2Request *
begin_write(guint64 offset)
{
    g_autofree guint8 *data = g_malloc(CLUSTER);
    Qcow2Request *req;

    memset(data, 0x5a, CLUSTER);
    req = qcow2_request(disk, BLOCK_WRITE, offset, CLUSTER, data);
    block_submit(disk->block, &req->block);
    return req;
}

static int
end(Qcow2Request *req)
{
    int error;

    while (!req->ended)
        block_wait(disk->block);
    error = req->error;
    qcow2_request_free(req);
    return error;
}

static void
test_others_table(void)
{
    Qcow2Request *first, *second;

    create("1M");
    open_recorded();
    recorder.fail_change = 1; /* the first one's L2 table */
    first = begin_write(0);
    second = begin_write(TABLE);
    g_assert_cmpint(end(first), ==, EIO);
    g_assert_cmpint(end(second), ==, 0);
    assert_byte(TABLE, 0x5a);
    finish();
}

static void
test_others_commit(void)
{
    Qcow2Request *flush, *second;

    create("1M");
    open_recorded();
    g_assert_cmpint(write_byte(0, 1), ==, 0);
    recorder.fail_change = recorder.n_changes + 1;
    flush = qcow2_request(disk, BLOCK_FLUSH, 0, 0, NULL);
    block_submit(disk->block, &flush->block);
    second = begin_write(CLUSTER);
    g_assert_cmpint(end(flush), ==, EIO);
    g_assert_cmpint(end(second), ==, 0);
    assert_byte(CLUSTER, 0x5a);
    finish();
}

static int
flush(void)
{
    int error;

    pthread_mutex_lock(&disk->lock);
    error = block_flush(disk->block);
    pthread_mutex_unlock(&disk->lock);
    return error;
}

/* What the host has no room for is kept, and told of at each attempt, until there is some. */
static void
test_flush_full(void)
{
    create("1M");
    open_recorded();
    g_assert_cmpint(write_byte(0, 1), ==, 0);
    recorder.fail_after = 1;
    block_drain(disk->block); /* which says nothing */
    for (guint i = 0; i < 2; i++)
        g_assert_cmpint(flush(), ==, ENOSPC);
    recorder.fail_after = 0;
    g_assert_cmpint(flush(), ==, 0);
    qcow2_disk_close(disk);
    open_disk(&recorder_class); /* with what has reached the file, and nothing else */
    assert_byte(0, 1);
    finish();
}

/* Any write or sync may fail. After a sync that did nobody knows what the file has, and that stays so (flushed() in
 * raw.c); a write is made again. TRUE where all went well. */
static gboolean
flush_with_failure(guint change)
{
    gboolean failed;

    create("1M");
    open_recorded();
    g_assert_cmpint(write_byte(0, 1), ==, 0);
    recorder.fail_change = recorder.n_changes + change;
    failed = flush() == EIO;
    g_assert_cmpint(flush(), ==, failed && recorder.sync_failed ? EIO : 0);
    finish_with(failed);
    return !failed;
}

static void
test_flush_failure(void)
{
    guint change = 1;

    while (!flush_with_failure(change))
        change++;
    g_assert_cmpuint(change, >, 3); /* counts, a sync, entries, a sync */
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/qcow2-errors/full-disk", test_full_disk);
    g_test_add_func("/qcow2-errors/others-table", test_others_table);
    g_test_add_func("/qcow2-errors/others-commit", test_others_commit);
    g_test_add_func("/qcow2-errors/flush/full", test_flush_full);
    g_test_add_func("/qcow2-errors/flush/failure", test_flush_failure);
    return g_test_run();
}
