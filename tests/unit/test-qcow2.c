/* Format qcow2 on images of qemu-img's making: what a model in memory says, qemu-img says too. */
#include "tests/unit/qcow2-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB       (1u << 20)
#define AT_A_TIME 8

typedef struct Variant {
    const char *name;
    const char *options; /* of qemu-img create -o */
    unsigned size;       /* bytes */
    const char *backing; /* NULL, "raw", "qcow2", "short", "chain" */
    const char *cache;
    gboolean compressed; /* filled by convert -c */
    gboolean snapshot;   /* has one, made after some contents */
    unsigned rounds, batch;
} Variant;

static const Variant variants[] = {
    { "plain", "compat=1.1", 8 * MIB, NULL, "writeback", FALSE, FALSE, 4, 60 },
    { "none", "compat=1.1", 8 * MIB, NULL, "none", FALSE, FALSE, 3, 40 },
    { "none-512", "compat=1.1,cluster_size=512", 1 * MIB, "raw", "none", FALSE, FALSE, 3, 40 },
    { "writethrough", "compat=1.1", 4 * MIB, "raw", "writethrough", FALSE, FALSE, 3, 30 },
    { "unsafe", "compat=1.1", 4 * MIB, NULL, "unsafe", FALSE, FALSE, 3, 40 },
    { "v2", "compat=0.10", 8 * MIB, NULL, "writeback", FALSE, FALSE, 4, 60 },
    { "v2-backing", "compat=0.10", 8 * MIB, "raw", "writeback", FALSE, FALSE, 4, 60 },
    { "v2-compressed", "compat=0.10", 4 * MIB, NULL, "writeback", TRUE, FALSE, 4, 40 },
    { "512", "cluster_size=512", 4 * MIB, NULL, "writeback", FALSE, FALSE, 4, 80 },
    { "4k", "cluster_size=4k", 4 * MIB, "qcow2", "writeback", FALSE, FALSE, 4, 80 },
    { "2M", "cluster_size=2M", 32 * MIB, "raw", "writeback", FALSE, FALSE, 3, 40 },
    { "refcount-1", "refcount_bits=1", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "refcount-2", "refcount_bits=2,cluster_size=512", 4 * MIB, NULL, "writeback", FALSE, TRUE, 3,
      60 },
    { "refcount-4", "refcount_bits=4", 8 * MIB, NULL, "writeback", FALSE, TRUE, 3, 60 },
    { "refcount-8", "refcount_bits=8", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "refcount-32", "refcount_bits=32", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "refcount-64", "refcount_bits=64,cluster_size=512", 8 * MIB, NULL, "writeback", FALSE, FALSE,
      4, 120 },
    { "lazy", "lazy_refcounts=on", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "metadata", "preallocation=metadata", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "falloc", "preallocation=falloc", 8 * MIB, NULL, "writeback", FALSE, FALSE, 3, 60 },
    { "backing-raw", "compat=1.1", 8 * MIB, "raw", "writeback", FALSE, FALSE, 4, 60 },
    { "backing-qcow2", "compat=1.1", 8 * MIB, "qcow2", "writeback", FALSE, FALSE, 4, 60 },
    { "backing-short", "compat=1.1", 8 * MIB, "short", "writeback", FALSE, FALSE, 4, 60 },
    { "chain", "compat=1.1", 8 * MIB, "chain", "writeback", FALSE, FALSE, 4, 60 },
    { "compressed", "compat=1.1", 8 * MIB, NULL, "writeback", TRUE, FALSE, 4, 60 },
    { "compressed-4k", "cluster_size=4k", 4 * MIB, NULL, "none", TRUE, FALSE, 4, 60 },
    { "snapshot", "compat=1.1", 8 * MIB, NULL, "writeback", FALSE, TRUE, 4, 60 },
    { "snapshot-512", "cluster_size=512", 2 * MIB, NULL, "writeback", FALSE, TRUE, 4, 80 },
    { "odd-size", "compat=1.1", 5 * MIB + 512 * 3, "raw", "writeback", FALSE, FALSE, 4, 60 },
};

typedef struct Model {
    const Variant *variant;
    GRand *rand;
    char *dir, *path, *copy;
    const char *backing[4];
    char *backing_owned[4];
    uint8_t *data;
    Qcow2Disk *disk;
    GPtrArray *reqs;
    unsigned next_byte;
} Model;

static char *
file_in(const Model *m, const char *name)
{
    return g_build_filename(m->dir, name, NULL);
}

/* Contents */

/* Runs of sectors of the same byte, zeros among them: compressible, and with holes. */
static void
fill(Model *m, uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t n = 512u * g_rand_int_range(m->rand, 1, 300);

        n = MIN(n, size - at);
        memset(data + at, g_rand_int_range(m->rand, 0, 3) ? g_rand_int(m->rand) : 0, n);
        at += n;
    }
}

static char *
write_raw(const Model *m, const char *name, const uint8_t *data, size_t size)
{
    char *path = file_in(m, name);

    g_assert_true(g_file_set_contents(path, (const char *)data, size, NULL));
    return path;
}

static void
add_backing(Model *m, const char *format, const char *path)
{
    unsigned n = 0;

    while (m->backing_owned[n])
        n++;
    m->backing_owned[n] = g_strdup_printf("%s:%s", format, path);
    m->backing[n] = m->backing_owned[n];
}

/* What the disk shows at first comes from behind. */
static char *
make_backing(Model *m)
{
    const Variant *v = m->variant;
    size_t size = strcmp(v->backing, "short") == 0 ? v->size / 3 / 512 * 512 : v->size;
    g_autofree char *raw = NULL, *middle = file_in(m, "middle.qcow2");

    fill(m, m->data, size);
    raw = write_raw(m, "base.raw", m->data, size);
    if (strcmp(v->backing, "raw") == 0 || strcmp(v->backing, "short") == 0) {
        add_backing(m, "raw", raw);
        return g_strdup_printf("-b %s -F raw", raw);
    }
    if (strcmp(v->backing, "qcow2") == 0) {
        qemu_img("convert -O qcow2 -c %s %s", raw, middle);
    } else {
        qemu_img("create -q -f qcow2 -b %s -F raw %s", raw, middle);
        memset(m->data + 70000 / 512 * 512, 0x77, 100 * 512);
    }
    add_backing(m, "qcow2", middle);
    if (strcmp(v->backing, "chain") == 0) {
        g_autofree char *line = g_strdup_printf("qemu-io -c 'write -P 0x77 %u %u' %s",
                                                70000 / 512 * 512, 100 * 512, middle);
        g_autofree char *output = NULL;

        g_assert_true(g_spawn_command_line_sync(line, &output, NULL, NULL, NULL));
        add_backing(m, "raw", raw);
    }
    return g_strdup_printf("-b %s -F qcow2", middle);
}

static void
make_image(Model *m)
{
    const Variant *v = m->variant;
    g_autofree char *backing = v->backing ? make_backing(m) : g_strdup("");

    if (v->compressed) {
        g_autofree char *raw = NULL;

        fill(m, m->data, v->size);
        raw = write_raw(m, "contents.raw", m->data, v->size);
        qemu_img("convert -O qcow2 -c -o %s %s %s", v->options, raw, m->path);
    } else {
        qemu_img("create -q -f qcow2 -o %s %s %s %u", v->options, backing, m->path, v->size);
    }
}

static void
open_disk(Model *m)
{
    VmmError err = { 0 };

    m->disk = qcow2_disk_open(NULL, m->path, m->variant->cache, FALSE, m->backing, &err);
    if (!m->disk)
        g_error("%s", err.text);
    g_assert_cmpuint(block_geometry(m->disk->block).size, ==, m->variant->size);
}

/* Requests */

static gboolean
is_taken(const Model *m, uint64_t offset, uint64_t size)
{
    for (guint i = 0; i < m->reqs->len; i++) {
        const Qcow2Request *req = g_ptr_array_index(m->reqs, i);

        if (offset < req->offset + req->size && req->offset < offset + size)
            return TRUE;
    }
    return FALSE;
}

static void
choose_range(Model *m, uint64_t *ret_offset, uint64_t *ret_size)
{
    static const unsigned most[] = { 1, 8, 64, 300, 3000 };
    uint64_t sectors = m->variant->size / 512;

    do {
        uint64_t n = g_rand_int_range(m->rand, 1, 1 + most[g_rand_int_range(m->rand, 0, 5)]);

        *ret_offset = g_rand_int_range(m->rand, 0, sectors);
        *ret_size = MIN(n, sectors - *ret_offset) * 512;
        *ret_offset *= 512;
    } while (is_taken(m, *ret_offset, *ret_size));
}

static void
submit(Model *m)
{
    static const BlockOp ops[] = { BLOCK_READ,  BLOCK_READ, BLOCK_WRITE,  BLOCK_WRITE,
                                   BLOCK_WRITE, BLOCK_ZERO, BLOCK_DISCARD };
    BlockOp op = ops[g_rand_int_range(m->rand, 0, G_N_ELEMENTS(ops))];
    g_autofree uint8_t *data = NULL;
    uint64_t offset, size;
    Qcow2Request *req;

    choose_range(m, &offset, &size);
    if (op == BLOCK_WRITE) {
        data = g_malloc(size);
        for (uint64_t i = 0; i < size; i += 512)
            memset(data + i, ++m->next_byte, 512);
    }
    req = qcow2_request(m->disk, op, offset, size, data);
    req->block.may_unmap = g_rand_boolean(m->rand);
    g_ptr_array_add(m->reqs, req);
    block_submit(m->disk->block, &req->block);
    if (op == BLOCK_WRITE)
        memcpy(m->data + offset, data, size);
    else if (op == BLOCK_ZERO)
        memset(m->data + offset, 0, size);
}

/* What was discarded may be there yet, or be zeros: sector by sector. */
static void
adopt_discarded(Model *m, uint64_t offset, uint64_t size)
{
    g_autofree uint8_t *now = g_malloc(size);
    static const uint8_t zeros[512];

    g_assert_cmpint(qcow2_do(m->disk, BLOCK_READ, offset, size, now), ==, 0);
    for (uint64_t at = 0; at < size; at += 512) {
        if (memcmp(now + at, zeros, 512) == 0)
            memset(m->data + offset + at, 0, 512);
        else
            g_assert_cmpmem(now + at, 512, m->data + offset + at, 512);
    }
}

static void
collect(Model *m)
{
    for (guint i = 0; i < m->reqs->len;) {
        Qcow2Request *req = g_ptr_array_index(m->reqs, i);

        if (!req->ended) {
            i++;
            continue;
        }
        g_assert_cmpint(req->error, ==, 0);
        g_assert_cmpuint(req->block.size, ==, 0);
        if (req->op == BLOCK_READ && memcmp(req->data, m->data + req->offset, req->size) != 0)
            g_error("%" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT " differ", req->size,
                    req->offset);
        if (req->op == BLOCK_DISCARD)
            adopt_discarded(m, req->offset, req->size);
        qcow2_request_free(req);
        g_ptr_array_remove_index(m->reqs, i);
    }
}

static void
play(Model *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        submit(m);
        block_start(m->disk->block);
        while (m->reqs->len >= AT_A_TIME) {
            block_wait(m->disk->block);
            collect(m);
        }
        if (g_rand_int_range(m->rand, 0, 10) == 0)
            g_assert_cmpint(qcow2_do(m->disk, BLOCK_FLUSH, 0, 0, NULL), ==, 0);
    }
    block_drain(m->disk->block);
    collect(m);
    g_assert_cmpuint(m->reqs->len, ==, 0);
}

static void
judge(Model *m)
{
    g_autofree char *raw = write_raw(m, "model.raw", m->data, m->variant->size);

    qemu_img_check(m->path, FALSE);
    qemu_img("compare -f raw -F qcow2 %s %s", raw, m->path);
}

static void
test_variant(gconstpointer data)
{
    Model m = { .variant = data, .rand = g_rand_new_with_seed(7) };
    g_autofree char *snapshot = NULL;

    m.dir = qcow2_test_dir(strcmp(m.variant->cache, "none") == 0);
    m.path = file_in(&m, "disk.qcow2");
    m.data = g_malloc0(m.variant->size);
    m.reqs = g_ptr_array_new();
    make_image(&m);
    for (unsigned round = 0; round < m.variant->rounds; round++) {
        open_disk(&m);
        play(&m, m.variant->batch);
        if (round % 2) /* as it is for others while the disk is in use, and after */
            judge(&m);
        qcow2_disk_close(m.disk);
        judge(&m);
        if (round == 0 && m.variant->snapshot) {
            qemu_img("snapshot -c before %s", m.path);
            snapshot = g_memdup2(m.data, m.variant->size);
        }
    }
    if (snapshot) {
        qemu_img("snapshot -a before %s", m.path);
        memcpy(m.data, snapshot, m.variant->size);
        judge(&m);
    }
    g_ptr_array_unref(m.reqs);
    g_rand_free(m.rand);
    g_free(m.data);
    g_free(m.path);
    for (unsigned i = 0; i < G_N_ELEMENTS(m.backing_owned); i++)
        g_free(m.backing_owned[i]);
    qcow2_test_dir_free(m.dir);
}

static void
put_bytes(const char *path, off_t offset, uint8_t byte, size_t size)
{
    g_autofree uint8_t *bytes = g_malloc(size);
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    memset(bytes, byte, size);
    g_assert_cmpint(pwrite(fd, bytes, size, offset), ==, size);
    close(fd);
}

/* The host has something where no cluster is yet: it does not come to light behind the end of the disk either, where somebody
 * moves that. */
static void
test_behind_the_end(void)
{
    char *dir = qcow2_test_dir(FALSE);
    g_autofree char *path = g_build_filename(dir, "disk.qcow2", NULL);
    g_autofree char *wanted = g_build_filename(dir, "wanted", NULL);
    uint8_t sector[512] = { 1 };
    VmmError err = { 0 };
    Qcow2Disk *disk;
    GStatBuf st;

    qemu_img("create -q -f qcow2 %s %u", path, MIB + 512);
    g_assert_no_errno(g_stat(path, &st));
    put_bytes(path, st.st_size, 0xaa, MIB);
    disk = qcow2_disk_open(NULL, path, "writeback", FALSE, NULL, &err);
    g_assert_nonnull(disk);
    g_assert_cmpint(qcow2_do(disk, BLOCK_WRITE, MIB, sizeof(sector), sector), ==, 0);
    block_drain(disk->block);
    qcow2_disk_close(disk);
    qemu_img("resize -q -f qcow2 %s 2M", path);
    qemu_img("create -q -f raw %s 2M", wanted);
    put_bytes(wanted, MIB, 1, 1);
    qemu_img("compare -f raw -F qcow2 %s %s", wanted, path);
    qcow2_test_dir_free(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        g_autofree char *name = g_strdup_printf("/qcow2/%s", variants[i].name);

        g_test_add_data_func(name, &variants[i], test_variant);
    }
    g_test_add_func("/qcow2/behind-the-end", test_behind_the_end);
    return g_test_run();
}
