/* A guest's process that does not answer (it is stopped) holds up its own domain and nothing else, and ends when it is
 * told to. What would wait for it here waits for seconds; so a call that is back before it has not waited.
 */
#include "tests/bus/fixture.h"

#include "driver/vmm-link.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <unistd.h>

#define FLAGS(n)   g_variant_new("(u)", (guint)(n))
#define RNG        "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
#define DRIVE      "<disk type='file' device='cdrom'>%s<target dev='vdb' bus='virtio'/><readonly/></disk>"
#define READ_MS    1000 /* a tenth of it is what is aimed at; the machine may be busy */
#define DESTROY_MS 5000 /* and a tenth of this */
#define ROUNDS     20
#define READERS    120 /* a bus lets 128 replies be waited for */
#define DISKS      8

/* A call that goes on while others are made. */
typedef struct Pending {
    gboolean done;
    char *error; /* NULL: it succeeded */
} Pending;

static void
answered(GObject *bus, GAsyncResult *result, gpointer data)
{
    Pending *pending = data;
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    pending->done = TRUE;
    pending->error = error ? g_strdup(error->message) : NULL;
    if (reply)
        g_variant_unref(reply);
}

static void
begin(Fixture *fixture, const char *path, const char *member, Pending *pending)
{
    g_dbus_connection_call(fixture->client, BUS_NAME, path, DOMAIN, member, NULL, NULL,
                           G_DBUS_CALL_FLAGS_NONE, -1, NULL, answered, pending);
}

static gboolean
is_done(Fixture *fixture, gconstpointer pending)
{
    return ((const Pending *)pending)->done;
}

static int
pid_of(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");
    g_autofree char *file = g_build_filename(fixture->dir, "run", "vmctl", "guests",
                                             g_variant_get_string(uuid, NULL), "status", NULL);
    g_autoptr(GKeyFile) status = g_key_file_new();

    g_assert_true(g_key_file_load_from_file(status, file, G_KEY_FILE_NONE, NULL));
    return g_key_file_get_integer(status, "guest", "pid", NULL);
}

/* How long the slowest of some rounds of @what takes, which has to be less than @limit_ms. */
static void
measure(Fixture *fixture, const char *path, const char *what,
        void (*round)(Fixture *fixture, const char *path), guint rounds, guint limit_ms)
{
    gint64 longest = 0;

    for (guint i = 0; i < rounds; i++) {
        gint64 begun = g_get_monotonic_time();

        round(fixture, path);
        longest = MAX(longest, g_get_monotonic_time() - begun);
    }
    g_test_message("%s: at most %.1f ms", what, longest / 1000.0);
    g_assert_cmpint(longest, <, limit_ms * 1000);
}

static void
list(Fixture *fixture, const char *path)
{
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", FLAGS(0), "(ao)"));
}

static void
all_stats(Fixture *fixture, const char *path)
{
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "GetAllDomainStats",
                                 g_variant_new("(uu)", 0, 0), "(a(sa{sv}))"));
}

static void
stats(Fixture *fixture, const char *path)
{
    g_variant_unref(
        fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", 0, 0), "(a{sv})"));
}

static void
document(Fixture *fixture, const char *path)
{
    g_free(fixture_xml_of(fixture, path, 0));
}

static void
destroy(Fixture *fixture, const char *path)
{
    fixture_do(fixture, path, "Destroy", FLAGS(0));
}

static void
state(Fixture *fixture, const char *path)
{
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
}

/* Everything that reads, of all and of the one that hangs. */
static const struct Read {
    const char *name;
    void (*read)(Fixture *fixture, const char *path);
} reads[] = {
    { "list", list },       { "statistics of all", all_stats }, { "its statistics", stats },
    { "its state", state }, { "its document", document },
};

static void
check_reads(Fixture *fixture, const char *path)
{
    for (guint i = 0; i < G_N_ELEMENTS(reads); i++)
        reads[i].read(fixture, path);
}

static void
check_control(Fixture *fixture, const char *path, guint state)
{
    g_autoptr(GVariant) control =
        fixture_call(fixture, path, DOMAIN, "GetControlInfo", FLAGS(0), "((uut))");
    guint got, details;
    guint64 ms;

    g_variant_get(control, "((uut))", &got, &details, &ms);
    g_assert_cmpuint(got, ==, state);
    g_assert_cmpuint(details, ==, 0);
    g_assert_cmpuint(ms, <, 60000);
}

/* Guests are not labelled. */
static void
check_labels(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetSecurityLabelList", NULL, "(a(sb))");
    g_autoptr(GVariant) labels = g_variant_get_child_value(reply, 0);

    g_assert_cmpuint(g_variant_n_children(labels), ==, 0);
}

static void
test_hung(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");
    g_autofree char *other = fixture_define(fixture, "other", "");
    Pending suspend = { 0 };

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    kill(pid_of(fixture, hung), SIGSTOP);
    begin(fixture, hung, "Suspend", &suspend);
    check_reads(fixture, hung);
    fixture_do(fixture, other, "Create", FLAGS(0));
    fixture_do(fixture, other, "Suspend", NULL);
    fixture_expect_events(fixture, "4,0 2,0 3,0");
    check_control(fixture, hung, VIR_DOMAIN_CONTROL_OCCUPIED);
    check_control(fixture, other, VIR_DOMAIN_CONTROL_OK);
    check_labels(fixture, other);
    g_assert_false(suspend.done);
    fixture_do(fixture, hung, "Destroy", FLAGS(0));
    fixture_wait(fixture, is_done, &suspend);
    g_assert_nonnull(suspend.error);
    g_assert_nonnull(g_strrstr(suspend.error, "went away"));
    g_free(suspend.error);
    fixture_expect_events(fixture, "5,1");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_SHUTOFF);
    fixture_do(fixture, hung, "Create", FLAGS(0));
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_RUNNING);
}

/* Nobody kills it: what waited is told so after the time limit, and when the process goes on and does it after all, the
 * domain is what its guest is. */
static void
test_goes_on(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");
    Pending resume = { 0 };
    int pid;

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_do(fixture, hung, "Suspend", NULL);
    fixture_expect_events(fixture, "4,0 2,0 3,0");
    pid = pid_of(fixture, hung);
    kill(pid, SIGSTOP);
    begin(fixture, hung, "Resume", &resume);
    fixture_wait(fixture, is_done, &resume);
    g_assert_nonnull(g_strrstr(resume.error, "does not answer"));
    g_free(resume.error);
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_PAUSED);
    kill(pid, SIGCONT);
    fixture_expect_events(fixture, "4,0");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_RUNNING);
    fixture_do(fixture, hung, "Suspend", NULL);
    fixture_expect_events(fixture, "3,0");
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_PAUSED);
    g_assert_cmpint(pid_of(fixture, hung), ==, pid);
}

static gboolean
go_on(gpointer pid)
{
    kill(GPOINTER_TO_INT(pid), SIGCONT);
    return G_SOURCE_REMOVE;
}

/* A device that its process takes long to add is known when it has: a caller who was told that it failed would not be. */
static void
test_slow_attach(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *slow = fixture_define(fixture, "slow", "");
    g_autofree char *xml = NULL;
    FixtureCall attach;
    int pid;

    fixture_do(fixture, slow, "Create", FLAGS(0));
    pid = pid_of(fixture, slow);
    kill(pid, SIGSTOP);
    fixture_begin(fixture, &attach, slow, "AttachDevice", g_variant_new("(su)", RNG, 0));
    g_timeout_add(VMM_LINK_TIMEOUT_MS + 500, go_on, GINT_TO_POINTER(pid));
    fixture_end(fixture, &attach, NULL);
    xml = fixture_xml_of(fixture, slow, 0);
    g_assert_nonnull(strstr(xml, "<rng "));
}

static gboolean
all_go_on(gpointer fixture)
{
    fixture_signal_guests(fixture, SIGCONT);
    return G_SOURCE_CONTINUE;
}

/* Disks may take long to have all that their guest has written, before it stands still and can be saved. */
static void
test_slow_pause(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *suspended = fixture_define(fixture, "suspended", "");
    g_autofree char *saved = fixture_define(fixture, "saved", "");
    FixtureCall suspend, save;
    guint timer;

    fixture_do(fixture, suspended, "Create", FLAGS(0));
    fixture_do(fixture, saved, "Create", FLAGS(0));
    fixture_signal_guests(fixture, SIGSTOP);
    fixture_begin(fixture, &suspend, suspended, "Suspend", NULL);
    fixture_begin(fixture, &save, saved, "ManagedSave", FLAGS(0));
    timer = g_timeout_add(VMM_LINK_TIMEOUT_MS + 500, all_go_on, fixture);
    fixture_end(fixture, &suspend, NULL);
    fixture_end(fixture, &save, NULL);
    g_source_remove(timer);
    fixture_assert_state(fixture, suspended, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER);
    fixture_assert_state(fixture, saved, VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED);
}

static gboolean
has_guest(Fixture *fixture, gconstpointer data)
{
    return fixture_count_guests(fixture) > 0;
}

/* A start that takes too long for somebody ends at once; tests/unit/test-launch.c has those that are waited for. */
static void
test_slow_start_destroyed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "slow", "fake=create-waits");
    FixtureCall create;

    fixture_begin(fixture, &create, path, "Create", FLAGS(0));
    fixture_wait(fixture, has_guest, NULL);
    measure(fixture, path, "its end", destroy, 1, DESTROY_MS);
    fixture_end(fixture, &create, "*the domain was destroyed during its start");
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
}

/* What it was asked before the daemon stops it still does: the next daemon tells of that. */
static void
test_left_medium(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = g_build_filename(fixture->dir, "disc", NULL);
    g_autofree char *drive = g_strdup_printf(DRIVE, "");
    g_autofree char *source = g_strdup_printf("<source file='%s'/>", image);
    g_autofree char *loaded = g_strdup_printf(DRIVE, source);
    g_autofree char *path = fixture_define_with(fixture, "slow", "", drive);
    g_autofree char *xml = NULL;
    FixtureCall update;
    int pid;

    g_assert_true(g_file_set_contents(image, "disc", -1, NULL));
    fixture_do(fixture, path, "Create", FLAGS(0));
    pid = pid_of(fixture, path);
    kill(pid, SIGSTOP);
    fixture_begin(fixture, &update, path, "UpdateDevice", g_variant_new("(su)", loaded, 0));
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING); /* so it has been asked */
    fixture_end_daemon(fixture, SIGTERM);
    fixture_end(fixture, &update, "*");
    kill(pid, SIGCONT);
    fixture_start_daemon(fixture);
    xml = fixture_xml_of(fixture, path, 0);
    g_assert_nonnull(strstr(xml, source));
}

static gboolean
is_stale(Fixture *fixture, const char *path)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, path, DOMAIN, "GetStats", g_variant_new("(uu)", 0, 0), "(a{sv})");
    g_autoptr(GVariant) stats = g_variant_get_child_value(reply, 0);

    return g_variant_lookup(stats, "vmctl.stale", "v", NULL);
}

/* With figures that only its process knows, and one beside it whose figures are none of its. */
static void
test_quick(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");
    g_autofree char *other = fixture_define(fixture, "other", "");

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_do(fixture, other, "Create", FLAGS(0));
    g_assert_false(is_stale(fixture, hung));
    kill(pid_of(fixture, hung), SIGSTOP);
    for (guint i = 0; i < G_N_ELEMENTS(reads); i++)
        measure(fixture, hung, reads[i].name, reads[i].read, ROUNDS, READ_MS);
    g_assert_true(is_stale(fixture, hung));
    g_assert_false(is_stale(fixture, other));
    measure(fixture, hung, "its end", destroy, 1, DESTROY_MS);
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 1);
}

static char *
make_disks(Fixture *fixture, guint n)
{
    GString *disks = g_string_new(NULL);

    for (guint i = 0; i < n; i++) {
        g_autofree char *image = g_strdup_printf("%s/disk-%u", fixture->dir, i);

        g_assert_true(g_file_set_contents(image, "", 0, NULL));
        g_string_append_printf(
            disks, "<disk type='file'><source file='%s'/><target dev='vd%c' bus='virtio'/></disk>", image, 'a' + i);
    }
    return g_string_free(disks, FALSE);
}

/* However many ask at once, what is asked of the process stays few enough for it to be spoken with afterwards. */
static void
test_many_readers(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *disks = make_disks(fixture, DISKS);
    g_autofree char *hung = fixture_define_with(fixture, "hung", "", disks);
    FixtureCall calls[READERS];
    int pid;

    fixture_do(fixture, hung, "Create", FLAGS(0));
    pid = pid_of(fixture, hung);
    kill(pid, SIGSTOP);
    for (guint i = 0; i < READERS; i++)
        fixture_begin(fixture, &calls[i], hung, "GetStats", g_variant_new("(uu)", 0, 0));
    for (guint i = 0; i < READERS; i++)
        fixture_end(fixture, &calls[i], NULL);
    kill(pid, SIGCONT);
    fixture_do(fixture, hung, "Suspend", NULL);
    g_assert_cmpint(fixture_state(fixture, hung), ==, VIR_DOMAIN_PAUSED);
    g_assert_cmpint(pid_of(fixture, hung), ==, pid);
}

static void
expect_sizes(Fixture *fixture, const char *path, const char *expected)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, path, VMCTL_DOMAIN, "GetBlockInfo",
                                             g_variant_new("(su)", "vda", 0), "((ttt))");
    g_autofree char *sizes = g_variant_print(reply, FALSE);

    g_assert_cmpstr(sizes, ==, expected);
}

/* What is known of a disk is told whatever its guest does: what the process has told last, and what the host sees of the
 * image where that never was anything. */
static void
test_sizes(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = g_build_filename(fixture->dir, "image", NULL);
    g_autofree char *disk =
        g_strdup_printf("<disk type='file'><source file='%s'/><target dev='vda'/></disk>", image);
    g_autofree char *path = fixture_define_with(fixture, "hung", "", disk);

    g_assert_true(g_file_set_contents(image, "", 0, NULL));
    g_assert_no_errno(truncate(image, 3 << 20));
    fixture_do(fixture, path, "Create", FLAGS(0));
    kill(pid_of(fixture, path), SIGSTOP);
    expect_sizes(fixture, path, "((3145728, 0, 3145728),)");
    expect_sizes(fixture, path, "((3145728, 0, 3145728),)");
    kill(pid_of(fixture, path), SIGCONT);
    fixture_do(fixture, path, "Suspend", NULL); /* it is no longer behind */
    expect_sizes(fixture, path, "((1048576, 4096, 8192),)");
    kill(pid_of(fixture, path), SIGSTOP);
    expect_sizes(fixture, path, "((1048576, 4096, 8192),)");
}

/* A daemon that starts beside one. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *hung = fixture_define(fixture, "hung", "");

    fixture_do(fixture, hung, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    kill(pid_of(fixture, hung), SIGSTOP);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    check_reads(fixture, hung);
    fixture_do(fixture, hung, "Destroy", FLAGS(0));
    fixture_expect_events(fixture, "5,1");
    g_assert_cmpuint(fixture_count_guests(fixture), ==, 0);
}

/* The kernel tells of a process that is gone, and so do we, whether it is our child or an earlier daemon's. */
static void
test_killed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "killed", "");

    for (guint i = 0; i < 2; i++) {
        fixture_do(fixture, path, "Create", FLAGS(0));
        fixture_expect_events(fixture, "4,0 2,0");
        if (i == 1) {
            fixture_end_daemon(fixture, SIGKILL);
            fixture_start_daemon(fixture);
        }
        kill(pid_of(fixture, path), SIGKILL);
        fixture_expect_events(fixture, "5,5");
        g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_SHUTOFF);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/hung/destroyed", test_hung);
    g_test_add_func("/bus/hung/quick", test_quick);
    g_test_add_func("/bus/hung/many-readers", test_many_readers);
    g_test_add_func("/bus/hung/goes-on", test_goes_on);
    g_test_add_func("/bus/hung/slow-attach", test_slow_attach);
    g_test_add_func("/bus/hung/slow-pause", test_slow_pause);
    g_test_add_func("/bus/hung/slow-start/destroyed", test_slow_start_destroyed);
    g_test_add_func("/bus/hung/left-medium", test_left_medium);
    g_test_add_func("/bus/hung/sizes", test_sizes);
    g_test_add_func("/bus/hung/restart", test_restart);
    g_test_add_func("/bus/hung/killed", test_killed);
    return g_test_run();
}
