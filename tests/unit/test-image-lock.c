/* Locks among ourselves, and with QEMU's own tools where they are installed. */
#include "driver/error.h"
#include "driver/image-lock.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define QEMU "qemu-system-x86_64"

typedef struct Holder {
    const char *name;
    gboolean readonly, shareable;
} Holder;

enum { WRITER, READER, SHARER, SHARING_READER, N_HOLDERS };

static const Holder holders[N_HOLDERS] = {
    [WRITER] = { "writer", FALSE, FALSE },
    [READER] = { "reader", TRUE, FALSE },
    [SHARER] = { "sharer", FALSE, TRUE },
    [SHARING_READER] = { "sharing-reader", TRUE, TRUE },
};

/* Who may come when who is there. */
static const gboolean together[N_HOLDERS][N_HOLDERS] = {
    [WRITER] = { FALSE, FALSE, FALSE, TRUE },
    [READER] = { FALSE, TRUE, FALSE, TRUE },
    [SHARER] = { FALSE, FALSE, TRUE, TRUE },
    [SHARING_READER] = { TRUE, TRUE, TRUE, TRUE },
};

static char *
image_new(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("lock-XXXXXX", &path, NULL);

    g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
    close(fd);
    return path;
}

static void
image_free(char *path)
{
    g_unlink(path);
    g_free(path);
}

static int
try_holder(const char *path, const Holder *holder, GError **error)
{
    int fd = open(path, (holder->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC);

    if (image_lock(fd, holder->readonly, holder->shareable, path, error))
        return fd;
    close(fd);
    return -1;
}

static void
test_pair(gconstpointer data)
{
    guint first = GPOINTER_TO_UINT(data) / N_HOLDERS, second = GPOINTER_TO_UINT(data) % N_HOLDERS;
    char *path = image_new();
    g_autoptr(GError) error = NULL;
    int fd = try_holder(path, &holders[first], NULL), other;

    g_assert_cmpint(fd, >=, 0);
    other = try_holder(path, &holders[second], &error);
    g_assert_cmpint(other >= 0, ==, together[first][second]);
    if (other < 0) {
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
        g_assert_nonnull(strstr(error->message, "\"write\" lock"));
        g_assert_nonnull(strstr(error->message, path));
    } else {
        close(other);
    }
    close(fd);
    fd = try_holder(path, &holders[second], NULL); /* nothing stays behind */
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    image_free(path);
}

/* What failed to lock holds nothing, though it is still open. */
static void
test_failure_leaves_nothing(void)
{
    char *path = image_new();
    int reader = try_holder(path, &holders[READER], NULL);
    int writer = open(path, O_RDWR | O_CLOEXEC);
    int another;

    g_assert_false(image_lock(writer, FALSE, FALSE, path, NULL));
    another = try_holder(path, &holders[READER], NULL);
    g_assert_cmpint(another, >=, 0);
    close(reader);
    close(another);
    g_assert_true(image_lock(writer, FALSE, FALSE, path, NULL));
    close(writer);
    image_free(path);
}

/* As with a VMM that outlives the daemon. */
static void
test_follows_descriptor(void)
{
    char *path = image_new();
    int fd = try_holder(path, &holders[WRITER], NULL), copy = dup(fd);

    close(fd);
    g_assert_cmpint(try_holder(path, &holders[WRITER], NULL), ==, -1);
    close(copy);
    fd = try_holder(path, &holders[WRITER], NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    image_free(path);
}

/* Only the descriptor of the lock counts, whoever still has the image open; and it is that image's, whatever has its
 * path by now. */
static void
test_apart(void)
{
    char *path = image_new();
    int fd = open(path, O_RDWR | O_CLOEXEC), lock = image_lock_apart(fd, FALSE, FALSE, path, NULL);

    g_assert_cmpint(lock, >=, 0);
    g_assert_cmpint(fcntl(lock, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
    g_assert_cmpint(fcntl(lock, F_GETFD), ==, FD_CLOEXEC);
    g_assert_cmpint(image_lock_apart(fd, FALSE, FALSE, path, NULL), ==, -1);
    g_assert_cmpint(try_holder(path, &holders[WRITER], NULL), ==, -1);
    close(lock);
    g_unlink(path);
    lock = image_lock_apart(fd, FALSE, FALSE, path, NULL);
    g_assert_cmpint(lock, >=, 0);
    close(fd);
    close(lock);
    image_free(path);
}

static void
test_not_lockable(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(image_lock_apart(-1, FALSE, FALSE, "/image", NULL), ==, -1);
    g_assert_false(image_lock(-1, FALSE, FALSE, "/image", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
}

/* QEMU's tools */

typedef struct Tool {
    const char *name;
    const char *argv[8];          /* before the path */
    gboolean together[N_HOLDERS]; /* whether it works beside them */
} Tool;

/* qemu-io and qemu-img tolerate every other user, so what counts is what the others tolerate. */
static const Tool tools[] = {
    { "write", { "qemu-io", "-f", "raw", "-c", "write 0 512" }, { FALSE, FALSE, TRUE, TRUE } },
    { "read", { "qemu-io", "-r", "-f", "raw", "-c", "read 0 512" }, { TRUE, TRUE, TRUE, TRUE } },
    { "resize", { "qemu-img", "resize", "-f", "raw", "--shrink" }, { FALSE, FALSE, TRUE, TRUE } },
};

/* Whether the tool found the image free. qemu-io says so but succeeds: it has no commands to fail. */
static gboolean
run_tool(const Tool *tool, const char *path)
{
    g_autoptr(GStrvBuilder) argv = g_strv_builder_new();
    g_autofree char *out = NULL;
    g_auto(GStrv) words = NULL;
    g_autoptr(GSubprocess) process = NULL;

    for (int i = 0; tool->argv[i]; i++)
        g_strv_builder_add(argv, tool->argv[i]);
    g_strv_builder_add(argv, path);
    if (strcmp(tool->name, "resize") == 0)
        g_strv_builder_add(argv, "1M");
    words = g_strv_builder_end(argv);
    process =
        g_subprocess_newv((const char *const *)words,
                          G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL);
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &out, NULL, NULL));
    if (strstr(out, "lock"))
        return FALSE;
    g_assert_true(g_subprocess_get_successful(process));
    return TRUE;
}

static gboolean
has_tools(void)
{
    g_autofree char *io = g_find_program_in_path("qemu-io"),
                    *img = g_find_program_in_path("qemu-img");

    if (!io || !img)
        g_test_skip("qemu-io and qemu-img are not installed");
    return io && img;
}

static void
test_tool(gconstpointer data)
{
    const Tool *tool = data;
    char *path;

    if (!has_tools())
        return;
    path = image_new();
    for (int i = 0; i < N_HOLDERS; i++) {
        int fd = try_holder(path, &holders[i], NULL);

        g_assert_cmpint(run_tool(tool, path), ==, tool->together[i]);
        close(fd);
    }
    g_assert_true(run_tool(tool, path));
    image_free(path);
}

static void
die_with_test(gpointer data)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Its monitor answers when the guest is all there. */
static void
await_monitor(GSubprocess *qemu)
{
    GInputStream *out = g_subprocess_get_stdout_pipe(qemu);
    g_autoptr(GString) said = g_string_new(NULL);
    char some[256];

    g_assert_true(g_output_stream_write_all(g_subprocess_get_stdin_pipe(qemu), "info status\n", 12,
                                            NULL, NULL, NULL));
    while (!strstr(said->str, "paused")) {
        gssize n = g_input_stream_read(out, some, sizeof(some), NULL, NULL);

        g_assert_cmpint(n, >, 0);
        g_string_append_len(said, some, n);
    }
}

/* QEMU with the image as a guest's disk. */
static GSubprocess *
hold_with_qemu(const char *path, const Holder *holder)
{
    g_autofree char *drive = g_strdup_printf("file=%s,format=raw,if=none,id=d,readonly=%s", path,
                                             holder->readonly ? "on" : "off");
    g_autofree char *device =
        g_strdup_printf("virtio-blk-pci,drive=d,share-rw=%s", holder->shareable ? "on" : "off");
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
    GSubprocess *qemu;

    g_subprocess_launcher_set_child_setup(launcher, die_with_test, NULL, NULL);
    qemu = g_subprocess_launcher_spawn(launcher, NULL, QEMU, "-M", "q35,accel=tcg", "-m", "16",
                                       "-S", "-nodefaults", "-display", "none", "-monitor", "stdio",
                                       "-drive", drive, "-device", device, NULL);
    g_assert_nonnull(qemu);
    await_monitor(qemu);
    return qemu;
}

static void
test_beside_qemu(gconstpointer data)
{
    const Holder *holder = data;
    g_autofree char *program = g_find_program_in_path(QEMU);
    g_autoptr(GSubprocess) qemu = NULL;
    char *path;

    if (!program) {
        g_test_skip(QEMU " is not installed");
        return;
    }
    path = image_new();
    qemu = hold_with_qemu(path, holder);
    for (int i = 0; i < N_HOLDERS; i++) {
        int fd = try_holder(path, &holders[i], NULL);

        g_assert_cmpint(fd >= 0, ==, together[holder - holders][i]);
        if (fd >= 0)
            close(fd);
    }
    g_assert_true(g_output_stream_write_all(g_subprocess_get_stdin_pipe(qemu), "quit\n", 5, NULL,
                                            NULL, NULL));
    g_assert_true(g_subprocess_wait(qemu, NULL, NULL));
    image_free(path);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < N_HOLDERS * N_HOLDERS; i++) {
        g_autofree char *name = g_strdup_printf("/image-lock/%s/%s", holders[i / N_HOLDERS].name,
                                                holders[i % N_HOLDERS].name);

        g_test_add_data_func(name, GUINT_TO_POINTER(i), test_pair);
    }
    g_test_add_func("/image-lock/failure", test_failure_leaves_nothing);
    g_test_add_func("/image-lock/descriptor", test_follows_descriptor);
    g_test_add_func("/image-lock/apart", test_apart);
    g_test_add_func("/image-lock/not-lockable", test_not_lockable);
    for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
        g_autofree char *name = g_strdup_printf("/image-lock/qemu/%s", tools[i].name);

        g_test_add_data_func(name, &tools[i], test_tool);
    }
    for (guint i = 0; i < N_HOLDERS; i++) {
        g_autofree char *name = g_strdup_printf("/image-lock/qemu/beside-%s", holders[i].name);

        g_test_add_data_func(name, &holders[i], test_beside_qemu);
    }
    return g_test_run();
}
