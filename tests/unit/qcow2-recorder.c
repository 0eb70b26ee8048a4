#include "tests/unit/qcow2-recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SECTOR RECORDER_SECTOR

/* A write since the last sync: whole sectors, as a disk writes them. */
typedef struct Write {
    uint64_t offset;
    uint8_t *data;
    size_t size;
} Write;

Recorder recorder;

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
do_op(const EngineOp *op)
{
    switch (op->kind) {
    case ENGINE_READ:
        recorder.n_reads += op->file == 0;
        return preadv(op->file ? recorder.backing_fd : recorder.fd, op->iov, op->n_iov, op->offset);
    case ENGINE_WRITE:
        return do_write(op);
    case ENGINE_SYNC:
        sync_now();
        return 0;
    case ENGINE_ALLOCATE:
        return do_allocate(op);
    case ENGINE_DISCARD: /* of devices */
        break;
    }
    return -ENOSYS;
}

static int64_t
perform(const EngineOp *op)
{
    bool changes = op->kind == ENGINE_WRITE || op->kind == ENGINE_SYNC;
    bool fails = changes && ++recorder.n_changes == recorder.fail_change;

    if (!fails)
        return do_op(op);
    recorder.sync_failed = op->kind == ENGINE_SYNC;
    if (recorder.lies)
        do_op(op);
    return -EIO;
}

static Engine *
recorder_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    recorder.fd = fds[0];
    recorder.backing_fd = n > 1 ? fds[1] : -1;
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

const EngineClass recorder_class = {
    .name = "recorder",
    .open = recorder_open,
    .submit = recorder_submit,
    .start = recorder_start,
    .reap = recorder_reap,
    .close = recorder_close,
};

void
recorder_begin(const char *path, unsigned seed)
{
    g_autofree char *contents = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    recorder = (Recorder){ .engine = { &recorder_class, eventfd(1, EFD_CLOEXEC) } };
    recorder.rand = g_rand_new_with_seed(seed);
    recorder.ops = g_ptr_array_new();
    recorder.writes = g_ptr_array_new_with_free_func(write_free);
    recorder.stable = g_byte_array_new();
    g_byte_array_append(recorder.stable, (const guint8 *)contents, size);
}

void
recorder_end(void)
{
    g_rand_free(recorder.rand);
    g_ptr_array_unref(recorder.ops);
    g_ptr_array_unref(recorder.writes);
    g_byte_array_unref(recorder.stable);
    close(recorder.engine.wake_fd);
}

void
recorder_cut(const char *path)
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
    g_assert_true(g_file_set_contents(path, (const char *)cut->data, cut->len, NULL));
}
