/* Engines with a block device, whose discards a ring leaves to a thread: what they ask of the kernel, and that it is
 * heard of at the one place where the rest is. The device is a file that this program discards on itself. */
#include "qemu-kvm-backend/block/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/fs.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define N_OPS  64
#define BLOCK  4096u
#define ROUNDS 20

typedef struct Fixture {
    Engine *engine;
    int fd;
    char *path;
    EngineOp ops[N_OPS];
    struct iovec iov[N_OPS];
    uint8_t data[N_OPS][BLOCK];
} Fixture;

static unsigned n_done;
static gint n_discards;
static int device_fd = -1;
static bool no_threads; /* that could be made */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *data),
                          void *data);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *data),
                          void *data);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *data),
                      void *data)
{
    return no_threads ? EAGAIN : __real_pthread_create(thread, attr, start, data);
}

int
ioctl(int fd, unsigned long request, ...)
{
    const uint64_t *range;
    va_list args;

    va_start(args, request);
    range = va_arg(args, const uint64_t *);
    va_end(args);
    if (fd != device_fd || request != BLKDISCARD)
        return syscall(SYS_ioctl, fd, request, range);
    g_atomic_int_inc(&n_discards);
    return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, range[0], range[1]);
}

static void
done(EngineOp *op)
{
    n_done++;
}

static bool
set_up(Fixture *f, const EngineClass *class)
{
    VmmError err = { 0 };

    f->fd = g_file_open_tmp("engine-XXXXXX", &f->path, NULL);
    g_assert_cmpint(f->fd, >=, 0);
    f->engine = class->open(&f->fd, 1, 4, true, &err);
    if (!f->engine)
        g_test_skip(err.text);
    device_fd = f->fd;
    n_done = n_discards = 0;
    return f->engine != NULL;
}

static void
tear_down(Fixture *f)
{
    if (f->engine)
        f->engine->class->close(f->engine);
    close(f->fd);
    g_unlink(f->path);
    g_free(f->path);
    g_free(f);
}

static void
submit(Fixture *f, unsigned i, EngineOpKind kind)
{
    f->iov[i] = (struct iovec){ f->data[i], BLOCK };
    f->ops[i] = (EngineOp){
        .kind = kind,
        .iov = &f->iov[i],
        .n_iov = 1,
        .offset = i * BLOCK,
        .size = BLOCK,
        .done = done,
    };
    f->engine->class->submit(f->engine, &f->ops[i]);
}

/* As an event loop does it, or as one who waits. */
static void
wait_for(Fixture *f, unsigned n, bool in_loop)
{
    struct pollfd pollfd = { f->engine->wake_fd, POLLIN, 0 };

    f->engine->class->start(f->engine);
    while (n_done < n) {
        while (in_loop && poll(&pollfd, 1, -1) < 0)
            g_assert_cmpint(errno, ==, EINTR);
        f->engine->class->reap(f->engine, !in_loop);
        f->engine->class->start(f->engine);
    }
    g_assert_cmpuint(n_done, ==, n);
    n_done = 0;
}

static void
fill(Fixture *f)
{
    memset(f->data, 0xaa, sizeof(f->data));
    for (unsigned i = 0; i < N_OPS; i++)
        submit(f, i, ENGINE_WRITE);
    wait_for(f, N_OPS, true);
}

/* Each other block is discarded while those beside it are read. */
static void
discard_some(Fixture *f, bool in_loop)
{
    memset(f->data, 0, sizeof(f->data));
    for (unsigned i = 0; i < N_OPS; i++)
        submit(f, i, i % 2 ? ENGINE_READ : ENGINE_DISCARD);
    wait_for(f, N_OPS, in_loop);
    for (unsigned i = 0; i < N_OPS; i++) {
        g_assert_cmpint(f->ops[i].result, ==, i % 2 ? BLOCK : 0);
        g_assert_cmphex(f->data[i][0], ==, i % 2 ? 0xaa : 0);
    }
}

static void
check_discarded(Fixture *f)
{
    for (unsigned i = 0; i < N_OPS; i++)
        submit(f, i, ENGINE_READ);
    wait_for(f, N_OPS, false);
    for (unsigned i = 0; i < N_OPS; i++)
        g_assert_cmphex(f->data[i][BLOCK - 1], ==, i % 2 ? 0xaa : 0);
}

static void
test_discard(gconstpointer class)
{
    Fixture *f = g_new0(Fixture, 1);

    if (set_up(f, class)) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            fill(f);
            discard_some(f, i % 2);
            check_discarded(f);
        }
        g_assert_cmpint(n_discards, ==, ROUNDS * N_OPS / 2);
    }
    tear_down(f);
}

/* Nothing else is under way that could wake anybody. */
static void
test_discards_alone(gconstpointer class)
{
    Fixture *f = g_new0(Fixture, 1);

    if (set_up(f, class)) {
        for (unsigned i = 0; i < ROUNDS; i++) {
            submit(f, 0, ENGINE_DISCARD);
            wait_for(f, 1, i % 2);
        }
        g_assert_cmpint(n_discards, ==, ROUNDS);
    }
    tear_down(f);
}

static void
test_refused(gconstpointer class)
{
    Fixture *f = g_new0(Fixture, 1);

    if (set_up(f, class)) {
        device_fd = -1;
        submit(f, 0, ENGINE_DISCARD);
        wait_for(f, 1, true);
        g_assert_cmpint(f->ops[0].result, ==, -ENOTTY); /* it is a file, after all */
    }
    tear_down(f);
}

/* What is over wakes nobody again. */
static void
test_quiet(gconstpointer class)
{
    Fixture *f = g_new0(Fixture, 1);

    if (set_up(f, class)) {
        struct pollfd pollfd = { f->engine->wake_fd, POLLIN, 0 };

        fill(f);
        discard_some(f, false);
        f->engine->class->reap(f->engine, false);
        f->engine->class->start(f->engine);
        g_assert_cmpint(poll(&pollfd, 1, 50), ==, 0);
    }
    tear_down(f);
}

/* A ring that has no thread for discards is a ring still. */
static void
test_no_helper(void)
{
    Fixture *f = g_new0(Fixture, 1);
    VmmError err;

    if (set_up(f, &engine_uring_class)) {
        f->engine->class->close(f->engine);
        no_threads = true;
        f->engine = engine_uring_class.open(&f->fd, 1, 4, true, &err);
        g_assert_nonnull(f->engine);
        no_threads = false;
        g_assert_false(f->engine->discards);
        fill(f);
    }
    tear_down(f);
}

static void
add_tests(const EngineClass *class)
{
    static const struct {
        const char *name;
        GTestDataFunc test;
    } tests[] = {
        { "discard", test_discard },
        { "discards-alone", test_discards_alone },
        { "refused", test_refused },
        { "quiet", test_quiet },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *name = g_strdup_printf("/engine/%s/%s", class->name, tests[i].name);

        g_test_add_data_func(name, class, tests[i].test);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_tests(&engine_uring_class);
    add_tests(&engine_threads_class);
    g_test_add_func("/engine/io_uring/no-helper", test_no_helper);
    return g_test_run();
}
