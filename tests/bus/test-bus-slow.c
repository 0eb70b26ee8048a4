/* Storage that has not done what a guest wrote when the guest is over: who has the image next waits for that, and nobody
 * else does. Guests are the machine monitor's own, which write all of a disk (tests/guest/ring3/blk-fill.c).
 */
#include "tests/bus/fixture.h"
#include "tests/unit/slow-file.h"

#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n)   g_variant_new("(u)", (guint)(n))
#define PORT       "<controller type='pci' model='pcie-root-port'/>" /* to plug something into */
#define DISK_BYTES (2u << 20)
#define DRIVE      "<disk type='file' device='cdrom'><target dev='vdb' bus='virtio'/></disk>"
#define DISK_AT(at)                                                                                \
    "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"                \
    "<source file='%s'/><target dev='vda' bus='virtio'/>" at "</disk>"

typedef struct World {
    SlowFile *slow;
    Fixture *fixture; /* NULL: none can be made here */
    char *writer, *other;
} World;

static char *
define(Fixture *fixture, const char *name, const char *kernel, const char *cmdline,
       const char *disk)
{
    g_autofree char *built = fixture_built(kernel);
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>%s</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>"
        "<os><type arch='x86_64' machine='q35'>hvm</type><kernel>%s</kernel>"
        "<cmdline>%s</cmdline></os><features><acpi/></features><devices>"
        "<controller type='pci' index='0' model='pcie-root'/>" PORT PORT PORT PORT
        "%s<serial type='file'><source path='%s/%s.serial'/></serial></devices></domain>",
        name, built, cmdline, disk, fixture->dir, name);
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                             g_variant_new("(s)", xml), "(o)");
    char *path;

    g_variant_get(reply, "(o)", &path);
    return path;
}

static void
set_up(World *w, gconstpointer unused)
{
    g_autofree char *zeros = g_malloc0(DISK_BYTES);
    g_autofree char *disk = NULL;

    if (access("/dev/kvm", R_OK | W_OK) < 0) {
        g_test_skip("no /dev/kvm here");
        return;
    }
    w->slow = slow_file_new(zeros, DISK_BYTES);
    if (!w->slow) {
        g_test_skip("no file system can be mounted here");
        return;
    }
    w->fixture = fixture_new_bare();
    fixture_use_kvm(w->fixture);
    fixture_start_daemon(w->fixture);
    disk =
        g_strdup_printf(DISK_AT("<address type='pci' bus='0' slot='5'/>"), slow_file_path(w->slow));
    w->writer = define(w->fixture, "writer", "tests/guest/ring3/ring3.elf", "blk-fill 8", disk);
    w->other = define(w->fixture, "other", "tests/guest/payload/payload.elf", "idle", DRIVE);
}

static void
tear_down(World *w, gconstpointer unused)
{
    fixture_free(w->fixture);
    slow_file_free(w->slow);
    g_free(w->writer);
    g_free(w->other);
}

static gboolean
is_held(Fixture *fixture, gconstpointer slow)
{
    return slow_file_held((SlowFile *)slow) > 0;
}

/* The guest is gone, and what it wrote is not there. */
static void
leave_writes(World *w)
{
    slow_file_hold(w->slow);
    fixture_do(w->fixture, w->writer, "Create", FLAGS(0));
    fixture_wait(w->fixture, is_held, w->slow);
    fixture_do(w->fixture, w->writer, "Destroy", FLAGS(0));
    g_assert_cmpuint(fixture_count_guests(w->fixture), ==, 0);
    g_assert_cmpuint(slow_file_held(w->slow), >, 0);
}

static void
expect_wait(World *w, const FixtureCall *call)
{
    fixture_let_time_pass();
    g_assert_false(call->over);
    g_assert_cmpuint(slow_file_held(w->slow), >, 0);
}

static void
expect_good(World *w, FixtureCall *call)
{
    fixture_end(w->fixture, call, NULL);
    g_assert_cmpuint(slow_file_held(w->slow), ==, 0);
}

static gboolean
has_read(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *path = g_build_filename(fixture->dir, "writer.serial", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && strstr(text, "written\nread\n");
}

static void
test_start(World *w, gconstpointer unused)
{
    FixtureCall call;

    if (!w->fixture)
        return;
    leave_writes(w);
    fixture_begin(w->fixture, &call, w->writer, "Create", FLAGS(0));
    expect_wait(w, &call);
    fixture_do(w->fixture, w->other, "Create", FLAGS(0)); /* meanwhile */
    g_assert_false(call.over);
    slow_file_let_go(w->slow);
    expect_good(w, &call);
    fixture_wait(w->fixture, has_read, NULL);
}

/* Neither does the end of the daemon change that. */
static void
test_restarted(World *w, gconstpointer unused)
{
    FixtureCall call;

    if (!w->fixture)
        return;
    leave_writes(w);
    fixture_end_daemon(w->fixture, SIGKILL);
    fixture_start_daemon(w->fixture);
    fixture_begin(w->fixture, &call, w->writer, "Create", FLAGS(0));
    expect_wait(w, &call);
    slow_file_let_go(w->slow);
    expect_good(w, &call);
}

/* Whoever waits can be told to stop that. */
static void
test_given_up(World *w, gconstpointer unused)
{
    FixtureCall call;

    if (!w->fixture)
        return;
    leave_writes(w);
    fixture_begin(w->fixture, &call, w->writer, "Create", FLAGS(0));
    expect_wait(w, &call);
    fixture_do(w->fixture, w->writer, "Destroy", FLAGS(0));
    fixture_end(w->fixture, &call, "*destroyed during its start");
    g_assert_cmpuint(fixture_count_guests(w->fixture), ==, 0);
    slow_file_let_go(w->slow);
    fixture_do(w->fixture, w->writer, "Create", FLAGS(0));
    fixture_wait(w->fixture, has_read, NULL);
}

/* A live change of the other guest's devices, which waits for the image. */
static void
begin_change(World *w, FixtureCall *call, const char *member, const char *device)
{
    fixture_begin(w->fixture, call, w->other, member,
          g_variant_new("(su)", device, VIR_DOMAIN_AFFECT_LIVE));
    expect_wait(w, call);
}

/* It waits for what the image's last user has left. */
static void
change_after_writes(World *w, FixtureCall *call, const char *member, const char *device)
{
    leave_writes(w);
    fixture_do(w->fixture, w->other, "Create", FLAGS(0));
    begin_change(w, call, member, device);
}

static void
test_attach(World *w, gconstpointer unused)
{
    g_autofree char *disk = NULL;
    FixtureCall call;

    if (!w->fixture)
        return;
    disk = g_strdup_printf(DISK_AT(""), slow_file_path(w->slow));
    fixture_do(w->fixture, w->other, "Create", FLAGS(0));
    slow_file_hold(w->slow);
    fixture_do(w->fixture, w->writer, "Create", FLAGS(0));
    fixture_wait(w->fixture, is_held, w->slow);
    fixture_call_fails(w->fixture, w->other, DOMAIN, "AttachDevice",
                       g_variant_new("(su)", disk, VIR_DOMAIN_AFFECT_LIVE), NULL,
                       "*\"write\" lock*"); /* at once: somebody has it */
    fixture_do(w->fixture, w->writer, "Destroy", FLAGS(0));
    begin_change(w, &call, "AttachDevice", disk);
    slow_file_let_go(w->slow);
    expect_good(w, &call);
}

/* A medium of a drive's is what a writer has left, or still has, like any image. */
static void
test_medium(World *w, gconstpointer unused)
{
    g_autofree char *medium = NULL;
    FixtureCall call;

    if (!w->fixture)
        return;
    medium = g_strdup_printf("<disk type='file' device='cdrom'><source file='%s'/>"
                             "<target dev='vdb' bus='virtio'/><readonly/></disk>",
                             slow_file_path(w->slow));
    change_after_writes(w, &call, "UpdateDevice", medium);
    slow_file_let_go(w->slow);
    expect_good(w, &call);
}

/* The guest that it is for may end meanwhile. */
static void
test_attach_ended(World *w, gconstpointer unused)
{
    g_autofree char *disk = NULL;
    FixtureCall call;

    if (!w->fixture)
        return;
    disk = g_strdup_printf(DISK_AT(""), slow_file_path(w->slow));
    change_after_writes(w, &call, "AttachDevice", disk);
    fixture_do(w->fixture, w->other, "Destroy", FLAGS(0));
    slow_file_let_go(w->slow);
    fixture_end(w->fixture, &call, "*domain is not running");
}

/* Whoever has waited for its job finds no domain: nothing brings back what was undefined. */
static void
test_undefined(World *w, gconstpointer unused)
{
    static const struct {
        const char *member, *args;
    } late[] = {
        { "SetMetadata", "(0, 'late', '', '', uint32 2)" },
        { "Rename", "('late', uint32 0)" },
        { "Create", "(uint32 0,)" },
    };
    g_autofree char *disk = NULL;
    FixtureCall attach, calls[G_N_ELEMENTS(late)];

    if (!w->fixture)
        return;
    disk = g_strdup_printf(DISK_AT(""), slow_file_path(w->slow));
    change_after_writes(w, &attach, "AttachDevice", disk);
    for (guint i = 0; i < G_N_ELEMENTS(late); i++)
        fixture_begin(w->fixture, &calls[i], w->other, late[i].member, g_variant_new_parsed(late[i].args));
    fixture_do(w->fixture, w->other, "Destroy", FLAGS(0));
    fixture_do(w->fixture, w->other, "Undefine", FLAGS(0));
    slow_file_let_go(w->slow);
    fixture_end(w->fixture, &attach, "*domain is not running");
    for (guint i = 0; i < G_N_ELEMENTS(late); i++)
        fixture_end(w->fixture, &calls[i], "*no domain with matching uuid*");
    g_assert_cmpuint(fixture_count_listed(w->fixture, 0), ==, 1);
    g_assert_cmpuint(fixture_count_guests(w->fixture), ==, 0);
}

static void
add(const char *name, void (*test)(World *w, gconstpointer unused))
{
    g_test_add(name, World, NULL, set_up, test, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/bus/slow/start", test_start);
    add("/bus/slow/restarted", test_restarted);
    add("/bus/slow/given-up", test_given_up);
    add("/bus/slow/attach", test_attach);
    add("/bus/slow/attach-ended", test_attach_ended);
    add("/bus/slow/undefined", test_undefined);
    add("/bus/slow/medium", test_medium);
    return g_test_run();
}
