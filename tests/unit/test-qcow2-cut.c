/* Power cuts: what is on the disk after one is what was there at the last sync and any part, in any order,
 * of what was written since. After each sync of a run such disks are made up; qemu-img must find no
 * corruption in them, and what the guest had flushed must be there. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <string.h>

#define SIZE   (4u << 20)
#define SECTOR RECORDER_SECTOR
#define CUTS   2 /* made up disks at each sync */

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

static void
cut_now(void)
{
    recorder_cut(cut_path);
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
    g_autofree char *base = NULL;
    const char *backing[] = { NULL, NULL };
    g_autofree char *spec = NULL;
    VmmError err = { 0 };

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
    recorder_begin(path, 11);
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
    recorder_end();
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
