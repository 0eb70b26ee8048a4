/* The disk fails at every step of every change of the store: the change is refused with a clear error, everything is as
 * before, for now and for the next start, and no file is left over.
 *
 * The calls that may fail are this program's own: it is linked with --wrap.
 */
#include "driver/error.h"
#include "driver/store.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f"

/* The step that fails: the Nth of all calls that could, counted from 1; 0: none. */
static struct {
    guint fail_at, calls;
    int error;
    const char *failed; /* its name */
} disk;

static gboolean
fails(const char *call)
{
    if (++disk.calls != disk.fail_at)
        return FALSE;
    disk.failed = call;
    errno = disk.error;
    return TRUE;
}

#define WRAP(call, params, args)                                                                   \
    int __real_##call params;                                                                      \
    int __wrap_##call params;                                                                      \
    int __wrap_##call params                                                                       \
    {                                                                                              \
        return fails(#call) ? -1 : __real_##call args;                                             \
    }

WRAP(fsync, (int fd), (fd))
WRAP(rename, (const char *from, const char *to), (from, to))
WRAP(link, (const char *from, const char *to), (from, to))
WRAP(symlink, (const char *target, const char *path), (target, path))
WRAP(unlink, (const char *path), (path))
WRAP(close, (int fd), (fd))

ssize_t __real_write(int fd, const void *bytes, size_t size);
ssize_t __wrap_write(int fd, const void *bytes, size_t size);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

/* A disk that is full takes what fits, then says so. */
ssize_t
__wrap_write(int fd, const void *bytes, size_t size)
{
    return fails("write") ? -1 : __real_write(fd, bytes, size > 1 ? size / 2 : size);
}

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode;
    va_list args;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

/* What is there */

static char *
contents(const char *dir, const char *room)
{
    g_autofree char *path = g_build_filename(dir, room, NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    GString *all = g_string_new(NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_autofree char *text = NULL;

        g_file_get_contents(file, &text, NULL, NULL);
        g_string_append_printf(all, "%s/%s=%s;", room, name, text ? text : "(nothing)");
    }
    return g_string_free(all, FALSE);
}

static char *
all_contents(const char *dir)
{
    g_autofree char *domains = contents(dir, "domains");
    g_autofree char *autostart = contents(dir, "autostart");

    return g_strconcat(domains, autostart, NULL);
}

static void
remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        if (g_file_test(child, G_FILE_TEST_IS_SYMLINK))
            g_unlink(child);
        else
            remove_tree(child);
    }
    g_remove(path);
}

/* Changes */

static gboolean
save(const char *dir, GError **error)
{
    return store_save(dir, UUID, "<new-definition/>", error);
}

static gboolean
set_autostart(const char *dir, GError **error)
{
    return store_set_autostart(dir, UUID, TRUE, error);
}

static gboolean
clear_autostart(const char *dir, GError **error)
{
    return store_set_autostart(dir, UUID, FALSE, error);
}

static gboolean
remove_definition(const char *dir, GError **error)
{
    return store_remove(dir, UUID, error);
}

typedef struct Change {
    gboolean (*change)(const char *dir, GError **error);
    gboolean defined, autostart; /* before */
    guint least; /* steps that can fail: that many at least are tried */
} Change;

static void
prepare(const char *dir, const Change *change)
{
    g_assert_true(store_save(dir, UUID, "<old-definition/>", NULL));
    if (change->autostart)
        g_assert_true(store_set_autostart(dir, UUID, TRUE, NULL));
    if (!change->defined)
        g_assert_true(store_remove(dir, UUID, NULL));
}

/* These are not worth a refusal: the change is on the disk, or what is left goes with the next start. */
static gboolean
is_harmless(const char *call)
{
    return g_str_equal(call, "close") || g_str_equal(call, "unlink");
}

static void
ignore(gpointer data, const char *uuid, const StoreStamp *stamp)
{
}

/* FALSE where there is no such step any more. */
static gboolean
fail_step(const Change *change, guint step, int number)
{
    g_autofree char *dir = g_dir_make_tmp("vmctl-faults-XXXXXX", NULL);
    g_autofree char *before = NULL, *after = NULL;
    g_autoptr(GError) error = NULL;
    gboolean done, reached;

    prepare(dir, change);
    before = all_contents(dir);
    disk.calls = 0;
    disk.error = number;
    disk.fail_at = step;
    disk.failed = NULL;
    done = change->change(dir, &error);
    reached = disk.failed != NULL;
    disk.fail_at = 0;
    if (g_strcmp0(disk.failed, "unlink") == 0)
        g_assert_true(store_load(dir, ignore, NULL, NULL));
    after = all_contents(dir);
    if (!done) {
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
        g_assert_nonnull(strstr(error->message, g_strerror(number)));
        if (!g_str_equal(before, after))
            g_error("'%s' failed at step %u and left %s instead of %s", disk.failed, step, after,
                    before);
    } else if (reached && !is_harmless(disk.failed)) {
        g_error("'%s' failed at step %u and nobody was told", disk.failed, step);
    } else if (strstr(after, ".old") || strstr(after, ".new")) {
        g_error("'%s' failed at step %u and left %s", reached ? disk.failed : "nothing", step, after);
    }
    remove_tree(dir);
    return reached;
}

static void
test_change(gconstpointer data)
{
    static const int numbers[] = { EIO, ENOSPC };
    const Change *change = data;

    for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
        guint step = 1;

        while (fail_step(change, step, numbers[i]))
            step++;
        g_assert_cmpuint(step - 1, >=, change->least);
    }
}

static const struct {
    const char *path;
    Change change;
} changes[] = {
    { "/store-faults/define", { save, FALSE, FALSE, 6 } },
    { "/store-faults/redefine", { save, TRUE, TRUE, 7 } },
    { "/store-faults/undefine", { remove_definition, TRUE, FALSE, 3 } },
    { "/store-faults/undefine-autostart", { remove_definition, TRUE, TRUE, 6 } },
    { "/store-faults/autostart", { set_autostart, TRUE, FALSE, 3 } },
    { "/store-faults/no-autostart", { clear_autostart, TRUE, TRUE, 3 } },
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (guint i = 0; i < G_N_ELEMENTS(changes); i++)
        g_test_add_data_func(changes[i].path, &changes[i].change, test_change);
    return g_test_run();
}
