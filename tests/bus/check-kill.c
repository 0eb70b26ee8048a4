/* The daemon is killed at random moments of a storm, again and again; nothing that was acknowledged is lost, nothing is
 * twice, and nothing is left over.
 *
 * Environment: CYCLES (200), SEED (the first cycle prints the one that was taken). Not part of "make check": see
 * "make check-kill".
 */
#include "tests/bus/storm.h"

#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define CYCLES        200
#define STORM_MAX_US  200000
#define RESTART_MS    100 /* what is aimed at; only told, for the machine may be busy */
#define SETTLE_STEPS  500
#define SETTLE_US     10000

static guint32
number_from(const char *name, guint32 usual)
{
    const char *text = g_getenv(name);

    return text && *text ? g_ascii_strtoull(text, NULL, 10) : usual;
}

/* What the daemon says of a domain, and of its guest's process. */

static char *
path_below(Fixture *fixture, const char *dir, const char *name)
{
    return g_build_filename(fixture->dir, dir, "vmctl", name, NULL);
}

static int
pid_of(Fixture *fixture, const StormSlot *slot)
{
    g_autofree char *guests = path_below(fixture, "run", "guests");
    g_autofree char *path = g_build_filename(guests, slot->uuid, "status", NULL);
    g_autoptr(GKeyFile) status = g_key_file_new();
    g_autoptr(GError) error = NULL;

    g_key_file_load_from_file(status, path, G_KEY_FILE_NONE, &error);
    g_assert_no_error(error);
    return g_key_file_get_integer(status, "guest", "pid", NULL);
}

static guint
count_of(const char *text, const char *what)
{
    guint n = 0;

    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static guint
version_in(const char *xml)
{
    const char *title = strstr(xml, "<title>");

    g_assert_nonnull(title);
    return g_ascii_strtoull(title + strlen("<title>"), NULL, 10);
}

static StormState
look_at(Fixture *fixture, const StormSlot *slot)
{
    g_autofree char *config = fixture_xml_of(fixture, slot->path, VIR_DOMAIN_XML_INACTIVE);
    StormState state = { .defined = TRUE };

    state.version = version_in(config);
    state.devices = count_of(config, "<rng ");
    state.running = fixture_state(fixture, slot->path) == VIR_DOMAIN_RUNNING;
    if (state.running) {
        g_autofree char *live = fixture_xml_of(fixture, slot->path, 0);

        state.live_devices = count_of(live, "<rng ");
    }
    return state;
}

/* Checks */

static void
fail_slot(const StormSlot *slot, const StormState *is)
{
    const StormState *states[] = { &slot->known, &slot->doubt, is };
    static const char *const names[] = { "known", "in doubt", "found" };

    for (guint i = 0; i < 3; i++)
        g_printerr("%s %s: defined %d version %u devices %u running %d with %u\n", slot->name,
                   names[i], states[i]->defined, states[i]->version, states[i]->devices,
                   states[i]->running, states[i]->live_devices);
    g_error("%s is neither as acknowledged nor as it was being changed", slot->name);
}

static gboolean
is_over(Fixture *fixture, gconstpointer path)
{
    return fixture_state(fixture, path) == VIR_DOMAIN_SHUTOFF;
}

/* A guest that was being started or ended when the daemon died may still be on its way out. FALSE: it is out now. */
static gboolean
obeys(Fixture *fixture, const StormSlot *slot)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        fixture_try(fixture, slot->path, DOMAIN, "Suspend", NULL, NULL, &error);

    if (reply) {
        fixture_do(fixture, slot->path, "Resume", NULL);
        return TRUE;
    }
    if (slot->known.running && slot->doubt.running)
        g_error("%s cannot be controlled: %s", slot->name, error->message);
    fixture_wait(fixture, is_over, slot->path);
    return FALSE;
}

/* Each part was written by itself; so one may be old and the other new, but none anything else. */
static void
check_slot(Fixture *fixture, StormSlot *slot, gboolean listed)
{
    const StormState *a = &slot->known, *b = &slot->doubt;
    StormState is = { 0 };

    if (listed)
        is = look_at(fixture, slot);
    if ((is.defined != a->defined && is.defined != b->defined) ||
        (is.version != a->version && is.version != b->version) ||
        (is.devices != a->devices && is.devices != b->devices) ||
        (is.running != a->running && is.running != b->running) ||
        (is.running && is.live_devices != a->live_devices && is.live_devices != b->live_devices))
        fail_slot(slot, &is);
    is.running = is.running && obeys(fixture, slot);
    if (is.running) {
        int pid = pid_of(fixture, slot);

        if (slot->pid)
            g_assert_cmpint(pid, ==, slot->pid);
        slot->pid = pid;
        g_assert_cmpint(kill(pid, 0), ==, 0);
    } else {
        is.live_devices = 0;
    }
    slot->known = slot->doubt = is;
}

static gboolean
take_listed(GVariant *paths, const char *path, guint *ret_found)
{
    GVariantIter iter;
    const char *each;
    guint n = 0;

    g_variant_iter_init(&iter, paths);
    while (g_variant_iter_loop(&iter, "&o", &each))
        n += g_str_equal(each, path);
    g_assert_cmpuint(n, <=, 1);
    *ret_found += n;
    return n == 1;
}

static void
check_slots(Fixture *fixture, Storm *storm)
{
    g_autoptr(GVariant) reply = fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains",
                                             g_variant_new("(u)", 0), "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);
    guint found = 0;

    for (guint i = 0; i < STORM_CLIENTS; i++) {
        for (guint j = 0; j < STORM_SLOTS; j++) {
            StormSlot *slot = storm_slot(storm, i, j);

            check_slot(fixture, slot, take_listed(paths, slot->path, &found));
        }
    }
    g_assert_cmpuint(found, ==, g_variant_n_children(paths));
}

/* The files of @dir are those of the domains for which @wanted, and no others. */
static void
check_dir(const char *dir, const char *suffix, Storm *storm, gboolean running)
{
    g_autoptr(GDir) entries = g_dir_open(dir, 0, NULL);
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const char *name;
    guint n = 0;

    while (entries && (name = g_dir_read_name(entries)))
        g_hash_table_add(names, g_strdup(name));
    for (guint i = 0; i < STORM_CLIENTS * STORM_SLOTS; i++) {
        const StormSlot *slot = storm_slot(storm, i / STORM_SLOTS, i % STORM_SLOTS);
        g_autofree char *file = g_strconcat(slot->uuid, suffix, NULL);

        if (!(running ? slot->known.running : slot->known.defined))
            continue;
        n++;
        if (!g_hash_table_contains(names, file))
            g_error("'%s/%s' is not there", dir, file);
    }
    if (g_hash_table_size(names) != n) {
        g_autofree gpointer *keys = g_hash_table_get_keys_as_array(names, NULL);
        g_autofree char *all = g_strjoinv(" ", (char **)keys);

        g_error("'%s' has %u files, not %u: %s", dir, g_hash_table_size(names), n, all);
    }
}

static guint
count_running(Storm *storm)
{
    guint n = 0;

    for (guint i = 0; i < STORM_CLIENTS * STORM_SLOTS; i++)
        n += storm_slot(storm, i / STORM_SLOTS, i % STORM_SLOTS)->known.running;
    return n;
}

/* Processes that a killed daemon had just begun with end by themselves, soon. */
static void
check_litter(Fixture *fixture, Storm *storm)
{
    g_autofree char *domains = path_below(fixture, "config", "domains");
    g_autofree char *guests = path_below(fixture, "run", "guests");
    guint running = count_running(storm), found = 0;

    check_dir(domains, ".xml", storm, FALSE);
    check_dir(guests, "", storm, TRUE);
    for (guint i = 0; i < SETTLE_STEPS; i++) {
        found = fixture_count_guests(fixture);
        if (found == running)
            return;
        g_usleep(SETTLE_US);
    }
    g_error("%u processes of guests, not %u", found, running);
}

/* A guest that a daemon was just starting, or ending, when it died takes a moment to be over. */
static gboolean
is_settled(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains",
                     g_variant_new("(u)", VIR_CONNECT_LIST_DOMAINS_PAUSED |
                                              VIR_CONNECT_LIST_DOMAINS_OTHER),
                     "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(paths) == 0;
}

static gint64
restart(Fixture *fixture)
{
    gint64 begin = g_get_monotonic_time();

    fixture_start_daemon(fixture);
    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains",
                                 g_variant_new("(u)", 0), "(ao)"));
    return g_get_monotonic_time() - begin;
}

/* The cycles */

static void
note_pids(Fixture *fixture, Storm *storm)
{
    for (guint i = 0; i < STORM_CLIENTS * STORM_SLOTS; i++) {
        StormSlot *slot = storm_slot(storm, i / STORM_SLOTS, i % STORM_SLOTS);

        /* Acknowledged and not being changed: then what it was told is what must be there. */
        if (slot->known.running && slot->doubt.running && !slot->pid)
            slot->pid = pid_of(fixture, slot);
    }
}

static int
by_value(gconstpointer a, gconstpointer b)
{
    return *(const gint64 *)a > *(const gint64 *)b ? 1 : -1;
}

static void
report(Storm *storm, gint64 *times, guint n)
{
    qsort(times, n, sizeof(*times), by_value);
    g_test_message("%u kills, %u changes acknowledged; restart to first list: median %.1f ms, "
                   "longest %.1f ms (aim: %d)",
                   n, storm_count(storm), times[n / 2] / 1000.0, times[n - 1] / 1000.0, RESTART_MS);
}

static void
kill_again_and_again(Fixture *fixture, const char *kernel, const char *cmdline, guint cycles)
{
    guint32 seed = number_from("SEED", (guint32)g_get_real_time());
    g_autoptr(Storm) storm = storm_new(fixture, kernel, cmdline, seed);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree gint64 *times = g_new(gint64, cycles);

    g_test_message("SEED=%u", seed);
    for (guint i = 0; i < cycles; i++) {
        storm_begin(storm);
        g_usleep(g_rand_int_range(rand, 500, STORM_MAX_US));
        fixture_end_daemon(fixture, SIGKILL);
        storm_end(storm);
        note_pids(fixture, storm);
        times[i] = restart(fixture);
        fixture_wait(fixture, is_settled, NULL);
        check_slots(fixture, storm);
        check_litter(fixture, storm);
    }
    report(storm, times, cycles);
}

static void
test_fake(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *kernel = g_build_filename(fixture->dir, "kernel", NULL);

    kill_again_and_again(fixture, kernel, "", number_from("CYCLES", CYCLES));
}

/* Guests of the machine monitor itself; check-kill-kvm.sh finds a KVM. */
static void
test_kvm(void)
{
    g_autoptr(Fixture) fixture = NULL;
    g_autofree char *kernel = fixture_built("tests/guest/payload/payload.elf");

    if (access("/dev/kvm", R_OK | W_OK) < 0 || !g_file_test(kernel, G_FILE_TEST_EXISTS)) {
        g_test_skip("no /dev/kvm here");
        return;
    }
    fixture = fixture_new_bare();
    fixture_use_kvm(fixture);
    fixture_start_daemon(fixture);
    kill_again_and_again(fixture, kernel, "idle", MAX(number_from("CYCLES", CYCLES) / 10, 1));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kill/fake", test_fake);
    g_test_add_func("/kill/kvm", test_kvm);
    return g_test_run();
}
