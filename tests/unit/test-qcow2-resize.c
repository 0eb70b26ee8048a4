/* Format qcow2 gets another size while it is in use: what a raw file says, qemu-img says of it, too; after every write,
 * sync and power cut on the way the image is good and has one of the two sizes; and who is refused has the old one.
 *
 * Each look at an image is a qemu-img or three, which takes time: "-m slow" has more power cuts, and all kinds of images
 * fail at each write.
 */
#include "tests/unit/qcow2-fixture.h"
#include "tests/unit/qcow2-recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)

typedef struct Variant {
    const char *name;
    const char *options; /* of qemu-img create -o */
    uint64_t from, to;   /* bytes */
    uint64_t backing;    /* bytes of the image behind; 0: none */
    gboolean snapshot, compressed;
} Variant;

static const Variant variants[] = {
    { "plain", "compat=1.1", 8 * MIB, 24 * MIB, 0, FALSE, FALSE },
    { "l1", "compat=1.1", 8 * MIB, 3 * GIB, 0, FALSE, FALSE },
    { "4k", "cluster_size=4k", 3 * MIB, 48 * MIB, 0, FALSE, FALSE },
    { "512", "cluster_size=512", 256 * KIB, 24 * MIB, 0, FALSE, FALSE },
    { "2M", "cluster_size=2M", 8 * MIB, 20 * MIB, 0, FALSE, FALSE },
    { "blocks", "cluster_size=512,refcount_bits=64", 256 * KIB, 160 * MIB, 0, FALSE, FALSE },
    { "refcount-1", "cluster_size=512,refcount_bits=1", 256 * KIB, 24 * MIB, 0, FALSE, FALSE },
    { "v2", "compat=0.10", 3 * MIB, 1 * GIB, 0, FALSE, FALSE },
    { "odd", "compat=1.1", 3 * MIB + 512 * 3, 7 * MIB + 512 * 5, 0, FALSE, FALSE },
    { "odd-in-cluster", "compat=1.1", 3 * MIB + 512 * 3, 3 * MIB + 512 * 7, 0, FALSE, FALSE },
    { "sector", "cluster_size=4k", 512, 9 * MIB, 0, FALSE, FALSE },
    { "backing-long", "compat=1.1", 3 * MIB + 512, 24 * MIB, 9 * MIB, FALSE, FALSE },
    { "backing-longer", "cluster_size=4k", 3 * MIB, 6 * MIB + 512, 24 * MIB, FALSE, FALSE },
    { "backing-short", "cluster_size=4k", 4 * MIB, 24 * MIB, 2 * MIB, FALSE, FALSE },
    { "v2-backing", "compat=0.10", 3 * MIB + 512, 8 * MIB, 5 * MIB, FALSE, FALSE },
    { "snapshot", "cluster_size=4k", 3 * MIB + 512, 24 * MIB, 0, TRUE, FALSE },
    { "compressed", "cluster_size=4k", 3 * MIB + 512, 24 * MIB, 0, FALSE, TRUE },
    { "metadata", "preallocation=metadata", 3 * MIB + 512, 24 * MIB, 0, FALSE, FALSE },
};

/* The model is a raw file as long as the disk. */
typedef struct World {
    const Variant *variant;
    char *dir, *path, *model, *cut;
    const char *backing[2];
    char *backing_owned;
    int fd; /* of the model */
    Qcow2Disk *disk;
    guint8 next_byte;
} World;

static World w;

static uint64_t
random_below(uint64_t end)
{
    return (uint64_t)(g_rand_double(recorder.rand) * end);
}

/* Disks */

static void
open_disk(void)
{
    VmmError err = { 0 };

    recorder_begin(w.path, 5);
    w.disk = qcow2_disk_open(&recorder_class, w.path, "writeback", FALSE, w.backing, &err);
    if (!w.disk)
        g_error("%s", err.text);
}

static void
close_disk(void)
{
    block_drain(w.disk->block);
    qcow2_disk_close(w.disk);
    recorder_end();
}

static void
begin_write(GPtrArray *reqs, uint64_t offset, uint64_t size)
{
    g_autofree uint8_t *data = g_malloc(size);
    Qcow2Request *req;

    memset(data, ++w.next_byte | 1, size);
    g_assert_cmpint(pwrite(w.fd, data, size, offset), ==, (gssize)size);
    req = qcow2_request(w.disk, BLOCK_WRITE, offset, size, data);
    g_ptr_array_add(reqs, req);
    block_submit(w.disk->block, &req->block);
}

static void
wait_all(GPtrArray *reqs)
{
    for (guint i = 0; i < reqs->len; i++) {
        Qcow2Request *req = g_ptr_array_index(reqs, i);

        while (!req->ended)
            block_wait(w.disk->block);
        g_assert_cmpint(req->error, ==, 0);
    }
    g_ptr_array_set_size(reqs, 0);
}

static GPtrArray *
requests_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)qcow2_request_free);
}

/* Writes here and there below @end, one of them to the end; none of them overlap. */
static void
begin_writes(GPtrArray *reqs, uint64_t end, unsigned n)
{
    uint64_t sectors = end / 512, apart = sectors / n;

    for (unsigned i = 0; i < n && apart > 0; i++) {
        uint64_t first = i * apart + random_below(apart);
        uint64_t most = (i + 1) * apart - first;
        uint64_t size = 1 + random_below(MIN(most, 200));

        if (i == n - 1)
            first = sectors - size;
        begin_write(reqs, first * 512, size * 512);
    }
}

static void
write_some(uint64_t end, unsigned n)
{
    g_autoptr(GPtrArray) reqs = requests_new();

    begin_writes(reqs, end, n);
    wait_all(reqs);
}

static void
flush(void)
{
    g_assert_cmpint(qcow2_do(w.disk, BLOCK_FLUSH, 0, 0, NULL), ==, 0);
}

/* Sizes */

typedef struct Resizing {
    BlockRequest req; /* first */
    gboolean ended;
    int error;
} Resizing;

static void
resized(BlockRequest *req, int error)
{
    Resizing *resizing = (Resizing *)req;

    g_assert_false(resizing->ended);
    resizing->ended = TRUE;
    resizing->error = error;
}

static void
begin_resize(Resizing *resizing, uint64_t size)
{
    VmmError err = { 0 };

    *resizing = (Resizing){ .req.done = resized };
    if (!block_set_size(w.disk->block, &resizing->req, size, &err))
        g_error("%s", err.text);
    block_start(w.disk->block);
}

static int
wait_resize(Resizing *resizing)
{
    while (!resizing->ended)
        block_wait(w.disk->block);
    return resizing->error;
}

/* With no other requests. */
static int
resize(uint64_t size)
{
    Resizing resizing;
    int error;

    begin_resize(&resizing, size);
    error = wait_resize(&resizing);
    if (!error)
        g_assert_cmpint(ftruncate(w.fd, size), ==, 0);
    return error;
}

/* The world */

static void
make_backing(const Variant *v)
{
    g_autofree char *base = g_build_filename(w.dir, "base.raw", NULL);
    g_autofree char *data = g_malloc(v->backing);

    memset(data, 0xbb, v->backing);
    g_assert_true(g_file_set_contents(base, data, v->backing, NULL));
    qemu_img("create -q -f qcow2 -o %s -b %s -F raw %s %" G_GUINT64_FORMAT, v->options, base,
             w.path, v->from);
    g_assert_cmpint(pwrite(w.fd, data, MIN(v->backing, v->from), 0), >, 0);
    w.backing_owned = g_strconcat("raw:", base, NULL);
    w.backing[0] = w.backing_owned;
}

static void
make_compressed(const Variant *v)
{
    for (uint64_t at = 0; at + 512 <= v->from; at += 8192)
        g_assert_cmpint(pwrite(w.fd, "compressed", 10, at + (at % 3) * 100), ==, 10);
    g_assert_cmpint(pwrite(w.fd, "end", 3, v->from - 3), ==, 3);
    qemu_img("convert -f raw -O qcow2 -c -o %s %s %s", v->options, w.model, w.path);
}

static void
make_image(const Variant *v)
{
    if (v->backing)
        make_backing(v);
    else if (v->compressed)
        make_compressed(v);
    else
        qemu_img("create -q -f qcow2 -o %s %s %" G_GUINT64_FORMAT, v->options, w.path, v->from);
    if (v->snapshot)
        qemu_img("snapshot -c first %s", w.path);
}

static void
begin(const Variant *v)
{
    w = (World){ .variant = v, .dir = qcow2_test_dir(FALSE) };
    w.path = g_build_filename(w.dir, "disk.qcow2", NULL);
    w.model = g_build_filename(w.dir, "model.raw", NULL);
    w.cut = g_build_filename(w.dir, "cut.qcow2", NULL);
    w.fd = open(w.model, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(ftruncate(w.fd, v->from), ==, 0);
    make_image(v);
}

static void
finish(void)
{
    close(w.fd);
    g_free(w.path);
    g_free(w.model);
    g_free(w.cut);
    g_free(w.backing_owned);
    qcow2_test_dir_free(w.dir);
}

static uint64_t
size_of(const char *path)
{
    g_autofree char *info = qemu_img_output("info -U -f qcow2 --output=json %s", path);
    const char *size = info ? strstr(info, "\"virtual-size\": ") : NULL;

    g_assert_nonnull(size);
    return g_ascii_strtoull(size + strlen("\"virtual-size\": "), NULL, 10);
}

static void
judge(uint64_t size, gboolean leaks)
{
    qemu_img_check(w.path, leaks);
    g_assert_cmpuint(size_of(w.path), ==, size);
    qemu_img("compare -f raw -F qcow2 %s %s", w.model, w.path);
}

/* Sizes come and go with requests on their way. */

static void
resize_among_writes(uint64_t size)
{
    g_autoptr(GPtrArray) reqs = requests_new();
    uint64_t before = block_geometry(w.disk->block).size;
    Resizing resizing;

    begin_writes(reqs, MIN(before, size), 6);
    begin_resize(&resizing, size);
    for (unsigned i = 0; i < 5 && !resizing.ended; i++)
        block_wait(w.disk->block);
    wait_all(reqs);
    if (!resizing.ended)
        begin_writes(reqs, MIN(before, size), 4);
    g_assert_cmpint(wait_resize(&resizing), ==, 0);
    wait_all(reqs);
    g_assert_cmpint(ftruncate(w.fd, size), ==, 0);
    g_assert_cmpuint(block_geometry(w.disk->block).size, ==, size);
}

static void
settle(uint64_t size)
{
    block_drain(w.disk->block);
    judge(size, FALSE);
}

static void
test_sizes(gconstpointer data)
{
    const Variant *v = data;

    begin(v);
    open_disk();
    write_some(v->from, 8);
    resize_among_writes(v->to);
    settle(v->to);
    write_some(v->to, 8);
    settle(v->to);
    close_disk();
    judge(v->to, FALSE);
    open_disk();
    write_some(v->to, 3);
    resize_among_writes(v->from);
    settle(v->from);
    write_some(v->from, 3);
    resize_among_writes(v->to); /* what was there before is not there any more */
    settle(v->to);
    g_assert_cmpint(resize(v->to), ==, 0);
    close_disk();
    judge(v->to, FALSE);
    if (v->snapshot) {
        qemu_img("snapshot -a first %s", w.path);
        qemu_img_check(w.path, FALSE);
        g_assert_cmpuint(size_of(w.path), ==, v->from);
    }
    finish();
}

/* Clusters that had something are used again for the end of the disk: nothing of that comes to light. */
static void
test_reused(void)
{
    static const Variant v = { "reused", "compat=1.1", 2 * MIB + 512, 4 * MIB };
    g_autoptr(GPtrArray) reqs = requests_new();

    begin(&v);
    open_disk();
    begin_write(reqs, 0, 1 * MIB);
    wait_all(reqs);
    flush();
    g_assert_cmpint(qcow2_do(w.disk, BLOCK_ZERO, 0, 1 * MIB, NULL), ==, 0);
    g_assert_cmpint(qcow2_do(w.disk, BLOCK_DISCARD, 0, 1 * MIB, NULL), ==, 0);
    g_assert_cmpint(ftruncate(w.fd, 0), ==, 0);
    g_assert_cmpint(ftruncate(w.fd, v.from), ==, 0);
    flush();
    flush();
    begin_write(reqs, v.from - 512, 512);
    wait_all(reqs);
    g_assert_cmpint(resize(v.to), ==, 0);
    settle(v.to);
    close_disk();
    finish();
}

/* What is refused, or makes no sense */

static void
assert_refused(uint64_t size, const char *wanted)
{
    BlockRequest req = { .done = resized };
    VmmError err = { 0 };

    g_assert_false(block_set_size(w.disk->block, &req, size, &err));
    g_assert_cmpstr(err.text, ==, wanted);
}

static void
test_refused(void)
{
    static const Variant v2 = { "v2", "compat=0.10", 3 * MIB, 8 * MIB, 0, TRUE, FALSE };
    Resizing resizing;

    begin(&v2);
    open_disk();
    assert_refused(v2.to, "Can't resize a v2 image which has snapshots");
    close_disk();
    judge(v2.from, FALSE);
    finish();

    begin(&variants[0]);
    open_disk();
    begin_resize(&resizing, variants[0].to);
    assert_refused(variants[0].to, "Disk 'disk' is getting another size already");
    g_assert_cmpint(wait_resize(&resizing), ==, 0);
    g_assert_cmpint(resize(1ull << 60), ==, EFBIG);
    g_assert_cmpuint(block_geometry(w.disk->block).size, ==, variants[0].to);
    close_disk();
    finish();
}

/* Power cuts */

static gboolean
is_zero(const char *data, gsize size)
{
    return size == 0 || (!*data && memcmp(data, data + 1, size - 1) == 0);
}

/* What was flushed is there as far as the disk goes, which is to one of the two ends. */
static void
check_image(const char *path)
{
    g_autofree char *raw = g_build_filename(w.dir, "cut.raw", NULL);
    g_autofree char *is = NULL, *was = NULL;
    gsize size, before;

    qemu_img_check(path, TRUE);
    qemu_img("convert -f qcow2 -O raw %s %s", path, raw);
    g_assert_true(g_file_get_contents(raw, &is, &size, NULL));
    g_assert_true(g_file_get_contents(w.model, &was, &before, NULL));
    g_assert_true(size == w.variant->from || size == w.variant->to);
    if (memcmp(is, was, MIN(size, before)) != 0)
        g_error("the image has lost something");
    g_assert_true(size <= before || is_zero(is + before, size - before));
}

static void
cut_once(void)
{
    recorder_cut(w.cut);
    check_image(w.cut);
}

static void
cut_some(void)
{
    for (unsigned i = 0; i < (g_test_slow() ? 3 : 1); i++)
        cut_once();
}

static const Variant hard[] = {
    { "4k", "cluster_size=4k", 1 * MIB + 512, 5 * MIB, 0, FALSE, FALSE },
    { "512", "cluster_size=512,refcount_bits=64", 256 * KIB, 3 * MIB, 0, FALSE, FALSE },
    { "backing", "cluster_size=4k", 1 * MIB + 512, 5 * MIB, 3 * MIB, FALSE, FALSE },
    { "v2-backing", "compat=0.10,cluster_size=4k", 1 * MIB + 512, 5 * MIB, 1 * MIB + 12 * KIB,
      FALSE, FALSE },
    { "snapshot", "cluster_size=4k", 1 * MIB + 512, 5 * MIB, 0, TRUE, FALSE },
};

static void
test_cut(gconstpointer data)
{
    const Variant *v = data;

    begin(v);
    open_disk();
    write_some(v->from, 12);
    flush();
    recorder.synced = cut_some;
    g_assert_cmpint(resize(v->to), ==, 0);
    cut_some();
    recorder.synced = NULL;
    write_some(v->from, 12);
    flush();
    cut_some();
    g_assert_cmpint(ftruncate(w.fd, v->from), ==, 0); /* what is kept in any case */
    recorder.synced = cut_some;
    g_assert_cmpint(resize(v->from), ==, 0);
    cut_some();
    recorder.synced = NULL;
    close_disk();
    judge(v->from, FALSE);
    finish();
}

/* Faults: each write and each sync of a growth fails once, and in the first variant once more although it was done.
 * The image is looked at as it is at that moment, as if the process was killed there. */

static void
go_on_after_fault(const Variant *v)
{
    write_some(v->from, 20);
    flush();
    judge(v->from, TRUE);
    cut_once();
    g_assert_cmpint(resize(v->to), ==, 0);
}

/* Of what the host's cache has lost nothing is said any more (raw.c): the image has to be opened anew. */
static void
end_after_sync(void)
{
    g_assert_cmpint(qcow2_do(w.disk, BLOCK_FLUSH, 0, 0, NULL), ==, EIO);
    cut_once();
    close_disk();
    check_image(w.path);
    finish();
}

static gboolean
fails_at(const Variant *v, unsigned change, gboolean lies)
{
    int error;

    begin(v);
    open_disk();
    write_some(v->from, 12);
    flush();
    recorder.fail_change = recorder.n_changes + change;
    recorder.lies = lies;
    error = resize(v->to);
    recorder.fail_change = 0;
    check_image(w.path);
    g_assert_cmpuint(block_geometry(w.disk->block).size, ==, error ? v->from : v->to);
    if (recorder.sync_failed) {
        end_after_sync();
        return TRUE;
    }
    if (error)
        go_on_after_fault(v);
    write_some(v->to, 6);
    close_disk();
    judge(v->to, FALSE);
    finish();
    return error != 0;
}

static void
test_faults(gconstpointer data)
{
    unsigned n = 1;

    while (fails_at(data, n, FALSE) && (data != &hard[0] || fails_at(data, n, TRUE)))
        n++;
    g_assert_cmpuint(n, >, 6);
    g_test_message("%u writes and syncs", n - 1);
}

/* A full disk is not the end, either. */
static void
test_full(gconstpointer data)
{
    const Variant *v = data;

    for (unsigned room = 1; room < 6; room++) {
        begin(v);
        open_disk();
        write_some(v->from, 12);
        flush();
        recorder.fail_after = room;
        if (resize(v->to) == 0)
            g_assert_cmpuint(room, >, 3);
        recorder.fail_after = 0;
        write_some(v->from, 12);
        g_assert_cmpint(resize(v->to), ==, 0);
        close_disk();
        judge(v->to, FALSE);
        finish();
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strdup_printf("/qcow2/resize/%s", variants[i].name);

        g_test_add_data_func(name, &variants[i], test_sizes);
    }
    g_test_add_func("/qcow2/resize/reused", test_reused);
    g_test_add_func("/qcow2/resize/refused", test_refused);
    for (size_t i = 0; i < G_N_ELEMENTS(hard); i++) {
        g_autofree char *cut = g_strdup_printf("/qcow2/resize/cut/%s", hard[i].name);
        g_autofree char *faults = g_strdup_printf("/qcow2/resize/faults/%s", hard[i].name);
        g_autofree char *full = g_strdup_printf("/qcow2/resize/full/%s", hard[i].name);

        g_test_add_data_func(cut, &hard[i], test_cut);
        if (i < 2 || g_test_slow())
            g_test_add_data_func(faults, &hard[i], test_faults);
        g_test_add_data_func(full, &hard[i], test_full);
    }
    return g_test_run();
}
