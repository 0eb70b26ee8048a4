/* Format raw on an engine that is as strict as O_DIRECT is, moves less than it is asked for, ends
 * operations in any order and fails on demand. */
#include "qemu-kvm-backend/block/format.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/falloc.h>
#include <string.h>
#include <unistd.h>

/* Slices of the disk that requests of the random test have to themselves: they share blocks of 4096. */
#define N_SLICES  8
#define SLICE     (32768u + 512)
#define DISK_SIZE (N_SLICES * SLICE)

typedef struct Strict {
    Engine engine;
    const BlockFile *file;
    GRand *rand; /* NULL: everything is whole and in order */
    GPtrArray *ops;
    unsigned n_ops, n_reads, n_writes, n_syncs, n_allocates, n_discards;
    int fail_kind; /* an EngineOpKind, or -1 */
    int fail_with;
    unsigned fail_after; /* so many of that kind succeed */
    size_t move_max;     /* bytes that an operation moves at most; 0: no limit */
    int last_mode;
} Strict;

typedef struct Fixture {
    char *path;
    Strict strict;
    BlockFile file;
    BlockImage *image;
    unsigned n_ended;
    int error; /* of the request that ended last */
} Fixture;

typedef struct TestRequest {
    BlockRequest block;
    Fixture *fixture;
    struct iovec iov[8];
} TestRequest;

/* The engine */

static void
strict_submit(Engine *engine, EngineOp *op)
{
    g_ptr_array_add(((Strict *)engine)->ops, op);
}

static void
check_alignment(const BlockFile *file, const EngineOp *op)
{
    size_t size = 0;

    g_assert_cmpuint(op->n_iov, >, 0);
    g_assert_cmpuint(op->offset % file->offset_align, ==, 0);
    for (unsigned i = 0; i < op->n_iov; i++) {
        g_assert_cmpuint((uintptr_t)op->iov[i].iov_base % file->memory_align, ==, 0);
        g_assert_cmpuint(op->iov[i].iov_len % file->offset_align, ==, 0);
        size += op->iov[i].iov_len;
    }
    g_assert_cmpuint(size, >, 0);
}

static size_t
most(Strict *strict, size_t size)
{
    uint32_t align = strict->file->offset_align;

    if (strict->rand && size > align && g_rand_int_range(strict->rand, 0, 3) == 0)
        size = g_rand_int_range(strict->rand, 1, size / align + 1) * align;
    return strict->move_max && size > strict->move_max ? strict->move_max : size;
}

static int64_t
transfer(Strict *strict, const EngineOp *op)
{
    size_t size = 0, left;
    int64_t done = 0;

    check_alignment(strict->file, op);
    for (unsigned i = 0; i < op->n_iov; i++)
        size += op->iov[i].iov_len;
    left = most(strict, size);
    for (unsigned i = 0; left > 0; i++) {
        size_t part = MIN(op->iov[i].iov_len, left);
        ssize_t n = op->kind == ENGINE_READ
                        ? pread(strict->file->fd, op->iov[i].iov_base, part, op->offset + done)
                        : pwrite(strict->file->fd, op->iov[i].iov_base, part, op->offset + done);

        g_assert_cmpint(n, >=, 0);
        done += n;
        left -= part;
        if ((size_t)n < part)
            break;
    }
    return done;
}

static int64_t
perform(Strict *strict, const EngineOp *op)
{
    strict->n_ops++;
    strict->last_mode = op->mode;
    strict->n_reads += op->kind == ENGINE_READ;
    strict->n_writes += op->kind == ENGINE_WRITE;
    strict->n_syncs += op->kind == ENGINE_SYNC;
    strict->n_allocates += op->kind == ENGINE_ALLOCATE;
    strict->n_discards += op->kind == ENGINE_DISCARD;
    if (strict->fail_kind == (int)op->kind && strict->fail_after-- == 0) {
        strict->fail_after = 0;
        return -strict->fail_with;
    }
    if (op->kind == ENGINE_READ || op->kind == ENGINE_WRITE)
        return transfer(strict, op);
    if (op->kind == ENGINE_ALLOCATE &&
        fallocate(strict->file->fd, op->mode, op->offset, op->size) < 0)
        return -errno;
    return 0;
}

static void
strict_reap(Engine *engine, bool wait)
{
    Strict *strict = (Strict *)engine;
    guint i = strict->rand ? g_rand_int_range(strict->rand, 0, strict->ops->len) : 0;
    EngineOp *op = g_ptr_array_steal_index(strict->ops, i);

    op->result = perform(strict, op);
    op->done(op);
}

static const EngineClass strict_class = {
    .name = "strict",
    .submit = strict_submit,
    .reap = strict_reap,
};

/* The image */

static void
ended(BlockImage *image, BlockRequest *req, int error)
{
    Fixture *f = ((TestRequest *)req)->fixture;

    f->n_ended++;
    f->error = error;
}

static void
fixture_open(Fixture *f, size_t size, uint32_t align)
{
    VmmError err = { 0 };
    int fd = g_file_open_tmp("raw-XXXXXX", &f->path, NULL);

    g_assert_cmpint(ftruncate(fd, size), ==, 0);
    f->strict = (Strict){ .engine = { &strict_class, -1, true }, .file = &f->file, .fail_kind = -1 };
    f->strict.ops = g_ptr_array_new();
    f->file = (BlockFile){
        .fd = fd,
        .engine = &f->strict.engine,
        .size = size,
        .writable = true,
        .direct = align > 1,
        .memory_align = align > 1 ? 512 : 1,
        .offset_align = align,
    };
    f->image = g_malloc0(format_raw.size);
    f->image->format = &format_raw;
    f->image->file = &f->file;
    f->image->ended = ended;
    if (!format_raw.open(f->image, &err))
        g_error("%s", err.text);
}

static void
fixture_close(Fixture *f)
{
    g_assert_cmpuint(f->strict.ops->len, ==, 0);
    format_raw.close(f->image);
    g_free(f->image);
    g_ptr_array_unref(f->strict.ops);
    if (f->strict.rand)
        g_rand_free(f->strict.rand);
    close(f->file.fd);
    g_unlink(f->path);
    g_free(f->path);
}

static void
submit(Fixture *f, TestRequest *req)
{
    req->fixture = f;
    req->block.image = f->image;
    if (!req->block.iov)
        req->block.iov = req->iov;
    format_raw.submit(f->image, &req->block);
}

static void
drain(Fixture *f)
{
    while (f->strict.ops->len > 0)
        strict_reap(&f->strict.engine, true);
}

/* One request with one buffer; its error. */
static int
one(Fixture *f, BlockOp op, uint64_t offset, void *data, size_t size)
{
    TestRequest req = { .block = { .op = op, .offset = offset, .size = size } };

    req.iov[0] = (struct iovec){ data, size };
    req.block.n_iov = op == BLOCK_READ || op == BLOCK_WRITE;
    submit(f, &req);
    drain(f);
    return f->error;
}

/* Anything at once, against a copy in memory */

#define MAX_BUFFER   (SLICE + 4096)
#define SLICE_SECTOR (SLICE / 512)

/* Splits @size bytes of @buffer into parts of odd lengths that add up. */
static void
split(TestRequest *req, GRand *rand, uint8_t *buffer, size_t size)
{
    req->block.n_iov = 0;
    while (size > 0) {
        bool last = req->block.n_iov == 7 || size == 1;
        size_t part = last ? size : (size_t)g_rand_int_range(rand, 1, size + 1);

        if (!last && part >= 512 && g_rand_boolean(rand))
            part = part / 512 * 512;
        req->iov[req->block.n_iov++] = (struct iovec){ buffer, part };
        buffer += part;
        size -= part;
    }
}

typedef struct Batch {
    TestRequest req;
    uint8_t *buffer;
    uint64_t offset;
    size_t size;
} Batch;

static bool
at_edge(GRand *rand)
{
    return g_rand_int_range(rand, 0, 3) == 0;
}

static void
begin_random(Fixture *f, Batch *batch, GRand *rand, unsigned slice, uint8_t *model)
{
    static const BlockOp ops[] = { BLOCK_READ, BLOCK_WRITE, BLOCK_WRITE, BLOCK_ZERO, BLOCK_FLUSH };
    unsigned first = at_edge(rand) ? 0 : g_rand_int_range(rand, 0, SLICE_SECTOR);
    unsigned left = SLICE_SECTOR - first,
             n = at_edge(rand) ? left : (unsigned)g_rand_int_range(rand, 1, left + 1);
    uint8_t *start = batch->buffer + (g_rand_boolean(rand) ? 0 : g_rand_int_range(rand, 0, 4096));

    memset(&batch->req, 0, sizeof(batch->req));
    batch->offset = slice * SLICE + first * 512;
    batch->size = n * 512;
    batch->req.block.op = ops[g_rand_int_range(rand, 0, G_N_ELEMENTS(ops))];
    batch->req.block.may_unmap = g_rand_boolean(rand);
    batch->req.block.offset = batch->offset;
    batch->req.block.size = batch->size;
    if (batch->req.block.op == BLOCK_READ || batch->req.block.op == BLOCK_WRITE)
        split(&batch->req, rand, start, batch->size);
    if (batch->req.block.op == BLOCK_WRITE) {
        for (size_t i = 0; i < batch->size; i++)
            start[i] = g_rand_int(rand);
        memcpy(model + batch->offset, start, batch->size);
    } else if (batch->req.block.op == BLOCK_READ) {
        memset(start, 0xee, batch->size);
    } else if (batch->req.block.op == BLOCK_ZERO) {
        memset(model + batch->offset, 0, batch->size);
    }
    submit(f, &batch->req);
    batch->buffer = start;
}

/* Requests of a round do not touch the same sectors, but their blocks do. */
static void
random_round(Fixture *f, GRand *rand, uint8_t *model)
{
    uint8_t *buffers = g_malloc(N_SLICES * (MAX_BUFFER + 4096));
    uint8_t *aligned = (uint8_t *)(((uintptr_t)buffers + 4095) & ~(uintptr_t)4095);
    Batch batch[N_SLICES];

    f->n_ended = 0;
    for (unsigned i = 0; i < N_SLICES; i++) {
        batch[i].buffer = aligned + i * MAX_BUFFER;
        begin_random(f, &batch[i], rand, i, model);
    }
    drain(f);
    g_assert_cmpuint(f->n_ended, ==, N_SLICES);
    g_assert_cmpint(f->error, ==, 0);
    for (unsigned i = 0; i < N_SLICES; i++) {
        if (batch[i].req.block.op == BLOCK_READ)
            g_assert_cmpmem(batch[i].buffer, batch[i].size, model + batch[i].offset, batch[i].size);
    }
    g_free(buffers);
}

static void
test_random(gconstpointer data)
{
    uint32_t align = GPOINTER_TO_UINT(data);
    g_autofree uint8_t *model = g_malloc0(DISK_SIZE), *whole = g_malloc(DISK_SIZE);
    GRand *rand = g_rand_new_with_seed(align);
    Fixture f = { 0 };

    fixture_open(&f, DISK_SIZE, align);
    f.strict.rand = g_rand_new_with_seed(align + 1);
    for (unsigned i = 0; i < 300; i++)
        random_round(&f, rand, model);
    g_assert_cmpint(pread(f.file.fd, whole, DISK_SIZE, 0), ==, DISK_SIZE);
    g_assert_cmpmem(whole, DISK_SIZE, model, DISK_SIZE);
    g_rand_free(rand);
    fixture_close(&f);
}

/* Single cases */

static void
test_tail(void)
{
    uint8_t data[1024];
    Fixture f = { 0 };

    fixture_open(&f, 1000, 1);
    g_assert_cmpuint(f.image->size, ==, 1024);
    memset(data, 0x55, sizeof(data));
    g_assert_cmpint(pwrite(f.file.fd, data, 1000, 0), ==, 1000);
    memset(data, 0xee, sizeof(data));
    g_assert_cmpint(one(&f, BLOCK_READ, 0, data, 1024), ==, 0);
    g_assert_cmpuint(data[999], ==, 0x55);
    for (unsigned i = 1000; i < 1024; i++)
        g_assert_cmpuint(data[i], ==, 0);
    memset(data, 0x66, sizeof(data));
    g_assert_cmpint(one(&f, BLOCK_WRITE, 512, data, 512), ==, 0);
    memset(data, 0, sizeof(data));
    g_assert_cmpint(one(&f, BLOCK_READ, 512, data, 512), ==, 0);
    g_assert_cmpuint(data[511], ==, 0x66);
    fixture_close(&f);
}

static void
test_tail_in_file_cut_short(void)
{
    uint8_t data[4096];
    Fixture f = { 0 };

    fixture_open(&f, 8192, 1);
    g_assert_cmpint(ftruncate(f.file.fd, 0), ==, 0);
    memset(data, 0xee, sizeof(data));
    g_assert_cmpint(one(&f, BLOCK_READ, 4096, data, 4096), ==, 0);
    for (unsigned i = 0; i < sizeof(data); i++)
        g_assert_cmpuint(data[i], ==, 0);
    fixture_close(&f);
}

static void
test_odd_size_without_cache(void)
{
    BlockFile file = {
        .fd = -1, .size = 4096 + 512, .writable = true, .direct = true, .offset_align = 4096
    };
    g_autofree BlockImage *image = g_malloc0(format_raw.size);
    VmmError err = { 0 };

    image->file = &file;
    g_assert_false(format_raw.open(image, &err));
    g_assert_nonnull(strstr(err.text, "no multiple of the 4096 bytes"));
    file.writable = false;
    g_assert_true(format_raw.open(image, &err));
}

static void
test_error(gconstpointer data)
{
    static const EngineOpKind kinds[] = {
        [BLOCK_READ] = ENGINE_READ,     [BLOCK_WRITE] = ENGINE_WRITE,
        [BLOCK_FLUSH] = ENGINE_SYNC,    [BLOCK_DISCARD] = ENGINE_ALLOCATE,
        [BLOCK_ZERO] = ENGINE_ALLOCATE,
    };
    uint8_t buffer[512] = { 0 };
    Fixture f = { 0 };

    fixture_open(&f, 4096, GPOINTER_TO_UINT(data));
    for (unsigned op = BLOCK_READ; op <= BLOCK_ZERO; op++) {
        f.strict.fail_kind = kinds[op];
        f.strict.fail_with = EIO;
        f.strict.fail_after = 0;
        g_assert_cmpint(one(&f, op, 512, buffer, 512), ==, EIO);
        f.strict.fail_kind = -1;
        if (op != BLOCK_FLUSH)
            g_assert_cmpint(one(&f, op, 512, buffer, 512), ==, 0);
    }
    fixture_close(&f);
}

/* The disk is full in the middle of a request; what is left of it is made again when it is not. */
static void
test_goes_on_after_error(gconstpointer data)
{
    g_autofree uint8_t *buffer = g_malloc(65536), *read_back = g_malloc0(65536);
    TestRequest req = { .block = { .op = BLOCK_WRITE, .offset = 4096, .size = 61440, .n_iov = 2 } };
    Fixture f = { 0 };

    for (unsigned i = 0; i < 65536; i++)
        buffer[i] = i * 7 + i / 256;
    req.iov[0] = (struct iovec){ buffer, 1000 };
    req.iov[1] = (struct iovec){ buffer + 1000, 60440 };
    fixture_open(&f, 65536, GPOINTER_TO_UINT(data));
    f.strict.move_max = 8192;
    f.strict.fail_kind = ENGINE_WRITE;
    f.strict.fail_with = ENOSPC;
    f.strict.fail_after = 3;
    submit(&f, &req);
    drain(&f);
    g_assert_cmpint(f.error, ==, ENOSPC);
    g_assert_cmpuint(req.block.offset, ==, 4096 + 3 * 8192);
    f.strict.fail_kind = -1;
    submit(&f, &req);
    drain(&f);
    g_assert_cmpint(f.error, ==, 0);
    g_assert_cmpint(pread(f.file.fd, read_back, 61440, 4096), ==, 61440);
    g_assert_cmpmem(read_back, 61440, buffer, 61440);
    fixture_close(&f);
}

static void
test_zeros_after_error(void)
{
    g_autofree uint8_t *buffer = g_malloc(DISK_SIZE);
    TestRequest req = { .block = { .op = BLOCK_ZERO, .offset = 512, .size = DISK_SIZE - 1024 } };
    Fixture f = { 0 };

    memset(buffer, 0x77, DISK_SIZE);
    fixture_open(&f, DISK_SIZE, 1);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 0, buffer, DISK_SIZE), ==, 0);
    f.strict.fail_kind = ENGINE_ALLOCATE;
    f.strict.fail_with = EOPNOTSUPP;
    submit(&f, &req);
    f.strict.move_max = 4096 * 3;
    strict_reap(&f.strict.engine, true);
    f.strict.fail_kind = ENGINE_WRITE;
    f.strict.fail_with = ENOSPC;
    f.strict.fail_after = 1;
    drain(&f);
    g_assert_cmpint(f.error, ==, ENOSPC);
    f.strict.fail_kind = -1;
    submit(&f, &req);
    drain(&f);
    g_assert_cmpint(f.error, ==, 0);
    g_assert_cmpint(pread(f.file.fd, buffer, DISK_SIZE, 0), ==, DISK_SIZE);
    for (unsigned i = 0; i < DISK_SIZE; i++)
        g_assert_cmpuint(buffer[i], ==, i < 512 || i >= DISK_SIZE - 512 ? 0x77 : 0);
    g_assert_cmpuint(f.strict.n_allocates, ==, 1); /* it is not asked twice */
    fixture_close(&f);
}

/* A device that refuses this range alone is asked for the next one. */
static void
test_zeros_odd_range(void)
{
    Fixture f = { 0 };

    fixture_open(&f, 8192, 1);
    f.strict.fail_kind = ENGINE_ALLOCATE;
    f.strict.fail_with = EINVAL;
    g_assert_cmpint(one(&f, BLOCK_ZERO, 512, NULL, 512), ==, 0);
    g_assert_cmpuint(f.strict.n_writes, ==, 1);
    f.strict.fail_kind = -1;
    g_assert_cmpint(one(&f, BLOCK_ZERO, 0, NULL, 4096), ==, 0);
    g_assert_cmpuint(f.strict.n_writes, ==, 1);
    g_assert_cmpuint(f.strict.n_allocates, ==, 2);
    fixture_close(&f);
}

static void
test_discard_is_advice(void)
{
    Fixture f = { 0 };

    fixture_open(&f, 8192, 1);
    f.strict.fail_kind = ENGINE_ALLOCATE;
    f.strict.fail_with = EOPNOTSUPP;
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 0, NULL, 4096), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 0, NULL, 4096), ==, 0);
    g_assert_cmpuint(f.strict.n_allocates, ==, 1);
    fixture_close(&f);
}

/* A device takes a hole for zeros to write, so that discards are asked for by name, and zeros as ever. */
static void
test_discard_on_device(void)
{
    Fixture f = { 0 };

    fixture_open(&f, 8192, 1);
    f.file.is_device = true;
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 4096, NULL, 4096), ==, 0);
    g_assert_cmpuint(f.strict.n_discards, ==, 1);
    g_assert_cmpuint(f.strict.n_allocates, ==, 0);
    g_assert_cmpint(one(&f, BLOCK_ZERO, 4096, NULL, 4096), ==, 0);
    g_assert_cmpuint(f.strict.n_discards, ==, 1);
    g_assert_cmpuint(f.strict.n_allocates, ==, 1);
    f.strict.fail_kind = ENGINE_DISCARD;
    f.strict.fail_with = EIO;
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 0, NULL, 4096), ==, EIO);
    fixture_close(&f);
}

/* One that cannot discard may well make zeros, with the space given back. */
static void
test_device_without_discard(void)
{
    TestRequest req = { .block = { .op = BLOCK_ZERO, .may_unmap = true, .size = 4096 } };
    Fixture f = { 0 };

    fixture_open(&f, 8192, 1);
    f.file.is_device = true;
    f.strict.fail_kind = ENGINE_DISCARD;
    f.strict.fail_with = EOPNOTSUPP;
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 0, NULL, 4096), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 0, NULL, 4096), ==, 0);
    g_assert_cmpuint(f.strict.n_discards, ==, 1);
    submit(&f, &req);
    drain(&f);
    g_assert_cmpint(f.error, ==, 0);
    g_assert_cmphex(f.strict.last_mode, ==, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
    fixture_close(&f);
}

static void
test_write_that_moves_nothing(void)
{
    uint8_t buffer[512] = { 0 };
    Fixture f = { 0 };

    fixture_open(&f, 4096, 1);
    f.strict.fail_kind = ENGINE_WRITE;
    f.strict.fail_with = 0;
    g_assert_cmpint(one(&f, BLOCK_WRITE, 0, buffer, 512), ==, EIO);
    fixture_close(&f);
}

/* See flushed() in raw.c. */
static void
test_failed_flush(gconstpointer data)
{
    bool direct = GPOINTER_TO_UINT(data) > 1;
    Fixture f = { 0 };

    fixture_open(&f, 4096, GPOINTER_TO_UINT(data));
    f.strict.fail_kind = ENGINE_SYNC;
    f.strict.fail_with = EIO;
    g_assert_cmpint(one(&f, BLOCK_FLUSH, 0, NULL, 0), ==, EIO);
    f.strict.fail_kind = -1;
    g_assert_cmpint(one(&f, BLOCK_FLUSH, 0, NULL, 0), ==, direct ? 0 : EIO);
    fixture_close(&f);
}

static void
test_cache(void)
{
    uint8_t buffer[512] = { 0 };
    Fixture f = { 0 };

    fixture_open(&f, 4096, 1);
    one(&f, BLOCK_WRITE, 0, buffer, 512);
    g_assert_cmpint(f.strict.last_mode, ==, 0);
    f.file.sync_writes = true;
    one(&f, BLOCK_WRITE, 0, buffer, 512);
    g_assert_cmpint(f.strict.last_mode, ==, RWF_DSYNC);
    one(&f, BLOCK_READ, 0, buffer, 512);
    g_assert_cmpint(f.strict.last_mode, ==, 0);
    g_assert_cmpuint(f.strict.n_syncs, ==, 0);
    one(&f, BLOCK_ZERO, 0, NULL, 4096); /* fallocate knows no such flag */
    g_assert_cmpuint(f.strict.n_syncs, ==, 1);
    one(&f, BLOCK_FLUSH, 0, NULL, 0);
    g_assert_cmpuint(f.strict.n_syncs, ==, 2);
    f.file.never_sync = true;
    g_assert_cmpint(one(&f, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
    g_assert_cmpuint(f.strict.n_syncs, ==, 2);
    fixture_close(&f);
}

/* Aligned requests need no second buffer: one operation each, on the guest's own memory. */
static void
test_straight(void)
{
    static uint8_t buffer[65536] __attribute__((aligned(4096)));
    Fixture f = { 0 };

    fixture_open(&f, 65536, 512);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 0, buffer, sizeof(buffer)), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_READ, 512, buffer + 512, 1024), ==, 0);
    g_assert_cmpuint(f.strict.n_ops, ==, 2);
    g_assert_cmpint(one(&f, BLOCK_READ, 512, buffer + 1, 1024), ==, 0);
    g_assert_cmpuint(f.strict.n_ops, ==, 3);
    fixture_close(&f);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/raw/random/cached", GUINT_TO_POINTER(1), test_random);
    g_test_add_data_func("/raw/random/direct-512", GUINT_TO_POINTER(512), test_random);
    g_test_add_data_func("/raw/random/direct-4096", GUINT_TO_POINTER(4096), test_random);
    g_test_add_func("/raw/tail/read-and-write", test_tail);
    g_test_add_func("/raw/tail/file-cut-short", test_tail_in_file_cut_short);
    g_test_add_func("/raw/tail/without-cache", test_odd_size_without_cache);
    g_test_add_data_func("/raw/error/cached", GUINT_TO_POINTER(1), test_error);
    g_test_add_data_func("/raw/error/direct", GUINT_TO_POINTER(4096), test_error);
    g_test_add_data_func("/raw/error/goes-on/cached", GUINT_TO_POINTER(1),
                         test_goes_on_after_error);
    g_test_add_data_func("/raw/error/goes-on/direct", GUINT_TO_POINTER(512),
                         test_goes_on_after_error);
    g_test_add_func("/raw/error/goes-on/zeros", test_zeros_after_error);
    g_test_add_func("/raw/error/nothing-written", test_write_that_moves_nothing);
    g_test_add_data_func("/raw/error/flush/cached", GUINT_TO_POINTER(1), test_failed_flush);
    g_test_add_data_func("/raw/error/flush/direct", GUINT_TO_POINTER(512), test_failed_flush);
    g_test_add_func("/raw/zeros/odd-range", test_zeros_odd_range);
    g_test_add_func("/raw/discard/advice", test_discard_is_advice);
    g_test_add_func("/raw/discard/device", test_discard_on_device);
    g_test_add_func("/raw/discard/device-without", test_device_without_discard);
    g_test_add_func("/raw/cache", test_cache);
    g_test_add_func("/raw/straight", test_straight);
    return g_test_run();
}
