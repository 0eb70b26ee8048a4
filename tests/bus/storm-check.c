#include "tests/bus/storm-check.h"

#include "tests/bus/saved.h"

#include <libvirt/libvirt.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SETTLE_STEPS 500
#define SETTLE_US    10000

/* What the daemon says of a domain, and of its guest's process. */

static char *
path_below(Fixture *fixture, const char *dir, const char *name)
{
    return g_build_filename(fixture->dir, dir, "vmctl", name, NULL);
}

int
storm_check_pid(Fixture *fixture, const StormSlot *slot)
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

static gboolean
is_renamed(Fixture *fixture, const StormSlot *slot)
{
    g_autoptr(GVariant) name = fixture_get(fixture, slot->path, DOMAIN, "Name");
    const char *text = g_variant_get_string(name, NULL);

    g_assert_true(g_str_equal(text, slot->name) || g_str_equal(text, slot->other_name));
    return g_str_equal(text, slot->other_name);
}

/* By its name, too, and by the other none. */
static void
check_names(Fixture *fixture, const StormSlot *slot, const StormState *is)
{
    const char *own = is->renamed ? slot->other_name : slot->name;
    const char *other = is->renamed ? slot->name : slot->other_name;
    g_autoptr(GVariant) found = NULL, none = NULL;
    g_autoptr(GError) error = NULL;
    const char *path;

    none = fixture_try(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                       g_variant_new("(s)", other), NULL, &error);
    g_assert_null(none);
    if (!is->defined)
        return;
    found = fixture_call(fixture, ROOT_PATH, CONNECT, "DomainLookupByName",
                         g_variant_new("(s)", own), "(o)");
    g_variant_get(found, "(&o)", &path);
    g_assert_cmpstr(path, ==, slot->path);
}

static StormState
look_at(Fixture *fixture, const StormSlot *slot)
{
    g_autofree char *config = fixture_xml_of(fixture, slot->path, VIR_DOMAIN_XML_INACTIVE);
    g_autoptr(GVariant) autostart = fixture_get(fixture, slot->path, DOMAIN, "Autostart");
    StormState state = { .defined = TRUE, .autostart = g_variant_get_boolean(autostart) };

    state.version = version_in(config);
    state.renamed = is_renamed(fixture, slot);
    state.devices = count_of(config, "<rng ");
    state.running = fixture_state(fixture, slot->path) == VIR_DOMAIN_RUNNING;
    state.saved = saved_has_managed(fixture, slot->path);
    state.saved_devices = slot->doubt.saved ? slot->doubt.saved_devices : slot->known.saved_devices;
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
        g_printerr("%s %s: defined %d renamed %d version %u devices %u autostart %d running %d "
                   "with %u saved "
                   "%d with %u\n",
                   slot->name, names[i], states[i]->defined, states[i]->renamed, states[i]->version,
                   states[i]->devices, states[i]->autostart, states[i]->running,
                   states[i]->live_devices, states[i]->saved, states[i]->saved_devices);
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
        (is.renamed != a->renamed && is.renamed != b->renamed) ||
        (is.devices != a->devices && is.devices != b->devices) ||
        (is.autostart != a->autostart && is.autostart != b->autostart) ||
        (is.saved != a->saved && is.saved != b->saved) ||
        (is.running != a->running && is.running != b->running) ||
        (is.running && is.live_devices != a->live_devices && is.live_devices != b->live_devices))
        fail_slot(slot, &is);
    check_names(fixture, slot, &is);
    is.running = is.running && obeys(fixture, slot);
    if ((a->running || a->saved) && (b->running || b->saved) && !is.running &&
        !saved_has_managed(fixture, slot->path))
        g_error("%s was neither to be lost running nor saved", slot->name);
    if (is.running) {
        int pid = storm_check_pid(fixture, slot);

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

void
storm_check_slots(Fixture *fixture, Storm *storm)
{
    g_autoptr(GVariant) reply =
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0), "(ao)");
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

void
storm_check_control(Fixture *fixture, Storm *storm)
{
    for (guint i = 0; i < STORM_CLIENTS * STORM_SLOTS; i++) {
        const StormSlot *slot = storm_slot(storm, i / STORM_SLOTS, i % STORM_SLOTS);

        if (!slot->known.running || !slot->doubt.running)
            continue;
        fixture_do(fixture, slot->path, "Suspend", NULL);
        fixture_do(fixture, slot->path, "Resume", NULL);
    }
}

/* What there may be; which domains and guests have such files, is looked at by check_dir(). */
#define UUID "[0-9a-f-]{36}"
static const char usual_files[] =
    "^/(bus|bus.conf|notify|kernel|config|run|data|cache|services|cgroup|faulty-disk"
    "|(config|run|data|cache)/vmctl"
    "|config/vmctl/(domains|autostart)(/" UUID ".xml)?"
    "|data/vmctl/save(/" UUID ".save)?"
    "|run/vmctl/(vmctld.lock|units|guests|guests/" UUID
    "(/(control|status|live.xml|record|cgroup))?)"
    "|cache/vmctl/log(/storm-[0-9]-[0-9](-other)?.log)?)$";

static void
check_files(const char *top, const char *below)
{
    g_autofree char *path = g_strconcat(top, below, NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *here = g_strconcat(below, "/", name, NULL);
        g_autofree char *whole = g_strconcat(top, here, NULL);

        if (!g_regex_match_simple(usual_files, here, 0, 0))
            g_error("'%s' is left over", whole);
        if (!g_file_test(whole, G_FILE_TEST_IS_SYMLINK) && g_file_test(whole, G_FILE_TEST_IS_DIR))
            check_files(top, here);
    }
}

static gboolean
is_defined(const StormState *state)
{
    return state->defined;
}

static gboolean
is_autostart(const StormState *state)
{
    return state->autostart;
}

static gboolean
has_image(const StormState *state)
{
    return state->saved;
}

static gboolean
is_running(const StormState *state)
{
    return state->running;
}

/* The files of @dir are those of the domains for which @wanted, and no others. */
static void
check_dir(const char *dir, const char *suffix, Storm *storm,
          gboolean (*wanted)(const StormState *state))
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

        if (!wanted(&slot->known))
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

static guint
count_taps(void)
{
    struct if_nameindex *all = if_nameindex();
    guint n = 0;

    while (all[n].if_index)
        n++;
    if_freenameindex(all);
    return n - 1; /* the loopback */
}

static guint
count_rooms(const char *cgroup)
{
    g_autofree char *path = g_build_filename(cgroup, "machine", NULL);
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;

    while (entries && (name = g_dir_read_name(entries)))
        n += g_str_has_prefix(name, "vmctl-storm-");
    return n;
}

/* Processes that a killed daemon had just begun with end by themselves, soon, and their taps with them. */
static void
check_settled(Fixture *fixture, guint running, gboolean taps)
{
    guint processes = 0, interfaces = 0;

    for (guint i = 0; i < SETTLE_STEPS; i++) {
        processes = fixture_count_guests(fixture);
        interfaces = taps ? count_taps() : running;
        if (processes == running && interfaces == running)
            return;
        g_usleep(SETTLE_US);
    }
    g_error("%u processes and %u taps of guests, not %u", processes, interfaces, running);
}

void
storm_check_litter(Fixture *fixture, Storm *storm, gboolean taps, const char *cgroup)
{
    g_autofree char *domains = path_below(fixture, "config", "domains");
    g_autofree char *guests = path_below(fixture, "run", "guests");
    g_autofree char *autostart = path_below(fixture, "config", "autostart");
    g_autofree char *saves = path_below(fixture, "data", "save");
    guint running = count_running(storm);

    check_dir(domains, ".xml", storm, is_defined);
    check_dir(autostart, ".xml", storm, is_autostart);
    check_dir(saves, ".save", storm, has_image);
    check_dir(guests, "", storm, is_running);
    check_files(fixture->dir, "");
    check_settled(fixture, running, taps);
    if (cgroup)
        g_assert_cmpuint(count_rooms(cgroup), ==, running);
}

/* A guest that a daemon was just starting, or ending, when it died takes a moment to be over. */
static gboolean
is_settled(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GVariant) reply = fixture_call(
        fixture, ROOT_PATH, CONNECT, "ListDomains",
        g_variant_new("(u)", VIR_CONNECT_LIST_DOMAINS_PAUSED | VIR_CONNECT_LIST_DOMAINS_OTHER),
        "(ao)");
    g_autoptr(GVariant) paths = g_variant_get_child_value(reply, 0);

    return g_variant_n_children(paths) == 0;
}

void
storm_check_wait(Fixture *fixture)
{
    fixture_wait(fixture, is_settled, NULL);
}
