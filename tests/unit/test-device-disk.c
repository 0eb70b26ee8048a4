/* Disks opened on the host: what the VMM gets, and what is refused. */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/image-wait.h"
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
        "<kernel>/k</kernel></os><devices><memballoon model='none'/><disk type='%s'><driver "
        "name='qemu' %s/><source %s='%s'/>"
        "<target dev='vda'/>%s<address type='pci' slot='2'/></disk></devices></domain>",
        type, driver, strcmp(type, "file") == 0 ? "file" : "dev", f->path, more);
    const DomainIoThreads none = { .rest = { IOTHREAD_POOL_UNSAID, IOTHREAD_POOL_UNSAID } };
    g_autoptr(ImageWait) images = image_wait_new();
    DeviceLowering to = { .domain_name = "a", .run_dir = f->dir, .iothreads = &none, .add = add,
                          .data = f->messages, .images = images };
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

/* Chains */

static void
qemu_img(const Fixture *f, const char *arguments)
{
    g_autofree char *line = g_strdup_printf("qemu-img %s", arguments);
    g_auto(GStrv) argv = NULL;
    int status;

    g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_assert_true(g_spawn_sync(f->dir, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                               NULL, NULL, NULL, NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
}

static void
remove_files(const Fixture *f, const char *const *names)
{
    for (; *names; names++) {
        g_autofree char *path = g_build_filename(f->dir, *names, NULL);

        g_assert_cmpint(g_unlink(path), ==, 0);
    }
}

/* Who reads an image with tables does not bear that another one changes them, whatever the document says. */
static void
test_tables_locked(Fixture *f, gconstpointer data)
{
    static const char sharing[] = "<readonly/><shareable/>";
    g_autoptr(GError) error = NULL;
    int fd;

    qemu_img(f, "create -f qcow2 image 1M");
    fd = lowered_fd(f, "type='qcow2'", sharing);
    g_assert_false(lower(f, "file", "type='qcow2'", "", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    close(lowered_fd(f, "type='qcow2'", sharing));
    close(fd);
    g_ptr_array_set_size(f->messages, 0);
    g_clear_error(&error);
    fd = lowered_fd(f, "type='qcow2'", "");
    g_assert_false(lower(f, "file", "type='qcow2'", sharing, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    close(fd);
}

static void
make_chain(const Fixture *f)
{
    qemu_img(f, "create -f raw base 1M");
    qemu_img(f, "create -f qcow2 -b base -F raw middle");
    qemu_img(f, "create -f qcow2 -b ./middle -F qcow2 image");
}

static void
assert_chain(Fixture *f, const char *more, const char *const *formats)
{
    g_autoptr(GError) error = NULL;
    VmmMsg *msg;

    lower(f, "file", "type='qcow2'", more, &error);
    g_assert_no_error(error);
    msg = g_ptr_array_index(f->messages, f->messages->len - 1);
    for (guint i = 1;; i++) {
        g_autofree char *fd_key = g_strdup_printf("backing-%u-fd", i);
        g_autofree char *format_key = g_strdup_printf("backing-%u-format", i);
        const char *format = NULL;
        int fd;

        g_assert_cmpint(vmm_msg_has(msg, fd_key), ==, formats[i - 1] != NULL);
        if (!formats[i - 1])
            break;
        g_assert_true(vmm_msg_get_string(msg, format_key, &format));
        g_assert_cmpstr(format, ==, formats[i - 1]);
        g_assert_true(vmm_msg_take_fd(msg, fd_key, &fd));
        g_assert_cmpint(flags_of(fd), ==, O_RDONLY);
        close(fd);
    }
    g_ptr_array_set_size(f->messages, 0);
}

/* By the headers' names, relative to each image; by the document's, as far as it goes. */
static void
test_chain(Fixture *f, gconstpointer data)
{
    static const char *const whole[] = { "qcow2", "raw", NULL }, *const none[] = { NULL };
    static const char *const files[] = { "base", "middle", NULL };
    g_autofree char *some = NULL;

    make_chain(f);
    assert_chain(f, "", whole);
    assert_chain(f, "<backingStore/>", none);
    some = g_strdup_printf("<backingStore type='file'><format type='qcow2'/>"
                           "<source file='%s/middle'/></backingStore>",
                           f->dir);
    assert_chain(f, some, whole);
    remove_files(f, files);
}

static void
assert_chain_fails(Fixture *f, virErrorNumber code, const char *text)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(lower(f, "file", "type='qcow2'", "", &error));
    g_assert_error(error, DRIVER_ERROR, (int)code);
    if (!strstr(error->message, text))
        g_error("%s", error->message);
    g_assert_cmpuint(f->messages->len, ==, 0);
}

static void
test_bad_chain(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "base", "middle", NULL };

    make_chain(f);
    qemu_img(f, "rebase -u -b nowhere -F raw middle");
    assert_chain_fails(f, VIR_ERR_SYSTEM_ERROR, "Cannot access backing file '");
    qemu_img(f, "rebase -u -b image -F qcow2 middle");
    assert_chain_fails(f, VIR_ERR_INTERNAL_ERROR, "is self-referential");
    qemu_img(f, "rebase -u -b middle -F qcow2 middle");
    assert_chain_fails(f, VIR_ERR_INTERNAL_ERROR, "is self-referential");
    qemu_img(f, "rebase -u -b nbd:localhost:1 -F raw middle");
    assert_chain_fails(f, VIR_ERR_CONFIG_UNSUPPORTED, "is no path");
    qemu_img(f, "rebase -u -b base -F vmdk middle");
    assert_chain_fails(f, VIR_ERR_CONFIG_UNSUPPORTED, "format 'vmdk' of backing file '");
    remove_files(f, files);
}

/* Erases the name of the backing file's format: the extension becomes one that nobody knows. */
static void
forget_format(const char *path)
{
    static const guint8 type[] = { 0xe2, 0x79, 0x2a, 0xca };
    g_autofree char *contents = NULL;
    gsize size;
    guint8 *found;

    g_assert_true(g_file_get_contents(path, &contents, &size, NULL));
    found = memmem(contents, size, type, sizeof(type));
    g_assert_nonnull(found);
    *found = 0x12;
    g_assert_true(g_file_set_contents(path, contents, size, NULL));
}

/* A guest that writes a header into its raw image must not get at the file that this names. */
static void
test_unnamed_format(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "base", "middle", NULL };
    static const char *const raw[] = { "raw", NULL };

    make_chain(f);
    forget_format(f->path);
    assert_chain_fails(f, VIR_ERR_OPERATION_INVALID,
                       "was not specified in the image metadata (See "
                       "https://libvirt.org/kbase/backing_chains.html for troubleshooting)");
    qemu_img(f, "rebase -u -b base -F raw image");
    forget_format(f->path);
    assert_chain(f, "", raw);
    remove_files(f, files);
}

/* Many may read a base image; nobody may write to it then, and nobody may read one that is written to. */
static void
test_shared_base(Fixture *f, gconstpointer data)
{
    static const char *const files[] = { "base", "other", NULL };
    char *image = f->path;
    g_autofree char *other = g_build_filename(f->dir, "other", NULL);
    g_autofree char *base = g_build_filename(f->dir, "base", NULL);
    g_autoptr(GError) error = NULL, second = NULL;

    qemu_img(f, "create -f raw base 1M");
    qemu_img(f, "create -f qcow2 -b base -F raw image");
    qemu_img(f, "create -f qcow2 -b base -F raw other");
    g_assert_true(lower(f, "file", "type='qcow2'", "", NULL));
    f->path = other;
    g_assert_true(lower(f, "file", "type='qcow2'", "", NULL));
    f->path = base;
    g_assert_false(lower(f, "file", "", "", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    g_ptr_array_set_size(f->messages, 0);
    g_assert_true(lower(f, "file", "", "", NULL));
    f->path = other;
    g_assert_false(lower(f, "file", "type='qcow2'", "", &second));
    g_assert_error(second, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    f->path = image;
    remove_files(f, files);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/device-disk/flags", Fixture, NULL, setup, test_flags, teardown);
    g_test_add("/device-disk/direct", Fixture, NULL, setup, test_direct, teardown);
    g_test_add("/device-disk/chain", Fixture, NULL, setup, test_chain, teardown);
    g_test_add("/device-disk/bad-chain", Fixture, NULL, setup, test_bad_chain, teardown);
    g_test_add("/device-disk/unnamed-format", Fixture, NULL, setup, test_unnamed_format, teardown);
    g_test_add("/device-disk/shared-base", Fixture, NULL, setup, test_shared_base, teardown);
    g_test_add("/device-disk/missing", Fixture, NULL, setup, test_missing, teardown);
    g_test_add("/device-disk/not-block", Fixture, NULL, setup, test_not_block, teardown);
    g_test_add("/device-disk/fifo", Fixture, NULL, setup, test_fifo, teardown);
    g_test_add("/device-disk/locked", Fixture, NULL, setup, test_locked, teardown);
    g_test_add("/device-disk/tables-locked", Fixture, NULL, setup, test_tables_locked, teardown);
    return g_test_run();
}
