/* Guests of the machine monitor itself behind the bus, with disks: what fake ones cannot show. */
#include "tests/bus/fixture.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n)         g_variant_new("(u)", (guint)(n))
#define DESTROYED_CYCLES 50
#define SAVED_CYCLES     20

typedef struct World {
    Fixture *fixture;
    char *path; /* of the domain */
} World;

static char *
make_image(Fixture *fixture, const char *name)
{
    char *path = g_build_filename(fixture->dir, name, NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    g_assert_cmpint(fd, >=, 0);
    g_assert_no_errno(ftruncate(fd, 4 << 20));
    close(fd);
    return path;
}

/* Past the host's cache, where the file system of temporary files lets anybody: tmpfs does since Linux 6.6. */
static const char *
least_cache(const char *image)
{
    int fd = open(image, O_RDWR | O_DIRECT | O_CLOEXEC);

    if (fd < 0)
        return "writethrough";
    close(fd);
    return "none";
}

/* Of what <driver> may say for the engine, the default counts most: no word. */
static char *
describe(Fixture *fixture, const char *kernel, const char *io)
{
    g_autofree char *first = make_image(fixture, "first.img");
    g_autofree char *second = make_image(fixture, "second.img");

    return g_strdup_printf(
        "<domain type='kvm'><name>disks</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>idle</cmdline></os><features><acpi/></features><devices>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw'%s/>"
        "<source file='%s'/><target dev='vda' bus='virtio'/></disk>"
        "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='%s'%s/>"
        "<source file='%s'/><target dev='vdb' bus='virtio'/></disk>"
        "<serial type='file'><source path='%s/serial'/></serial></devices></domain>",
        kernel, io, first, least_cache(second), io, second, fixture->dir);
}

static gboolean
have_kvm(void)
{
    if (access("/dev/kvm", R_OK | W_OK) == 0)
        return TRUE;
    g_test_skip("no /dev/kvm here");
    return FALSE;
}

static void
set_up(World *w, gconstpointer io)
{
    g_autofree char *kernel = fixture_built("tests/guest/payload/payload.elf");
    g_autofree char *xml = NULL;
    g_autoptr(GVariant) reply = NULL;

    if (!have_kvm())
        return;
    w->fixture = fixture_new_bare();
    fixture_use_kvm(w->fixture);
    fixture_start_daemon(w->fixture);
    xml = describe(w->fixture, kernel, io);
    reply = fixture_call(w->fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                         g_variant_new("(s)", xml), "(o)");
    g_variant_get(reply, "(o)", &w->path);
}

static void
tear_down(World *w, gconstpointer unused)
{
    fixture_free(w->fixture);
    g_free(w->path);
}

/* Whoever is told that the guest is over finds its disks free. */
static void
test_destroyed(World *w, gconstpointer unused)
{
    for (int i = 0; w->fixture && i < DESTROYED_CYCLES; i++) {
        fixture_do(w->fixture, w->path, "Create", FLAGS(0));
        fixture_do(w->fixture, w->path, "Destroy", FLAGS(0));
    }
}

static void
test_saved(World *w, gconstpointer unused)
{
    g_autofree char *image = NULL;

    if (!w->fixture)
        return;
    image = g_build_filename(w->fixture->dir, "saved", NULL);
    fixture_do(w->fixture, w->path, "Create", FLAGS(0));
    for (int i = 0; i < SAVED_CYCLES; i++) {
        g_autoptr(GVariant) reply = NULL;

        fixture_do(w->fixture, w->path, "Save", g_variant_new("(ssu)", image, "", 0));
        reply = fixture_call(w->fixture, ROOT_PATH, CONNECT, "DomainRestore",
                             g_variant_new("(ssu)", image, "", 0), "()");
    }
}

static gboolean
is_off(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* Nor does the end of the daemon between the two change that. */
static void
test_restarted(World *w, gconstpointer unused)
{
    if (!w->fixture)
        return;
    for (int i = 0; i < 3; i++) {
        fixture_do(w->fixture, w->path, "Create", FLAGS(0));
        fixture_end_daemon(w->fixture, SIGKILL);
        fixture_kill_guests(w->fixture);
        fixture_start_daemon(w->fixture);
        fixture_wait(w->fixture, is_off, w->path);
    }
    fixture_do(w->fixture, w->path, "Create", FLAGS(0));
}

static gboolean
is_idle(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(fixture->dir, "serial", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strcmp(text, "idle\n") == 0;
}

/* What was started paused, and has not run yet, is as good as any guest that is paused. */
static void
test_paused(World *w, gconstpointer unused)
{
    if (!w->fixture)
        return;
    fixture_do(w->fixture, w->path, "Create", FLAGS(VIR_DOMAIN_START_PAUSED));
    fixture_do(w->fixture, w->path, "InjectNMI", FLAGS(0));
    fixture_do(w->fixture, w->path, "ManagedSave", FLAGS(0));
    fixture_assert_state(w->fixture, w->path, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
    fixture_do(w->fixture, w->path, "Create", FLAGS(0));
    g_assert_cmpint(fixture_state(w->fixture, w->path), ==, VIR_DOMAIN_PAUSED);
    g_assert_false(is_idle(w->fixture, NULL));
    fixture_do(w->fixture, w->path, "Resume", NULL);
    fixture_wait(w->fixture, is_idle, NULL);
}

static void
add(const char *name, const char *io, void (*test)(World *w, gconstpointer io))
{
    g_test_add(name, World, io, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/bus/guest/destroyed", "", test_destroyed);
    add("/bus/guest/destroyed-threads", " io='threads'", test_destroyed);
    add("/bus/guest/saved", "", test_saved);
    add("/bus/guest/restarted", "", test_restarted);
    add("/bus/guest/paused", "", test_paused);
    return g_test_run();
}
