/* Disks on real files, by both engines: buffered and without cache, on a full file system, past a limit. */
#include "qemu-kvm-backend/block/block.h"
#include "qemu-kvm-backend/block/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Fixture {
    char *path;
    int fd; /* another one than the disk's */
    pthread_mutex_t lock;
    Block *block;
    Loop *loop;
    unsigned n_done, n_batches;
    unsigned quit_after; /* so many requests the loop ends */
    int error;
} Fixture;

typedef struct TestRequest {
    BlockRequest block;
    Fixture *fixture;
    struct iovec iov[4];
} TestRequest;

static const EngineClass *const engines[] = { &engine_uring_class, &engine_threads_class };

static void
reaped(void *data)
{
    Fixture *f = data;

    g_assert_cmpint(pthread_mutex_trylock(&f->lock), ==, EBUSY);
    f->n_batches++;
    if (f->loop && f->n_done >= f->quit_after)
        loop_quit(f->loop);
}

static void
done(BlockRequest *block, int error)
{
    Fixture *f = ((TestRequest *)block)->fixture;

    f->n_done++;
    if (error)
        f->error = error;
}

static VmmMsg *
params_new(int fd, const char *cache, const char *io)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    if (fd >= 0)
        vmm_msg_put_fd(msg, "fd", fd);
    if (cache)
        vmm_msg_put_string(msg, "cache", cache);
    if (io)
        vmm_msg_put_string(msg, "io", io);
    return msg;
}

static Block *
open_block(Fixture *f, const EngineClass *engine, VmmMsg *params, VmmError *err)
{
    const BlockOwner owner = { "disk", &f->lock, reaped, f };

    return block_open_with(engine, params, &owner, err);
}

static char *
temporary_path(const char *dir)
{
    char *path = g_build_filename(dir, "block-XXXXXX", NULL);
    int fd = g_mkstemp(path);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return path;
}

/* False where the file system has no O_DIRECT. */
static bool
fixture_open(Fixture *f, const EngineClass *engine, const char *dir, size_t size, const char *cache)
{
    bool direct = strcmp(cache, "none") == 0 || strcmp(cache, "directsync") == 0;
    vmm_msg_auto params = NULL;
    VmmError err = { 0 };
    int fd;

    *f = (Fixture){ .path = temporary_path(dir) };
    pthread_mutex_init(&f->lock, NULL);
    f->fd = open(f->path, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(ftruncate(f->fd, size), ==, 0);
    fd = open(f->path, O_RDWR | O_CLOEXEC | (direct ? O_DIRECT : 0));
    if (fd < 0) {
        g_test_skip("no O_DIRECT here");
        return false;
    }
    params = params_new(fd, cache, NULL);
    f->block = open_block(f, engine, params, &err);
    if (!f->block)
        g_error("%s", err.text);
    pthread_mutex_lock(&f->lock);
    return true;
}

static void
fixture_close(Fixture *f)
{
    if (f->block)
        pthread_mutex_unlock(&f->lock);
    block_close(f->block);
    loop_free(f->loop);
    close(f->fd);
    g_unlink(f->path);
    g_free(f->path);
    pthread_mutex_destroy(&f->lock);
}

static void
submit(Fixture *f, TestRequest *req, BlockOp op, uint64_t offset, void *data, size_t size)
{
    req->fixture = f;
    req->block = (BlockRequest){ .op = op, .offset = offset, .size = size, .done = done };
    req->iov[0] = (struct iovec){ data, size };
    req->block.iov = req->iov;
    req->block.n_iov = op == BLOCK_READ || op == BLOCK_WRITE;
    block_submit(f->block, &req->block);
}

static int
one(Fixture *f, BlockOp op, uint64_t offset, void *data, size_t size)
{
    TestRequest req;
    unsigned n = f->n_done;

    f->error = 0;
    submit(f, &req, op, offset, data, size);
    block_start(f->block);
    block_drain(f->block);
    g_assert_cmpuint(f->n_done, ==, n + 1);
    return f->error;
}

static void
fill(uint8_t *data, size_t size, unsigned seed)
{
    for (size_t i = 0; i < size; i++)
        data[i] = seed + i + i / 251;
}

static bool
is_zero(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i])
            return false;
    }
    return true;
}

/* Every engine in every cache mode */

typedef struct Mode {
    const EngineClass *engine;
    const char *dir;
    const char *cache;
} Mode;

#define SIZE (1u << 20)

static void
test_mode(gconstpointer data)
{
    const Mode *mode = data;
    g_autofree uint8_t *buffer = g_malloc(SIZE), *back = g_malloc0(SIZE + 1);
    struct stat st;
    Fixture f;

    if (!fixture_open(&f, mode->engine, mode->dir, SIZE, mode->cache)) {
        fixture_close(&f);
        return;
    }
    fill(buffer, SIZE, 1);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 0, buffer, SIZE), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_FLUSH, 0, NULL, 0), ==, 0);
    g_assert_cmpint(pread(f.fd, back, SIZE, 0), ==, SIZE);
    g_assert_cmpmem(back, SIZE, buffer, SIZE);
    fill(buffer + 1536, 512, 9);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 1536, buffer + 1536, 512), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_READ, 0, back + 1, SIZE), ==, 0); /* misaligned */
    g_assert_cmpmem(back + 1, SIZE, buffer, SIZE);
    g_assert_cmpint(one(&f, BLOCK_ZERO, 4096, NULL, 12288), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_DISCARD, 65536, NULL, SIZE - 65536), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_READ, 0, back, SIZE), ==, 0);
    g_assert_cmpmem(back, 4096, buffer, 4096);
    g_assert_true(is_zero(back + 4096, 12288));
    g_assert_cmpmem(back + 16384, 49152, buffer + 16384, 49152);
    g_assert_true(is_zero(back + 65536, SIZE - 65536));
    g_assert_cmpint(fstat(f.fd, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, SIZE);
    g_assert_cmpint(st.st_blocks, <=, 65536 / 512 + 64); /* given back */
    fixture_close(&f);
}

/* More than an engine takes at once, reported in the loop's thread. */
static void
test_many(gconstpointer data)
{
    enum { N = 500 };
    g_autofree TestRequest *reqs = g_new0(TestRequest, N);
    g_autofree uint8_t *buffer = g_malloc(N * 4096), *back = g_malloc0(N * 4096);
    Fixture f;

    fixture_open(&f, data, g_get_tmp_dir(), N * 4096, "writeback");
    fill(buffer, N * 4096, 3);
    g_assert_cmpint(pwrite(f.fd, buffer, N * 4096, 0), ==, N * 4096);
    f.loop = loop_new();
    f.quit_after = N;
    block_attach(f.block, f.loop);
    for (unsigned i = 0; i < N; i++) {
        unsigned at = i * 7 % N * 4096;

        submit(&f, &reqs[i], BLOCK_READ, at, back + at, 4096);
    }
    block_start(f.block);
    pthread_mutex_unlock(&f.lock);
    loop_run(f.loop);
    pthread_mutex_lock(&f.lock);
    block_detach(f.block);
    g_assert_cmpuint(f.n_done, ==, N);
    g_assert_cmpuint(f.n_batches, >=, 1);
    g_assert_cmpint(f.error, ==, 0);
    g_assert_cmpmem(back, N * 4096, buffer, N * 4096);
    fixture_close(&f);
}

/* A drain leaves nothing behind that would wake the loop. */
static void
test_drain(gconstpointer data)
{
    TestRequest reqs[16];
    uint8_t buffer[512];
    Fixture f;

    fixture_open(&f, data, g_get_tmp_dir(), SIZE, "writeback");
    f.loop = loop_new();
    block_attach(f.block, f.loop);
    block_drain(f.block);
    g_assert_cmpuint(f.n_batches, ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(reqs); i++)
        submit(&f, &reqs[i], BLOCK_READ, i * 512, buffer, 512);
    block_drain(f.block); /* not started */
    g_assert_cmpuint(f.n_done, ==, G_N_ELEMENTS(reqs));
    g_assert_cmpuint(f.n_batches, ==, 1);
    block_detach(f.block);
    fixture_close(&f);
}

/* The host says no */

/* A file system of 1 MiB that is all ours; NULL where this process may not mount. */
static char *
mount_small(void)
{
    char *dir = g_dir_make_tmp("block-XXXXXX", NULL);

    if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("tmpfs", dir, "tmpfs", 0, "size=1m") == 0)
        return dir;
    g_rmdir(dir);
    g_free(dir);
    return NULL;
}

static void
write_until_full(Fixture *f, BlockRequest *ret)
{
    g_autofree uint8_t *buffer = g_malloc(2 << 20);
    TestRequest req;

    fill(buffer, 2 << 20, 5);
    submit(f, &req, BLOCK_WRITE, 0, buffer, 2 << 20);
    block_start(f->block);
    block_drain(f->block);
    g_assert_cmpint(f->error, ==, ENOSPC);
    g_assert_cmpuint(req.block.offset, >=, 512 << 10); /* what fitted is there */
    g_assert_cmpuint(req.block.offset + req.block.size, ==, 2 << 20);
    g_assert_cmpint(one(f, BLOCK_WRITE, 0, buffer, 4096), ==, 0);
    g_assert_cmpint(one(f, BLOCK_DISCARD, 0, NULL, 1 << 19), ==, 0);
    f->error = 0;
    block_submit(f->block, &req.block); /* there is space again, but not enough */
    block_drain(f->block);
    g_assert_cmpint(f->error, ==, ENOSPC);
    *ret = req.block;
}

static void
test_full_child(gconstpointer data)
{
    g_autofree char *dir = mount_small();
    BlockRequest left;
    Fixture f;

    if (!dir)
        exit(77);
    fixture_open(&f, data, dir, 2 << 20, "writeback");
    write_until_full(&f, &left);
    g_assert_cmpuint(left.offset, >, 1 << 20);
    fixture_close(&f);
    umount(dir);
    g_rmdir(dir);
    exit(0);
}

/* In a process of its own, for its mounts are. */
static void
test_full(gconstpointer data)
{
    pid_t pid = fork();
    int status;

    if (pid == 0)
        test_full_child(data);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        g_test_skip("may not mount");
    else
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void
test_limit(gconstpointer data)
{
    struct rlimit before, limit;
    uint8_t buffer[4096] = { 0 };
    Fixture f;

    fixture_open(&f, data, g_get_tmp_dir(), SIZE, "writeback");
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    signal(SIGXFSZ, SIG_IGN);
    limit = (struct rlimit){ 65536, before.rlim_max };
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 65536 - 4096, buffer, 4096), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 65536, buffer, 4096), ==, EFBIG);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    g_assert_cmpint(one(&f, BLOCK_WRITE, 65536, buffer, 4096), ==, 0);
    fixture_close(&f);
}

/* Opening */

typedef struct BadOpening {
    const char *what;
    int flags; /* of the file; -1: no file */
    const char *key, *value;
    const char *text;
} BadOpening;

static const BadOpening bad_openings[] = {
    { "no-fd", -1, NULL, NULL, "Disk 'disk' has no image" },
    { "read-only-fd", O_RDONLY, NULL, NULL, "The image of disk 'disk' is not open for writing" },
    { "write-only-fd", O_WRONLY, NULL, NULL, "The image of disk 'disk' is not open for reading" },
    { "path-fd", O_PATH, NULL, NULL, "The image of disk 'disk' is not open for reading" },
    { "format", O_RDWR, "format", "qed",
      "Disk 'disk' has an image of format 'qed', which is not supported" },
    { "cache", O_RDWR, "cache", "maybe", "Disk 'disk' has no cache mode 'maybe'" },
    { "io", O_RDWR, "io", "native", "Disk 'disk' has no I/O by 'native'" },
    { "cache-of-fd", O_RDWR, "cache", "none",
      "Disk 'disk' is opened without O_DIRECT, which cache mode 'none' does not want" },
};

static void
test_bad_opening(gconstpointer data)
{
    const BadOpening *bad = data;
    g_autofree char *path = temporary_path(g_get_tmp_dir());
    int fd = bad->flags < 0 ? -1 : open(path, bad->flags | O_CLOEXEC);
    vmm_msg_auto params = params_new(fd, NULL, NULL);
    Fixture f = { 0 };
    VmmError err = { 0 };

    if (bad->key)
        vmm_msg_put_string(params, bad->key, bad->value);
    g_assert_null(open_block(&f, NULL, params, &err));
    g_assert_cmpstr(err.text, ==, bad->text);
    g_unlink(path);
}

static void
test_open_pipe(void)
{
    int fds[2];
    vmm_msg_auto params = NULL;
    Fixture f = { 0 };
    VmmError err = { 0 };

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    params = params_new(fds[0], NULL, NULL);
    g_assert_null(open_block(&f, NULL, params, &err));
    g_assert_cmpstr(err.text, ==,
                    "The image of disk 'disk' is neither a regular file nor a block device");
    close(fds[1]);
}

static void
test_open_read_only(void)
{
    g_autofree char *path = temporary_path(g_get_tmp_dir());
    vmm_msg_auto params = params_new(open(path, O_RDONLY | O_CLOEXEC), NULL, "threads");
    Fixture f = { 0 };
    VmmError err = { 0 };
    Block *block;

    vmm_msg_put_bool(params, "read-only", true);
    block = open_block(&f, NULL, params, &err);
    g_assert_nonnull(block);
    g_assert_null(vmm_msg_unread(params));
    g_assert_false(block_geometry(block).writable);
    g_assert_cmpuint(block_geometry(block).size, ==, 0);
    block_close(block);
    g_unlink(path);
}

static void
test_writeback(void)
{
    static const struct {
        const char *cache;
        bool writeback;
    } modes[] = { { "writeback", true }, { "writethrough", false }, { "unsafe", true } };

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
        Fixture f;

        fixture_open(&f, &engine_threads_class, g_get_tmp_dir(), 512, modes[i].cache);
        g_assert_cmpint(block_writeback(f.block), ==, modes[i].writeback);
        block_set_writeback(f.block, !modes[i].writeback);
        g_assert_cmpint(block_writeback(f.block), ==, !modes[i].writeback);
        fixture_close(&f);
    }
}

static void
test_resize(void)
{
    uint8_t buffer[512] = { 1 };
    Fixture f;

    fixture_open(&f, &engine_threads_class, g_get_tmp_dir(), 1000, "writeback");
    g_assert_cmpuint(block_geometry(f.block).size, ==, 1024);
    g_assert_false(block_resize(f.block));
    g_assert_cmpint(ftruncate(f.fd, 1 << 16), ==, 0);
    g_assert_true(block_resize(f.block));
    g_assert_cmpuint(block_geometry(f.block).size, ==, 1 << 16);
    g_assert_cmpint(one(&f, BLOCK_READ, (1 << 16) - 512, buffer, 512), ==, 0);
    g_assert_true(is_zero(buffer, 512));
    fixture_close(&f);
}

/* What is locked through another descriptor of the file is free when the disk is closed, not when the kernel has done
 * with a ring that knew the file. */
static void
test_lock(gconstpointer engine)
{
    struct flock taken = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };
    g_autofree char *path = temporary_path(g_get_tmp_dir());
    int fds[] = { open(path, O_RDWR | O_CLOEXEC), open(path, O_RDWR | O_CLOEXEC),
                  open(path, O_RDWR | O_CLOEXEC) };
    VmmMsg *params = params_new(fds[0], NULL, NULL);
    struct flock wanted = taken;
    VmmError err = { 0 };
    Fixture f = { .lock = PTHREAD_MUTEX_INITIALIZER };

    g_assert_no_errno(fcntl(fds[1], F_OFD_SETLK, &taken));
    vmm_msg_put_fd(params, "lock", fds[1]);
    f.block = open_block(&f, engine, params, &err);
    g_assert_nonnull(f.block);
    g_assert_false(vmm_msg_unread(params));
    vmm_msg_free(params);
    wanted.l_type = F_WRLCK;
    g_assert_cmpint(fcntl(fds[2], F_OFD_SETLK, &wanted), ==, -1);
    block_close(f.block);
    g_assert_no_errno(fcntl(fds[2], F_OFD_SETLK, &wanted));
    close(fds[2]);
    g_unlink(path);
}

/* io_uring */

static void
forbid_uring(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { G_N_ELEMENTS(code), code };

    g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
    g_assert_cmpint(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
}

/* As where kernel.io_uring_disabled is set. */
static void
test_uring_forbidden(void)
{
    uint8_t buffer[512];
    Fixture f;

    if (g_test_subprocess()) {
        forbid_uring();
        fixture_open(&f, NULL, g_get_tmp_dir(), 4096, "writeback");
        g_assert_cmpint(one(&f, BLOCK_READ, 0, buffer, 512), ==, 0);
        fixture_close(&f);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*Disk 'disk' goes on with threads: Cannot set up io_uring: "
                              "Operation not permitted*");
}

static int
ring_result(Uring *ring, uint8_t opcode, uint8_t flags)
{
    struct io_uring_sqe *sqe = uring_get(ring);
    struct io_uring_cqe cqe;

    sqe->opcode = opcode;
    sqe->flags = flags;
    uring_enter(ring, 1);
    g_assert_true(uring_take(ring, &cqe));
    g_assert_false(uring_take(ring, &cqe));
    return cqe.res;
}

/* What a guest could make of the process cannot use the ring for more than the disk. */
static void
test_uring_restricted(void)
{
    static const unsigned char ops[] = { IORING_OP_FSYNC };
    g_autofree char *path = temporary_path(g_get_tmp_dir());
    int fd = open(path, O_RDWR | O_CLOEXEC), other = open(path, O_RDWR | O_CLOEXEC);
    Uring ring;

    if (!uring_open(&ring, 4, &fd, 1, ops, 1)) {
        g_test_skip("no io_uring here");
        return;
    }
    g_assert_cmpint(ring_result(&ring, IORING_OP_FSYNC, IOSQE_FIXED_FILE), ==, 0);
    g_assert_cmpint(ring_result(&ring, IORING_OP_FSYNC, 0), ==, -EACCES);
    g_assert_cmpint(ring_result(&ring, IORING_OP_OPENAT, IOSQE_FIXED_FILE), ==, -EACCES);
    g_assert_cmpint(ring_result(&ring, IORING_OP_FSYNC, IOSQE_FIXED_FILE | IOSQE_ASYNC), ==,
                    -EACCES);
    g_assert_cmpint(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_FILES, NULL, 0), <,
                    0);
    g_assert_cmpint(errno, ==, EACCES);
    uring_close(&ring);
    close(fd);
    close(other);
    g_unlink(path);
}

static void
add_engine_tests(const EngineClass *engine)
{
    static const char *const caches[] = { "writeback", "none", "writethrough", "directsync",
                                          "unsafe" };
    static const char *const dirs[] = { NULL, "/dev/shm" };
    static const struct {
        const char *name;
        GTestDataFunc test;
    } tests[] = {
        { "many", test_many },   { "drain", test_drain }, { "full", test_full },
        { "limit", test_limit }, { "lock", test_lock },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(caches) * G_N_ELEMENTS(dirs); i++) {
        const char *cache = caches[i / 2], *dir = dirs[i % 2] ? dirs[i % 2] : g_get_tmp_dir();
        g_autofree char *name =
            g_strdup_printf("/block/%s/%s/%s", engine->name, cache, dirs[i % 2] ? "shm" : "tmp");
        Mode mode = { engine, dir, cache };

        g_test_add_data_func_full(name, g_memdup2(&mode, sizeof(mode)), test_mode, g_free);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *name = g_strdup_printf("/block/%s/%s", engine->name, tests[i].name);

        g_test_add_data_func(name, engine, tests[i].test);
    }
}

static bool
has_uring(void)
{
    static const unsigned char ops[] = { IORING_OP_FSYNC };
    const int fd = STDIN_FILENO;
    Uring ring;

    if (!uring_open(&ring, 4, &fd, 1, ops, 1))
        return false;
    uring_close(&ring);
    return true;
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = has_uring() ? 0 : 1; i < G_N_ELEMENTS(engines); i++)
        add_engine_tests(engines[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(bad_openings); i++) {
        g_autofree char *name = g_strdup_printf("/block/open/%s", bad_openings[i].what);

        g_test_add_data_func(name, &bad_openings[i], test_bad_opening);
    }
    g_test_add_func("/block/open/socket", test_open_pipe);
    g_test_add_func("/block/open/read-only", test_open_read_only);
    g_test_add_func("/block/writeback", test_writeback);
    g_test_add_func("/block/resize", test_resize);
    g_test_add_func("/block/uring/forbidden", test_uring_forbidden);
    g_test_add_func("/block/uring/restricted", test_uring_restricted);
    return g_test_run();
}
