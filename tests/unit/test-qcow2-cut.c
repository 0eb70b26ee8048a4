/* Power cuts: what is on the disk after one is what was there at the last sync and any part, in any order,
 * of what was written since. After each sync of a run such disks are made up; qemu-img must find no
 * corruption in them, and what the guest had flushed must be there. */
#include "qemu-kvm-backend/block/engine.h"
#include "tests/unit/qcow2-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

#define SIZE   (4u << 20)
#define SECTOR 512u
#define CUTS   2 /* made up disks at each sync */

/* A write since the last sync: whole sectors, as a disk writes them. */
typedef struct Write {
    uint64_t offset;
    uint8_t *data;
    size_t size;
} Write;

/* An engine that does everything at once, in an order of its own, and keeps the book. */
typedef struct Recorder {
    Engine engine;
    int fd, backing_fd;
    GPtrArray *ops;
    GByteArray *stable; /* as the file was at the last sync */
    GPtrArray *writes;  /* since */
    GRand *rand;
    void (*synced)(void);          /* before the writes are forgotten */
    unsigned n_writes, fail_after; /* so many writes succeed from now on; 0: all */
} Recorder;

static Recorder recorder;

static void
write_free(gpointer data)
{
    Write *write = data;

    g_free(write->data);
    g_free(write);
}

static void
note(uint64_t offset, const uint8_t *data, size_t size)
{
    Write *write = g_new0(Write, 1);

    *write = (Write){ offset, g_malloc0(size), size };
    if (data)
        memcpy(write->data, data, size);
    g_ptr_array_add(recorder.writes, write);
}

static void
apply(GByteArray *disk, uint64_t offset, const uint8_t *data, size_t size)
{
    if (disk->len < offset + size) {
        guint before = disk->len;

        g_byte_array_set_size(disk, offset + size);
        memset(disk->data + before, 0, disk->len - before);
    }
    memcpy(disk->data + offset, data, size);
}

static void
sync_now(void)
{
    if (recorder.synced)
        recorder.synced();
    for (guint i = 0; i < recorder.writes->len; i++) {
        const Write *write = g_ptr_array_index(recorder.writes, i);

        apply(recorder.stable, write->offset, write->data, write->size);
    }
    g_ptr_array_set_size(recorder.writes, 0);
}

static int64_t
do_write(const EngineOp *op)
{
    g_autoptr(GByteArray) data = g_byte_array_new();

    if (recorder.fail_after > 0 && --recorder.fail_after == 0) {
        recorder.fail_after = 1; /* for good */
        return -ENOSPC;
    }
    for (unsigned i = 0; i < op->n_iov; i++)
        g_byte_array_append(data, op->iov[i].iov_base, op->iov[i].iov_len);
    note(op->offset, data->data, data->len);
    return pwrite(recorder.fd, data->data, data->len, op->offset);
}

/* Holes and zeros are writes of zeros, no further than the file goes. */
static int64_t
do_allocate(const EngineOp *op)
{
    off_t end = lseek(recorder.fd, 0, SEEK_END);

    if (fallocate(recorder.fd, op->mode, op->offset, op->size) < 0)
        return -errno;
    if (op->offset < (uint64_t)end)
        note(op->offset, NULL, MIN(op->size, (uint64_t)end - op->offset));
    return 0;
}

static int64_t
perform(const EngineOp *op)
{
    switch (op->kind) {
    case ENGINE_READ:
        return preadv(op->file ? recorder.backing_fd : recorder.fd, op->iov, op->n_iov, op->offset);
    case ENGINE_WRITE:
        return do_write(op);
    case ENGINE_SYNC:
        sync_now();
        return 0;
    case ENGINE_ALLOCATE:
        return do_allocate(op);
    }
    return -ENOSYS;
}

static Engine *
recorder_open(const int *fds, unsigned n, VmmError *err)
{
    recorder.fd = fds[0];
    recorder.backing_fd = fds[1];
    return &recorder.engine;
}

static void
recorder_submit(Engine *engine, EngineOp *op)
{
    g_ptr_array_add(recorder.ops, op);
}

static void
recorder_start(Engine *engine)
{
}

static void
recorder_reap(Engine *engine, bool wait)
{
    guint i = g_rand_int_range(recorder.rand, 0, recorder.ops->len);
    EngineOp *op = g_ptr_array_steal_index(recorder.ops, i);

    op->result = perform(op);
    op->done(op);
}

static void
recorder_close(Engine *engine)
{
}

static const EngineClass recorder_class = {
    .name = "recorder",
    .open = recorder_open,
    .submit = recorder_submit,
    .start = recorder_start,
    .reap = recorder_reap,
    .close = recorder_close,
};

/* The guest */

static char *dir, *path, *cut_path;
static uint8_t *flushed, *now; /* contents: at the last flush, as written */
static Qcow2Disk *disk;

/* What was written since the last flush: sector -> GByteArray of its bytes. */
static GHashTable *later;

static void
note_later(uint64_t sector, guint8 value)
{
    GByteArray *values = g_hash_table_lookup(later, GUINT_TO_POINTER((guint)sector));

    if (!values) {
        values = g_byte_array_new();
        g_hash_table_insert(later, GUINT_TO_POINTER((guint)sector), values);
    }
    g_byte_array_append(values, &value, 1);
}

/* Each sector is what it was when it was flushed, or what was written later: nothing else, such as what
 * another one had. */
static void
check_contents(const char *image)
{
    g_autofree char *raw = g_build_filename(dir, "cut.raw", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    qemu_img("convert -f qcow2 -O raw %s %s", image, raw);
    g_assert_true(g_file_get_contents(raw, &contents, &size, NULL));
    g_assert_cmpuint(size, ==, SIZE);
    for (guint sector = 0; sector < SIZE / SECTOR; sector++) {
        const uint8_t *is = (const uint8_t *)contents + (gsize)sector * SECTOR;
        const GByteArray *values = g_hash_table_lookup(later, GUINT_TO_POINTER(sector));

        if (memcmp(is, flushed + (gsize)sector * SECTOR, SECTOR) == 0)
            continue;
        if (memcmp(is, is + 1, SECTOR - 1) != 0 || !values ||
            !memchr(values->data, *is, values->len))
            g_error("sector %u is %u, was %u", sector, *is, flushed[(gsize)sector * SECTOR]);
    }
}

/* One disk after a cut: each sector of each write is there or not; of two writes to one, the later one
 * may be the one that is not. */
static void
cut_now(void)
{
    g_autoptr(GByteArray) cut = g_byte_array_new();
    unsigned chance = g_rand_int_range(recorder.rand, 0, 101);

    g_byte_array_append(cut, recorder.stable->data, recorder.stable->len);
    for (guint i = 0; i < recorder.writes->len; i++) {
        const Write *write = g_ptr_array_index(recorder.writes, i);

        for (size_t at = 0; at < write->size;) {
            size_t n = MIN(write->size - at, SECTOR - (write->offset + at) % SECTOR);

            if ((unsigned)g_rand_int_range(recorder.rand, 0, 100) < chance)
                apply(cut, write->offset + at, write->data + at, n);
            at += n;
        }
    }
    g_assert_true(g_file_set_contents(cut_path, (const char *)cut->data, cut->len, NULL));
    qemu_img_check(cut_path, TRUE);
    check_contents(cut_path);
}

static void
cut_some(void)
{
    for (unsigned i = 0; i < CUTS; i++)
        cut_now();
}

static void
forget_later(void)
{
    memcpy(flushed, now, SIZE);
    g_hash_table_remove_all(later);
}

static void
change(BlockOp op, uint64_t offset, uint64_t size, guint8 value, gboolean may_fail)
{
    g_autofree uint8_t *data = g_malloc(size);
    Qcow2Request *req;

    memset(data, op == BLOCK_WRITE ? value : 0, size);
    for (uint64_t at = offset; at < offset + size; at += SECTOR)
        note_later(at / SECTOR, *data);
    req = qcow2_request(disk, op, offset, size, op == BLOCK_WRITE ? data : NULL);
    req->block.may_unmap = g_rand_boolean(recorder.rand);
    block_submit(disk->block, &req->block);
    while (!req->ended)
        block_wait(disk->block);
    g_assert_true(req->error == 0 || may_fail);
    if (!req->error && op != BLOCK_DISCARD)
        memcpy(now + offset, data, size);
    else if (!req->error)
        g_assert_cmpint(qcow2_do(disk, BLOCK_READ, offset, size, now + offset), ==, 0);
    qcow2_request_free(req);
}

static void
change_something(guint8 value, gboolean may_fail)
{
    static const BlockOp ops[] = { BLOCK_WRITE, BLOCK_WRITE, BLOCK_WRITE, BLOCK_ZERO,
                                   BLOCK_DISCARD };
    uint64_t sectors = SIZE / SECTOR;
    uint64_t first = g_rand_int_range(recorder.rand, 0, sectors);
    uint64_t n = g_rand_int_range(recorder.rand, 1, g_rand_boolean(recorder.rand) ? 16 : 400);

    n = MIN(n, sectors - first);
    change(ops[g_rand_int_range(recorder.rand, 0, G_N_ELEMENTS(ops))], first * SECTOR, n * SECTOR,
           value, may_fail);
}

static void
begin(const char *options, gboolean snapshot)
{
    g_autofree char *base = NULL, *contents = NULL;
    const char *backing[] = { NULL, NULL };
    g_autofree char *spec = NULL;
    VmmError err = { 0 };
    gsize size;

    dir = qcow2_test_dir(FALSE);
    path = g_build_filename(dir, "disk.qcow2", NULL);
    cut_path = g_build_filename(dir, "cut.qcow2", NULL);
    base = g_build_filename(dir, "base.raw", NULL);
    flushed = g_malloc0(SIZE);
    now = g_malloc0(SIZE);
    memset(now, 0xee, SIZE / 2);
    memcpy(flushed, now, SIZE);
    g_assert_true(g_file_set_contents(base, (const char *)now, SIZE, NULL));
    qemu_img("create -q -f qcow2 -o %s -b %s -F raw %s", options, base, path);
    if (snapshot)
        qemu_img("snapshot -c first %s", path);
    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    recorder = (Recorder){ .engine = { &recorder_class, -1 } };
    recorder.rand = g_rand_new_with_seed(11);
    recorder.ops = g_ptr_array_new();
    recorder.writes = g_ptr_array_new_with_free_func(write_free);
    recorder.stable = g_byte_array_new();
    g_byte_array_append(recorder.stable, (const guint8 *)contents, size);
    later = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_byte_array_unref);
    spec = g_strdup_printf("raw:%s", base);
    backing[0] = spec;
    disk = qcow2_disk_open(&recorder_class, path, "writeback", FALSE, backing, &err);
    if (!disk)
        g_error("%s", err.text);
}

static void
finish(void)
{
    qcow2_disk_close(disk);
    g_rand_free(recorder.rand);
    g_ptr_array_unref(recorder.ops);
    g_ptr_array_unref(recorder.writes);
    g_byte_array_unref(recorder.stable);
    g_hash_table_unref(later);
    g_free(flushed);
    g_free(now);
    g_free(path);
    g_free(cut_path);
    qcow2_test_dir_free(dir);
}

typedef struct Run {
    const char *name, *options;
    gboolean snapshot;
    unsigned steps;
} Run;

static const Run runs[] = {
    { "plain", "compat=1.1", FALSE, 5 },
    { "v2", "compat=0.10", FALSE, 4 },
    { "small", "cluster_size=512,refcount_bits=64", FALSE, 4 },
    { "snapshot", "cluster_size=4k", TRUE, 4 },
};

static void
flush(void)
{
    recorder.synced = cut_some;
    g_assert_cmpint(qcow2_do(disk, BLOCK_FLUSH, 0, 0, NULL), ==, 0);
    forget_later();
    cut_some();
    recorder.synced = NULL;
}

/* After requests that failed, the contents are what is read. */
static void
flush_all(void)
{
    g_assert_cmpint(qcow2_do(disk, BLOCK_READ, 0, SIZE, now), ==, 0);
    flush();
}

static void
test_cut(gconstpointer data)
{
    const Run *run = data;

    begin(run->options, run->snapshot);
    for (unsigned step = 0; step < run->steps; step++) {
        for (int i = g_rand_int_range(recorder.rand, 1, 8); i > 0; i--)
            change_something(step + 1, FALSE);
        flush();
    }
    block_drain(disk->block);
    qemu_img_check(path, FALSE);
    finish();
}

/* The host's disk is full from some write on, whichever it is: requests and flushes fail, nothing that
 * was flushed is lost, and with space again everything goes on. */
static void
test_full(gconstpointer data)
{
    const Run *run = data;

    begin(run->options, run->snapshot);
    for (unsigned step = 0; step < run->steps; step++) {
        recorder.fail_after = 1 + g_rand_int_range(recorder.rand, 1, 12);
        for (int i = 0; i < 6; i++)
            change_something(step + 1, TRUE);
        qcow2_do(disk, BLOCK_FLUSH, 0, 0, NULL);
        cut_some();
        recorder.fail_after = 0;
        flush_all();
    }
    block_drain(disk->block);
    qemu_img_check(path, FALSE);
    finish();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *cut = g_strdup_printf("/qcow2/cut/%s", runs[i].name);
        g_autofree char *full = g_strdup_printf("/qcow2/full/%s", runs[i].name);

        g_test_add_data_func(cut, &runs[i], test_cut);
        g_test_add_data_func(full, &runs[i], test_full);
    }
    return g_test_run();
}
