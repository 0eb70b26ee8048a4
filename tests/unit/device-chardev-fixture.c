#include "tests/unit/device-chardev-fixture.h"

#include "driver/domain-xml.h"
#include "tests/unit/xml-fixture.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

static VmmMsg *
add(gpointer data, const char *class, const char *id)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, "add-device");

    vmm_msg_put_string(msg, "class", class);
    vmm_msg_put_string(msg, "id", id);
    g_ptr_array_add(data, msg);
    return msg;
}

static guint threads_at_rest;

static guint
count_entries(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

void
setup(Fixture *f, gconstpointer data)
{
    if (!threads_at_rest)
        threads_at_rest = count_entries("/proc/self/task");
    f->messages = g_ptr_array_new_with_free_func((GDestroyNotify)vmm_msg_free);
    f->dir = g_dir_make_tmp("vmctl-chardev-XXXXXX", NULL);
    g_assert_nonnull(f->dir);
}

void
teardown(Fixture *f, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(f->dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(f->dir, name, NULL);

        g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(f->dir), ==, 0);
    g_free(f->dir);
    domain_def_free(f->def);
    g_ptr_array_unref(f->messages);
}

/* @devices may have %s in it, once, for the directory. */
void
define(Fixture *f, const char *devices)
{
    g_auto(GStrv) parts = g_strsplit(devices, "%s", -1);
    g_autofree char *filled = g_strjoinv(f->dir, parts);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><devices><memballoon model='none'/>%s</devices></domain>",
        filled);
    g_autoptr(GError) error = NULL;

    f->def = domain_xml_parse(xml, &error);
    g_assert_no_error(error);
    domain_def_assign_aliases(f->def);
}

gboolean
lower(Fixture *f, GError **error)
{
    g_autofree char *connect = g_test_build_filename(G_TEST_BUILT, "..", "vmctl-connect", NULL);
    DeviceLowering to = {
        .domain_name = "a", .run_dir = f->dir, .add = add, .data = f->messages, .connect_broker = connect
    };

    return device_list_lower(f->def->devices, &to, error);
}

void
define_and_lower(Fixture *f, const char *devices)
{
    g_autoptr(GError) error = NULL;

    define(f, devices);
    lower(f, &error);
    g_assert_no_error(error);
}

VmmMsg *
message(Fixture *f, guint i)
{
    g_assert_cmpuint(i, <, f->messages->len);
    return g_ptr_array_index(f->messages, i);
}

int
take_fd(VmmMsg *msg, const char *key)
{
    int fd = -1;

    g_assert_true(vmm_msg_take_fd(msg, key, &fd));
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    return fd;
}

const Device *
device(Fixture *f, const char *element)
{
    for (guint i = 0; i < f->def->devices->len; i++) {
        const Device *dev = g_ptr_array_index(f->def->devices, i);

        if (strcmp(dev->kind->element, element) == 0)
            return dev;
    }
    g_assert_not_reached();
}

void
prefill(Fixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->dir, name, NULL);

    g_assert_true(g_file_set_contents(path, "old\n", -1, NULL));
}

/* Watches are closed in threads, those of the test before this one, too: the main one is at rest alone. */
guint
count_fds(void)
{
    while (count_entries("/proc/self/task") > threads_at_rest)
        g_usleep(1000);
    return count_entries("/proc/self/fd");
}

void
assert_kind(VmmMsg *msg, const char *kind)
{
    const char *text;

    g_assert_true(vmm_msg_get_string(msg, "kind", &text));
    g_assert_cmpstr(text, ==, kind);
}

void
assert_not_opened(Fixture *f, const char *devices, const char *text)
{
    g_autoptr(GError) error = NULL;

    define(f, devices);
    g_assert_false(lower(f, &error));
    g_assert_nonnull(strstr(error->message, text));
    g_assert_cmpuint(f->messages->len, ==, 0);
    g_clear_pointer(&f->def, domain_def_free);
}
