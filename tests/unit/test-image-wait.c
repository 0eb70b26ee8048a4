/* Who opens an image waits for what was written to it before: by claims that a process holds that a test begins and ends,
 * and by writes of the VMM's own that slow storage has not done yet when the process is gone.
 */
#include "driver/error.h"
#include "driver/image-lock.h"
#include "driver/image-wait.h"
#include "qemu-kvm-backend/block/block.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "tests/unit/slow-file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHORT_MS 200
#define LONG_MS  60000
#define SIZE     (1 << 20)
#define AT       4096
#define BLOCK    4096
#define MARK     0x5a

/* Those who use an image. */
typedef struct User {
    const char *name;
    gboolean readonly, shareable;
} User;

enum { WRITER, READER, SHARER, SHARING_READER, N_USERS };

static const User users[N_USERS] = {
    [WRITER] = { "writer", FALSE, FALSE },
    [READER] = { "reader", TRUE, FALSE },
    [SHARER] = { "sharer", FALSE, TRUE },
    [SHARING_READER] = { "sharing-reader", TRUE, TRUE },
};

/* Who waits for what he did who is gone: nobody for a reader, and only those who may not be there beside him who wrote. */
static const gboolean waits_for[N_USERS][N_USERS] = {
    [WRITER] = { [WRITER] = TRUE, [SHARER] = TRUE },
    [READER] = { [WRITER] = TRUE, [SHARER] = TRUE },
    [SHARER] = { [WRITER] = TRUE },
};

typedef struct Heard {
    guint n;
    GError *error;
    GMainLoop *loop;
} Heard;

static char *
image_new(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("wait-XXXXXX", &path, NULL);

    g_assert_no_errno(ftruncate(fd, SIZE));
    close(fd);
    return path;
}

static void
image_free(char *path)
{
    g_unlink(path);
    g_free(path);
}

/* As the driver opens it: the lock apart, and the data's own description. */
static ImageWait *
open_as(const char *path, const User *user, int *ret_fd, int *ret_lock)
{
    ImageWait *wait = image_wait_new();
    g_autoptr(GError) error = NULL;
    int fd = open(path, (user->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    int lock = image_lock_apart(fd, user->readonly, user->shareable, path, &error);

    g_assert_no_error(error);
    g_assert_cmpint(lock, >=, 0);
    image_wait_add(wait, fd, user->readonly, user->shareable, path, &error);
    g_assert_no_error(error);
    *ret_fd = fd;
    *ret_lock = lock;
    return wait;
}

static void
heard(gpointer data, const GError *error)
{
    Heard *heard = data;

    heard->n++;
    heard->error = error ? g_error_copy(error) : NULL;
    if (heard->loop)
        g_main_loop_quit(heard->loop);
}

static gboolean
count(gpointer n)
{
    ++*(guint *)n;
    return G_SOURCE_CONTINUE;
}

/* Runs the main loop until @heard; how often something else in it had its turn meanwhile. */
static guint
run_until(Heard *heard)
{
    guint n = 0, timer = g_timeout_add(1, count, &n);

    heard->loop = g_main_loop_new(NULL, FALSE);
    g_main_loop_run(heard->loop);
    g_clear_pointer(&heard->loop, g_main_loop_unref);
    g_source_remove(timer);
    return n;
}

/* Somebody has had the image, and is gone but for the description of its data, which the process that this begins keeps
 * until it is killed. */
static pid_t
leave_behind(const char *path, const User *user)
{
    int fd, lock;
    ImageWait *wait = open_as(path, user, &fd, &lock);
    pid_t pid;

    image_wait_free(wait);
    close(lock);
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    while (pid == 0)
        pause();
    close(fd);
    return pid;
}

static gboolean
end(gpointer pid)
{
    kill(GPOINTER_TO_INT(pid), SIGKILL);
    waitpid(GPOINTER_TO_INT(pid), NULL, 0);
    return G_SOURCE_REMOVE;
}

static void
test_nobody(void)
{
    g_autoptr(ImageWait) wait = NULL;
    char *path = image_new();
    Heard all = { 0 };
    int fd, lock;

    wait = open_as(path, &users[WRITER], &fd, &lock);
    image_wait_begin(wait, LONG_MS, heard, &all);
    g_assert_cmpuint(all.n, ==, 1); /* at once: its own claim is none to wait for */
    g_assert_no_error(all.error);
    close(fd);
    close(lock);
    image_free(path);
}

static void
test_pair(gconstpointer data)
{
    guint now = GPOINTER_TO_UINT(data) / N_USERS, before = GPOINTER_TO_UINT(data) % N_USERS;
    g_autoptr(ImageWait) wait = NULL;
    char *path = image_new();
    pid_t pid = leave_behind(path, &users[before]);
    Heard all = { 0 };
    int fd, lock;

    wait = open_as(path, &users[now], &fd, &lock);
    image_wait_begin(wait, LONG_MS, heard, &all);
    g_assert_cmpuint(all.n, ==, !waits_for[now][before]);
    end(GINT_TO_POINTER(pid));
    if (all.n == 0)
        run_until(&all);
    g_assert_cmpuint(all.n, ==, 1);
    g_assert_no_error(all.error);
    close(fd);
    close(lock);
    image_free(path);
}

/* The main loop has its turns meanwhile. */
static void
test_released(void)
{
    g_autoptr(ImageWait) wait = NULL;
    char *path = image_new();
    pid_t pid = leave_behind(path, &users[WRITER]);
    Heard all = { 0 };
    int fd, lock;

    wait = open_as(path, &users[WRITER], &fd, &lock);
    image_wait_begin(wait, LONG_MS, heard, &all);
    g_assert_cmpuint(all.n, ==, 0);
    g_timeout_add(SHORT_MS, end, GINT_TO_POINTER(pid));
    g_assert_cmpuint(run_until(&all), >, 2);
    g_assert_no_error(all.error);
    g_assert_cmpint(kill(pid, 0), ==, -1);
    close(fd);
    close(lock);
    image_free(path);
}

static void
test_never(void)
{
    g_autoptr(ImageWait) wait = NULL;
    char *path = image_new();
    pid_t pid = leave_behind(path, &users[WRITER]);
    Heard all = { 0 };
    int fd, lock;

    wait = open_as(path, &users[READER], &fd, &lock);
    image_wait_begin(wait, SHORT_MS, heard, &all);
    run_until(&all);
    g_assert_error(all.error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    g_assert_nonnull(strstr(all.error->message, "\"write\" lock"));
    g_assert_nonnull(strstr(all.error->message, path));
    g_clear_error(&all.error);
    end(GINT_TO_POINTER(pid));
    close(fd);
    close(lock);
    image_free(path);
}

static void
test_given_up(void)
{
    char *path = image_new();
    pid_t pid = leave_behind(path, &users[WRITER]);
    Heard all = { 0 };
    int fd, lock;
    ImageWait *wait = open_as(path, &users[WRITER], &fd, &lock);

    image_wait_begin(wait, LONG_MS, heard, &all);
    image_wait_free(wait);
    end(GINT_TO_POINTER(pid));
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_cmpuint(all.n, ==, 0);
    close(fd);
    close(lock);
    image_free(path);
}

/* The VMM's writes */

typedef struct Way {
    const char *name;
    const EngineClass *engine;
    gboolean direct;
    gboolean survives; /* a write that is under way, the process that asked for it */
} Way;

static const Way ways[] = {
    { "uring/direct", &engine_uring_class, TRUE, TRUE },
    { "uring/cached", &engine_uring_class, FALSE, FALSE },
    { "threads/direct", &engine_threads_class, TRUE, FALSE },
};

static void
reaped(void *data)
{
}

static void
written(BlockRequest *req, int error)
{
}

/* A guest's process, in as far as it writes. */
static void
write_and_stay(int fd, const Way *way)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static char data[BLOCK] __attribute__((aligned(BLOCK)));
    const BlockOwner owner = { "disk", &mutex, reaped, NULL };
    VmmMsg *params = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");
    struct iovec iov = { data, sizeof(data) };
    BlockRequest req = { .op = BLOCK_WRITE,
                         .offset = AT,
                         .size = sizeof(data),
                         .iov = &iov,
                         .n_iov = 1,
                         .done = written };
    VmmError err = { 0 };
    Block *block;

    memset(data, MARK, sizeof(data));
    vmm_msg_put_fd(params, "fd", fd);
    vmm_msg_put_string(params, "cache", way->direct ? "none" : "writeback");
    block = block_open_with(way->engine, params, &owner, &err);
    if (!block)
        _exit(1);
    pthread_mutex_lock(&mutex);
    block_submit(block, &req);
    block_start(block);
    for (;;)
        pause();
}

static pid_t
begin_writing(const char *path, const Way *way)
{
    int fd, lock;
    ImageWait *wait = open_as(path, &users[WRITER], &fd, &lock);
    pid_t pid;

    fcntl(fd, F_SETFL, O_RDWR | (way->direct ? O_DIRECT : 0));
    pid = fork();
    g_assert_cmpint(pid, >=, 0);
    image_wait_free(wait);
    if (pid == 0)
        write_and_stay(fd, way);
    close(fd);
    close(lock);
    return pid;
}

static gboolean
let_go(gpointer slow)
{
    slow_file_let_go(slow);
    return G_SOURCE_REMOVE;
}

/* What is to be over may take as long as a busy machine wants; what is not is given a moment. */
static gboolean
is_gone(pid_t pid, gboolean expected)
{
    guint ms = expected ? LONG_MS : SHORT_MS;

    for (guint i = 0; i < ms; i++) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return TRUE;
        g_usleep(1000);
    }
    return FALSE;
}

static void
wait_for_held(SlowFile *slow, pid_t pid)
{
    while (slow_file_held(slow) == 0) {
        g_assert_cmpint(waitpid(pid, NULL, WNOHANG), ==, 0);
        g_usleep(1000);
    }
}

static gboolean
is_locked(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC), lock = image_lock_apart(fd, FALSE, FALSE, path, NULL);

    close(fd);
    if (lock >= 0)
        close(lock);
    return lock < 0;
}

/* Only a process that is gone while its write is not done leaves anything to wait for. Where the kernel does not end it
 * before, nobody hears of an end, and it has its locks. */
static void
test_late_write(gconstpointer data)
{
    const Way *way = data;
    g_autofree char *zeros = g_malloc0(SIZE);
    g_autoptr(SlowFile) slow = slow_file_new(zeros, SIZE);
    g_autoptr(ImageWait) wait = NULL;
    Heard all = { 0 };
    char found = 0;
    int fd, lock;
    pid_t pid;

    if (!slow) {
        g_test_skip("nothing can be mounted here");
        return;
    }
    slow_file_hold(slow);
    pid = begin_writing(slow_file_path(slow), way);
    wait_for_held(slow, pid);
    kill(pid, SIGKILL);
    g_assert_cmpint(is_gone(pid, way->survives), ==, way->survives);
    if (!way->survives) {
        g_assert_true(is_locked(slow_file_path(slow)));
        slow_file_let_go(slow);
        waitpid(pid, NULL, 0);
    }
    wait = open_as(slow_file_path(slow), &users[WRITER], &fd, &lock);
    image_wait_begin(wait, LONG_MS, heard, &all);
    if (way->survives) {
        g_assert_cmpuint(all.n, ==, 0);
        g_timeout_add(SHORT_MS, let_go, slow);
    }
    if (all.n == 0)
        run_until(&all);
    g_assert_no_error(all.error);
    g_assert_cmpuint(slow_file_held(slow), ==, 0);
    g_assert_cmpint(pread(fd, &found, 1, AT), ==, 1);
    g_assert_cmpint(found, ==, MARK); /* nothing comes after this */
    close(fd);
    close(lock);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image-wait/nobody", test_nobody);
    for (guint i = 0; i < N_USERS * N_USERS; i++) {
        g_autofree char *name =
            g_strdup_printf("/image-wait/%s/%s", users[i / N_USERS].name, users[i % N_USERS].name);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_pair);
    }
    g_test_add_func("/image-wait/released", test_released);
    g_test_add_func("/image-wait/never", test_never);
    g_test_add_func("/image-wait/given-up", test_given_up);
    for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *name = g_strdup_printf("/image-wait/late/%s", ways[i].name);

        g_test_add_data_func(name, &ways[i], test_late_write);
    }
    return g_test_run();
}
