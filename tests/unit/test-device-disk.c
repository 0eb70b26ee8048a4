/* Disks opened on the host: what the VMM gets, and what is refused. */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Fixture {
    char *dir, *path;
    GPtrArray *messages;
} Fixture;

static void
setup(Fixture *f, gconstpointer data)
{
    f->dir = g_dir_make_tmp("vmctl-disk-XXXXXX", NULL);
    g_assert_nonnull(f->dir);
    f->path = g_build_filename(f->dir, "image", NULL);
    f->messages = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
}

static void
teardown(Fixture *f, gconstpointer data)
{
    g_unlink(f->path);
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    g_free(f->path);
    g_ptr_array_unref(f->messages);
}

static void
make_image(Fixture *f)
{
    g_autofree char *zeros = g_malloc0(65536);

    g_assert_true(g_file_set_contents(f->path, zeros, 65536, NULL));
}

static VmmMsg *
add(gpointer data, const char *class, const char *id)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(data, msg);
    return msg;
}

static gboolean
lower(Fixture *f, const char *type, const char *driver, const char *more, GError **error)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><devices><memballoon model='none'/><disk type='%s'><driver name='qemu' %s/><source %s='%s'/>"
        "<target dev='vda'/>%s<address type='pci' slot='2'/></disk></devices></domain>",
        type, driver, strcmp(type, "file") == 0 ? "file" : "dev", f->path, more);
    DeviceLowering to = { "a", f->dir, add, f->messages };
    g_autoptr(GError) own = NULL;
    g_autoptr(DomainDef) def = domain_xml_parse(xml, &own);

    g_assert_no_error(own);
    domain_def_assign_aliases(def);
    return device_list_lower(def->devices, &to, error);
}

static int
lowered_fd(Fixture *f, const char *driver, const char *more)
{
    g_autoptr(GError) error = NULL;
    int fd = -1;

    lower(f, "file", driver, more, &error);
    g_assert_no_error(error);
    g_assert_true(vmm_msg_take_fd(g_ptr_array_index(f->messages, f->messages->len - 1), "fd", &fd));
    return fd;
}

/* O_LARGEFILE is the kernel's own. */
static int
flags_of(int fd)
{
    return fcntl(fd, F_GETFL) & (O_ACCMODE | O_DIRECT | O_NONBLOCK | O_SYNC);
}

static void
test_flags(Fixture *f, gconstpointer data)
{
    int fd;

    make_image(f);
    fd = lowered_fd(f, "", "");
    g_assert_cmpint(flags_of(fd), ==, O_RDWR);
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    close(fd);
    g_ptr_array_set_size(f->messages, 0);
    fd = lowered_fd(f, "", "<readonly/>");
    g_assert_cmpint(flags_of(fd), ==, O_RDONLY);
    close(fd);
}

/* Not every file system has it. */
static gboolean
has_direct(Fixture *f)
{
    int fd = open(f->path, O_RDWR | O_DIRECT | O_CLOEXEC);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void
test_direct(Fixture *f, gconstpointer data)
{
    static const char *const drivers[] = { "cache='none'", "cache='directsync'" };

    make_image(f);
    if (!has_direct(f)) {
        g_test_skip("the file system of temporary files has no O_DIRECT");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(drivers); i++) {
        int fd = lowered_fd(f, drivers[i], "");

        g_assert_cmpint(flags_of(fd), ==, O_RDWR | O_DIRECT);
        close(fd);
        g_ptr_array_set_size(f->messages, 0); /* with the last of its locks */
    }
}

static void
assert_fails(Fixture *f, const char *type, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(lower(f, type, "", "", &error));
    g_assert_error(error, DRIVER_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, text));
    g_assert_nonnull(strstr(error->message, f->path));
    g_assert_cmpuint(f->messages->len, ==, 0);
}

static void
test_missing(Fixture *f, gconstpointer data)
{
    assert_fails(f, "file", VIR_ERR_SYSTEM_ERROR, "No such file or directory");
}

static void
test_not_block(Fixture *f, gconstpointer data)
{
    make_image(f);
    assert_fails(f, "block", VIR_ERR_CONFIG_UNSUPPORTED, "is no block device");
}

/* Nobody writes to it: this must not wait until somebody does. */
static void
test_fifo(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(mkfifo(f->path, 0600), ==, 0);
    assert_fails(f, "file", VIR_ERR_CONFIG_UNSUPPORTED, "is no regular file");
}

/* A second guest, or the first one's second disk. */
static void
test_locked(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    int fd;

    make_image(f);
    fd = lowered_fd(f, "", "");
    g_assert_false(lower(f, "file", "", "", &error));
    g_assert_nonnull(error);
    g_assert_nonnull(strstr(error->message, f->path));
    close(fd);
    g_ptr_array_set_size(f->messages, 0);
    fd = lowered_fd(f, "", "<shareable/>");
    close(lowered_fd(f, "", "<shareable/>"));
    close(fd);
    g_ptr_array_set_size(f->messages, 0);
    fd = lowered_fd(f, "", "<readonly/>");
    close(lowered_fd(f, "", "<readonly/>"));
    close(fd);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/device-disk/flags", Fixture, NULL, setup, test_flags, teardown);
    g_test_add("/device-disk/direct", Fixture, NULL, setup, test_direct, teardown);
    g_test_add("/device-disk/missing", Fixture, NULL, setup, test_missing, teardown);
    g_test_add("/device-disk/not-block", Fixture, NULL, setup, test_not_block, teardown);
    g_test_add("/device-disk/fifo", Fixture, NULL, setup, test_fifo, teardown);
    g_test_add("/device-disk/locked", Fixture, NULL, setup, test_locked, teardown);
    return g_test_run();
}
