/* A host's disk that is full while a guest writes: the guest stands still, its user is told, and when there is room it
 * goes on, with nothing lost. Guests are the machine monitor's own, which write all of a disk (tests/guest/ring3/blk-fill.c).
 */
#include "tests/bus/fixture.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define MIB      (1u << 20)
#define DISK_MIB 8

typedef struct Way {
    const char *name, *format, *words; /* of <driver> */
} Way;

static const Way ways[] = {
    { "raw", "raw", "" },
    { "raw-stop", "raw", "error_policy='stop' cache='writethrough'" },
    { "raw-threads", "raw", "io='threads' error_policy='enospace'" },
    { "qcow2", "qcow2", "" },
    { "qcow2-stop", "qcow2", "error_policy='stop'" },
};

/* Daemon and guests see what is mounted here, the rest of the host does not. */
static gboolean alone;

typedef struct World {
    Fixture *fixture; /* NULL: none can be made here */
    char *dir, *image, *path;
} World;

static void
run(const char *format, ...)
{
    g_autofree char *line = NULL, *output = NULL, *errors = NULL;
    g_autoptr(GError) error = NULL;
    va_list args;
    int status;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    g_spawn_command_line_sync(line, &output, &errors, &status, &error);
    g_assert_no_error(error);
    if (!g_spawn_check_wait_status(status, NULL))
        g_error("%s: %s%s", line, output, errors);
}

/* The small file system */

static void
give_room(World *w, guint mib)
{
    g_autofree char *options = g_strdup_printf("size=%um", mib);

    g_assert_no_errno(mount("tmpfs", w->dir, "tmpfs", MS_REMOUNT, options));
}

static gboolean
mount_small(World *w)
{
    w->dir = g_dir_make_tmp("vmctl-full-XXXXXX", NULL);
    if (alone && mount("tmpfs", w->dir, "tmpfs", 0, "size=2m") == 0)
        return TRUE;
    g_rmdir(w->dir);
    return FALSE;
}

static gboolean
may_try(const Way *way)
{
    g_autofree char *tool = g_find_program_in_path("qemu-img");

    if (access("/dev/kvm", R_OK | W_OK) < 0)
        g_test_skip("no /dev/kvm here");
    else if (strcmp(way->format, "raw") != 0 && !tool)
        g_test_skip("qemu-img is not installed");
    else
        return TRUE;
    return FALSE;
}

/* The guest, which finds only what is on the first bus. */

static void
define(World *w, const Way *way)
{
    g_autofree char *kernel = fixture_built("tests/guest/ring3/ring3.elf");
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>filler</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>blk-fill 8</cmdline></os><features><acpi/></features><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='%s' %s/>"
        "<source file='%s'/><target dev='vda' bus='virtio'/>"
        "<address type='pci' bus='0' slot='2'/></disk>"
        "<serial type='file'><source path='%s/serial'/></serial></devices></domain>",
        kernel, way->format, way->words, w->image, w->fixture->dir);
    g_autoptr(GVariant) reply = fixture_call(w->fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");

    g_variant_get(reply, "(o)", &w->path);
    fixture_expect_events(w->fixture, "0,0");
}

static void
set_up(World *w, gconstpointer data)
{
    const Way *way = data;

    if (!may_try(way))
        return;
    if (!mount_small(w)) {
        g_test_skip("no file system can be mounted here");
        return;
    }
    w->image = g_build_filename(w->dir, "image", NULL);
    if (strcmp(way->format, "raw") == 0)
        run("truncate -s %uM %s", DISK_MIB, w->image);
    else
        run("qemu-img create -q -f %s %s %uM", way->format, w->image, DISK_MIB);
    w->fixture = fixture_new_bare();
    fixture_use_kvm(w->fixture);
    fixture_start_daemon(w->fixture);
    define(w, way);
}

static void
tear_down(World *w, gconstpointer unused)
{
    fixture_free(w->fixture);
    if (w->image) {
        umount(w->dir);
        g_rmdir(w->dir);
    }
    g_free(w->dir);
    g_free(w->image);
    g_free(w->path);
}

static char *
said(Fixture *fixture)
{
    g_autofree char *path = g_build_filename(fixture->dir, "serial", NULL);
    char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? text : g_strdup("");
}

static gboolean
has_said(Fixture *fixture, gconstpointer text)
{
    g_autofree char *all = said(fixture);

    if (strstr(all, "failed"))
        g_error("the guest has said: %s", all);
    return strcmp(all, text) == 0;
}

static void
assert_disk_error(World *w, const char *expected)
{
    g_autoptr(GVariant) reply =
        fixture_call(w->fixture, w->path, DOMAIN, "GetDiskErrors", FLAGS(0), "(a(si))");
    g_autofree char *text = g_variant_print(reply, FALSE);

    g_assert_cmpstr(text, ==, expected);
}

static void
wait_full(World *w, const char *events)
{
    g_autofree char *signal = g_strdup_printf("IOError ('%s', 'virtio-disk0', %d, 'enospc')",
                                              w->image, VIR_DOMAIN_EVENT_IO_ERROR_PAUSE);

    fixture_expect_events(w->fixture, events);
    fixture_wait_signal(w->fixture, signal);
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR);
    assert_disk_error(w, "([('vda', 2)],)");
    g_assert_true(has_said(w->fixture, ""));
}

/* On the host, each word is what the guest has written. */
static void
assert_written(World *w, const Way *way)
{
    g_autofree char *raw = g_build_filename(w->fixture->dir, "raw", NULL);
    g_autofree char *data = NULL;
    gsize size;

    if (strcmp(way->format, "raw") != 0) {
        run("qemu-img check -q -f %s %s", way->format, w->image);
        run("qemu-img convert -f %s -O raw %s %s", way->format, w->image, raw);
    } else {
        run("cp %s %s", w->image, raw);
    }
    g_assert_true(g_file_get_contents(raw, &data, &size, NULL));
    g_assert_cmpuint(size, ==, DISK_MIB * MIB);
    for (guint64 i = 0; i < size / sizeof(guint64); i++)
        g_assert_cmpuint(((const guint64 *)data)[i], ==, i + 1);
}

static void
test_full(World *w, gconstpointer data)
{
    if (!w->fixture)
        return;
    fixture_do(w->fixture, w->path, "Create", FLAGS(0));
    wait_full(w, "4,0 2,0 3,2");
    /* There is some room, then none: it stands still once more. */
    give_room(w, 5);
    fixture_do(w->fixture, w->path, "Resume", NULL);
    wait_full(w, "4,0 3,2");
    fixture_do(w->fixture, w->path, "Resume", NULL);
    wait_full(w, "4,0 3,2");
    give_room(w, 2 * DISK_MIB);
    fixture_do(w->fixture, w->path, "Resume", NULL);
    fixture_wait(w->fixture, has_said, "written\nread\n");
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED);
    assert_disk_error(w, "([],)");
    fixture_do(w->fixture, w->path, "Destroy", FLAGS(0));
    assert_written(w, data);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    alone = unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    for (gsize i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autofree char *name = g_strconcat("/bus/full/", ways[i].name, NULL);

        g_test_add(name, World, &ways[i], set_up, test_full, tear_down);
    }
    return g_test_run();
}
