/* Requests on qcow2 that a full disk stops, and that are made again as they are, as a guest is that goes on then. */
#include "tests/unit/qcow2-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DISK_MIB  8
#define SIZE      (192u << 10)
#define BUFFER    4096u
#define N_BUFFERS (SIZE / BUFFER)
#define OFFSET    512u /* so that pieces end within buffers */

/* An engine on a disk that writes little at a time, and fails once. */

typedef struct StingyEngine {
    Engine engine;
    int fds[ENGINE_FILES_MAX];
    EngineQueue queue;
} StingyEngine;

static StingyEngine stingy;
static const EngineClass stingy_class;
static guint64 most;    /* bytes of a write */
static int fails_write; /* the one after so many; -1: none */

static gint64
write_some(const EngineOp *op)
{
    struct iovec some[N_BUFFERS];
    guint64 left = most;
    guint n = 0;

    for (; n < op->n_iov && n < N_BUFFERS && left > 0; n++) {
        some[n] = op->iov[n];
        some[n].iov_len = MIN(some[n].iov_len, left);
        left -= some[n].iov_len;
    }
    return pwritev(stingy.fds[op->file], some, n, op->offset);
}

static gint64
perform(const EngineOp *op)
{
    errno = ENOSPC;
    switch (op->kind) {
    case ENGINE_READ:
        return preadv(stingy.fds[op->file], op->iov, op->n_iov, op->offset);
    case ENGINE_WRITE:
        return fails_write >= 0 && fails_write-- == 0 ? -1 : write_some(op);
    case ENGINE_SYNC:
        return 0;
    default:
        return fallocate(stingy.fds[op->file], op->mode, op->offset, op->size);
    }
}

static Engine *
stingy_open(const int *fds, unsigned n, unsigned workers, bool discards, VmmError *err)
{
    stingy = (StingyEngine){ .engine.class = &stingy_class };
    memcpy(stingy.fds, fds, n * sizeof(*fds));
    return &stingy.engine;
}

static void
stingy_submit(Engine *engine, EngineOp *op)
{
    engine_queue_put(&stingy.queue, op);
}

static void
stingy_nothing(Engine *engine)
{
}

static void
stingy_reap(Engine *engine, bool wait)
{
    EngineOp *op = engine_queue_take(&stingy.queue);

    g_assert_nonnull(op);
    op->result = perform(op);
    if (op->result < 0)
        op->result = -errno;
    op->done(op);
}

static const EngineClass stingy_class = {
    .name = "stingy",
    .open = stingy_open,
    .submit = stingy_submit,
    .start = stingy_nothing,
    .reap = stingy_reap,
    .close = stingy_nothing,
};

/* The disk */

typedef struct Again {
    char *dir;
    Block *block;
    BlockRequest req;
    struct iovec iov[N_BUFFERS];
    guint8 *data, *seen;
    int error; /* -1: it has not ended */
} Again;

static Again again;

static void
ended(BlockRequest *req, int error)
{
    again.error = error;
}

static void
reaped(void *data)
{
}

static void
set_up(const char *cache)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    const BlockOwner owner = { "disk", &lock, reaped, NULL };
    g_autofree char *path = NULL;
    vmm_msg_auto params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    VmmError err = { 0 };

    again = (Again){ .dir = qcow2_test_dir(FALSE), .data = g_malloc(SIZE), .seen = g_malloc(SIZE) };
    path = g_build_filename(again.dir, "image", NULL);
    qemu_img("create -q -f qcow2 %s %dM", path, DISK_MIB);
    vmm_msg_put_fd(params, "fd", open(path, O_RDWR | O_CLOEXEC));
    vmm_msg_put_string(params, "format", "qcow2");
    vmm_msg_put_string(params, "cache", cache);
    most = G_MAXUINT64;
    fails_write = -1;
    again.block = block_open_with(&stingy_class, params, &owner, &err);
    if (!again.block)
        g_error("%s", err.text);
    for (guint i = 0; i < SIZE; i++)
        again.data[i] = i * 31 + i / 251 + 1;
}

static void
tear_down(void)
{
    block_close(again.block);
    qcow2_test_dir_free(again.dir);
    g_free(again.data);
    g_free(again.seen);
}

/* In buffers that are no neighbours: each page of another's. */
static void
describe(BlockOp op, guint8 *data)
{
    again.req = (BlockRequest){ .op = op,
                                .offset = OFFSET,
                                .size = SIZE,
                                .iov = again.iov,
                                .n_iov = N_BUFFERS,
                                .done = ended };
    for (guint i = 0; i < N_BUFFERS; i++)
        again.iov[i] = (struct iovec){ data + (i * 7 % N_BUFFERS) * BUFFER, BUFFER };
}

static int
submit(void)
{
    again.error = -1;
    block_submit(again.block, &again.req);
    while (again.error < 0)
        block_wait(again.block);
    return again.error;
}

static void
assert_written(void)
{
    describe(BLOCK_READ, again.seen);
    g_assert_cmpint(submit(), ==, 0);
    g_assert_cmpmem(again.seen, SIZE, again.data, SIZE);
}

static const struct Case {
    const char *name, *cache;
    guint64 piece; /* bytes of a write */
} cases[] = {
    { "/qcow2-again/5000", "writeback", 5000 },
    { "/qcow2-again/1000", "writeback", 1000 },
    { "/qcow2-again/9000", "writeback", 9000 },
    { "/qcow2-again/through", "writethrough",
      G_MAXUINT64 }, /* where tables are written for the request, too */
};

/* Whichever write it is that fails: of data, after pieces that end within buffers, or of a table. */
static void
test_again(gconstpointer data)
{
    const struct Case *one = data;
    int n = 0, error;

    do {
        set_up(one->cache);
        most = one->piece;
        fails_write = n++;
        describe(BLOCK_WRITE, again.data);
        error = submit();
        if (error) {
            g_assert_cmpint(error, ==, ENOSPC);
            most = G_MAXUINT64;
            g_assert_cmpint(submit(), ==, 0);
        }
        fails_write = -1;
        assert_written();
        tear_down();
    } while (error);
    g_assert_cmpint(n, >, 2);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_test_add_data_func(cases[i].name, &cases[i], test_again);
    return g_test_run();
}
