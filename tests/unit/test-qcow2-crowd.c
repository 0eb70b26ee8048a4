/* Requests on qcow2 that are under way together, whose I/O is done in any order, fails now and then, and is cut off at
 * any sync: each sector is at all times what was flushed or what was asked for later, and qemu-img finds no corruption. */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <errno.h>
#include <string.h>

#define SIZE      (1u << 20)
#define SECTOR    RECORDER_SECTOR
#define N_SECTORS (SIZE / SECTOR)
#define AT_A_TIME 12
#define N_ROUNDS  6
#define PER_ROUND 60

/* A sector, all of whose bytes are the same. */
typedef struct Sector {
    GByteArray *may;     /* what it may be after a power cut */
    guint n_before;      /* of these, what was asked for before the flush that is under way */
    guint8 now, flushed; /* what it is; and was when that flush began */
    gboolean vague;      /* it may be whatever it may be */
    gboolean taken;      /* by a request that is under way */
} Sector;

static char *dir, *path, *cut_path;
static Qcow2Disk *disk;
static Sector sectors[N_SECTORS];
static GPtrArray *reqs;
static Qcow2Request *flush;
static guint8 next_byte;

/* What may be seen */

static gboolean
may_be(const Sector *sector, guint8 byte)
{
    return memchr(sector->may->data, byte, sector->may->len) != NULL;
}

static guint8
byte_of(const guint8 *data)
{
    g_assert_cmpint(memcmp(data, data + 1, SECTOR - 1), ==, 0);
    return *data;
}

static void
check_contents(const guint8 *data, gsize first, gsize n, gboolean after_cut)
{
    for (gsize i = 0; i < n; i++) {
        const Sector *sector = &sectors[first + i];
        guint8 is = byte_of(data + i * SECTOR);

        if (!may_be(sector, is))
            g_error("sector %zu is %u, which it never was", first + i, is);
        if (!after_cut && !sector->vague && !sector->taken && is != sector->now)
            g_error("sector %zu is %u, not %u", first + i, is, sector->now);
    }
}

static void
check_image(const char *image)
{
    g_autofree char *raw = g_build_filename(dir, "cut.raw", NULL);
    g_autofree char *contents = NULL;
    gsize size;

    qemu_img_check(image, TRUE);
    qemu_img("convert -f qcow2 -O raw %s %s", image, raw);
    g_assert_true(g_file_get_contents(raw, &contents, &size, NULL));
    g_assert_cmpuint(size, ==, SIZE);
    check_contents((const guint8 *)contents, 0, N_SECTORS, TRUE);
}

static void
cut_sometimes(void)
{
    if (g_rand_int_range(recorder.rand, 0, 4) > 0)
        return;
    recorder_cut(cut_path);
    check_image(cut_path);
}

/* Requests */

static gboolean
is_taken(gsize first, gsize n)
{
    for (gsize i = first; i < first + n; i++) {
        if (sectors[i].taken)
            return TRUE;
    }
    return FALSE;
}

static void
choose_range(gsize *ret_first, gsize *ret_n)
{
    do {
        *ret_n = g_rand_int_range(recorder.rand, 1, g_rand_int_range(recorder.rand, 0, 8) ? 24 : 400);
        *ret_first = g_rand_int_range(recorder.rand, 0, N_SECTORS - *ret_n);
    } while (is_taken(*ret_first, *ret_n));
}

static guint8
value_of(const Qcow2Request *req)
{
    return req->op == BLOCK_WRITE ? *req->data : 0;
}

static void
take(const Qcow2Request *req, gboolean take)
{
    guint8 value = value_of(req);

    for (gsize i = req->offset / SECTOR; i < (req->offset + req->size) / SECTOR; i++) {
        sectors[i].taken = take;
        if (take && req->op != BLOCK_READ)
            g_byte_array_append(sectors[i].may, &value, 1);
    }
}

static void
submit(void)
{
    static const BlockOp ops[] = { BLOCK_READ,  BLOCK_WRITE, BLOCK_WRITE,  BLOCK_WRITE,
                                   BLOCK_WRITE, BLOCK_ZERO,  BLOCK_DISCARD };
    BlockOp op = ops[g_rand_int_range(recorder.rand, 0, G_N_ELEMENTS(ops))];
    g_autofree guint8 *data = NULL;
    gsize first, n;
    Qcow2Request *req;

    choose_range(&first, &n);
    data = g_malloc(n * SECTOR);
    memset(data, ++next_byte, n * SECTOR);
    req = qcow2_request(disk, op, first * SECTOR, n * SECTOR, op == BLOCK_WRITE ? data : NULL);
    req->block.may_unmap = g_rand_boolean(recorder.rand);
    take(req, TRUE);
    g_ptr_array_add(reqs, req);
    block_submit(disk->block, &req->block);
}

/* Nothing that is read fails. */
static void
check_read(const Qcow2Request *req)
{
    g_assert_cmpint(req->error, ==, 0);
    check_contents(req->data, req->offset / SECTOR, req->size / SECTOR, FALSE);
}

/* What has failed, or was discarded, may be what it was. */
static void
note_change(const Qcow2Request *req)
{
    for (gsize i = req->offset / SECTOR; i < (req->offset + req->size) / SECTOR; i++) {
        sectors[i].vague = req->error || req->op == BLOCK_DISCARD;
        sectors[i].now = value_of(req);
    }
}

static void
begin_flush(void)
{
    flush = qcow2_request(disk, BLOCK_FLUSH, 0, 0, NULL);
    for (gsize i = 0; i < N_SECTORS; i++) {
        sectors[i].flushed = sectors[i].now;
        sectors[i].n_before = sectors[i].taken || sectors[i].vague ? 0 : sectors[i].may->len;
    }
    block_submit(disk->block, &flush->block);
}

static void
end_flush(void)
{
    for (gsize i = 0; i < N_SECTORS && !flush->error; i++) {
        Sector *sector = &sectors[i];

        if (sector->n_before == 0)
            continue;
        sector->may->data[0] = sector->flushed;
        g_byte_array_remove_range(sector->may, 1, sector->n_before - 1);
    }
    qcow2_request_free(flush);
    flush = NULL;
}

static void
collect(void)
{
    for (guint i = 0; i < reqs->len;) {
        Qcow2Request *req = g_ptr_array_index(reqs, i);

        if (!req->ended) {
            i++;
            continue;
        }
        g_assert_true(req->error == 0 || recorder.fail_change || recorder.fail_after);
        take(req, FALSE);
        if (req->op == BLOCK_READ)
            check_read(req);
        else
            note_change(req);
        qcow2_request_free(req);
        g_ptr_array_remove_index_fast(reqs, i);
    }
    if (flush && flush->ended)
        end_flush();
}

static void
wait_until(guint left)
{
    while (reqs->len > left || (left == 0 && flush)) {
        block_wait(disk->block);
        collect();
    }
}

/* Now that nothing is under way it is known what each sector is. */
static void
look_at_all(void)
{
    g_autofree guint8 *data = g_malloc(SIZE);

    g_assert_cmpint(qcow2_do(disk, BLOCK_READ, 0, SIZE, data), ==, 0);
    check_contents(data, 0, N_SECTORS, FALSE);
    for (gsize i = 0; i < N_SECTORS; i++) {
        sectors[i].now = data[i * SECTOR];
        sectors[i].vague = FALSE;
    }
}

/* The run */

typedef struct Run {
    const char *name, *options;
    gboolean snapshot, compressed;
} Run;

static const Run runs[] = {
    { "plain", "compat=1.1", FALSE, FALSE },
    { "snapshot", "compat=1.1,cluster_size=4k", TRUE, FALSE },
    { "2k", "compat=1.1,cluster_size=2k", FALSE, FALSE },
    { "512", "compat=1.1,cluster_size=512,refcount_bits=64", FALSE, FALSE },
    { "v2", "compat=0.10,cluster_size=1k", FALSE, FALSE },
    { "compressed", "compat=1.1,cluster_size=8k", FALSE, TRUE },
    { "compressed-snapshot", "compat=0.10,cluster_size=4k", TRUE, TRUE },
};

/* What the disk shows at first: bytes in its first half, as a file whose third quarter ends. */
static char *
write_base(void)
{
    g_autofree guint8 *data = g_malloc0(SIZE);
    char *base = g_build_filename(dir, "base.raw", NULL);

    memset(data, 0xee, SIZE / 2);
    for (gsize i = 0; i < N_SECTORS; i++) {
        sectors[i] = (Sector){ .may = g_byte_array_new(), .now = data[i * SECTOR] };
        g_byte_array_append(sectors[i].may, &sectors[i].now, 1);
    }
    g_assert_true(g_file_set_contents(base, (const char *)data, SIZE / 4 * 3, NULL));
    return base;
}

static void
make_image(const Run *run, const char *base)
{
    if (run->compressed) {
        qemu_img("convert -c -f raw -O qcow2 -o %s %s %s", run->options, base, path);
        qemu_img("resize -q %s %u", path, SIZE);
    } else {
        qemu_img("create -q -f qcow2 -o %s -b %s -F raw %s %u", run->options, base, path, SIZE);
    }
    if (run->snapshot)
        qemu_img("snapshot -c first %s", path);
}

static void
begin(const Run *run)
{
    g_autofree char *base = NULL, *spec = NULL;
    const char *backing[] = { NULL, NULL };
    VmmError err = { 0 };

    dir = qcow2_test_dir(FALSE);
    path = g_build_filename(dir, "disk.qcow2", NULL);
    cut_path = g_build_filename(dir, "cut.qcow2", NULL);
    base = write_base();
    make_image(run, base);
    recorder_begin(path, 17);
    recorder.synced = cut_sometimes;
    spec = g_strdup_printf("raw:%s", base);
    backing[0] = run->compressed ? NULL : spec;
    reqs = g_ptr_array_new();
    disk = qcow2_disk_open(&recorder_class, path, "writeback", FALSE, backing, &err);
    if (!disk)
        g_error("%s", err.text);
}

static void
finish(void)
{
    qcow2_disk_close(disk);
    recorder_end();
    for (gsize i = 0; i < N_SECTORS; i++)
        g_byte_array_unref(sectors[i].may);
    g_ptr_array_unref(reqs);
    g_free(path);
    g_free(cut_path);
    qcow2_test_dir_free(dir);
}

static void
play(void)
{
    for (guint i = 0; i < PER_ROUND; i++) {
        submit();
        if (!flush && g_rand_int_range(recorder.rand, 0, 10) == 0)
            begin_flush();
        wait_until(AT_A_TIME);
    }
    wait_until(0);
}

/* In every other round the host fails: once, or for good from some write on. */
static void
break_something(guint round)
{
    recorder.fail_change = recorder.fail_after = 0;
    if (round % 3 == 1)
        recorder.fail_change = recorder.n_changes + g_rand_int_range(recorder.rand, 1, 100);
    if (round % 3 == 2)
        recorder.fail_after = g_rand_int_range(recorder.rand, 2, 100);
}

static void
test_crowd(gconstpointer data)
{
    begin(data);
    for (guint round = 0; round < N_ROUNDS && !recorder.sync_failed; round++) {
        break_something(round);
        play();
        recorder.fail_after = 0;
        look_at_all();
    }
    recorder.fail_change = 0;
    if (!recorder.sync_failed) {
        block_drain(disk->block);
        qemu_img_check(path, FALSE);
        check_image(path);
    }
    finish();
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
        g_autofree char *name = g_strdup_printf("/qcow2-crowd/%s", runs[i].name);

        g_test_add_data_func(name, &runs[i], test_crowd);
    }
    return g_test_run();
}
