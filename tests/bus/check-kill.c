/* The daemon is killed at random moments of a storm, again and again; nothing that was acknowledged is lost, nothing is
 * twice, and nothing is left over.
 *
 * Environment: CYCLES (200), SEED (the first cycle prints the one that was taken). Not part of "make check": see
 * "make check-kill".
 */
#include "tests/bus/storm-check.h"

#include <fcntl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define CYCLES       200
#define STORM_MAX_US 200000
#define RESTART_MS   100 /* what is aimed at: the machine may be busy, ... */
#define BUSY         10  /* ... but not so much that the median takes as many times as long; */
#define EMULATED     10  /* in the lab, as many times longer */

static guint32
number_from(const char *name, guint32 usual)
{
    const char *text = g_getenv(name);

    return text && *text ? g_ascii_strtoull(text, NULL, 10) : usual;
}

/* Times from the start of a daemon, in us. */
typedef struct Times {
    gint64 *listed, *obeyed; /* to the first list, and until each guest has obeyed it */
} Times;

static void
restart(Fixture *fixture, Storm *storm, Times times, guint i)
{
    gint64 begin = g_get_monotonic_time();

    fixture_start_daemon(fixture);
    g_variant_unref(
        fixture_call(fixture, ROOT_PATH, CONNECT, "ListDomains", g_variant_new("(u)", 0), "(ao)"));
    times.listed[i] = g_get_monotonic_time() - begin;
    storm_check_control(fixture, storm);
    times.obeyed[i] = g_get_monotonic_time() - begin;
}

/* The host */

/* What a storm may count beyond files and processes, where this machine lets it. */
typedef struct Host {
    gboolean taps; /* in a network of its own */
    char *cgroup;  /* NULL: none can be made */
} Host;

static char *
find_cgroup2(void)
{
    g_autofree char *mounts = NULL;
    g_auto(GStrv) lines = NULL;

    if (!g_file_get_contents("/proc/self/mounts", &mounts, NULL, NULL))
        return NULL;
    lines = g_strsplit(mounts, "\n", 0);
    for (guint i = 0; lines[i]; i++) {
        g_auto(GStrv) words = g_strsplit(lines[i], " ", 0);

        if (g_strv_length(words) > 2 && g_str_equal(words[2], "cgroup2"))
            return g_strdup(words[1]);
    }
    return NULL;
}

static Host
host_take(Fixture *fixture, gboolean taps)
{
    g_autofree char *top = find_cgroup2();
    g_autofree char *name = g_strdup_printf("vmctl-storm-%d", (int)getpid());
    g_autofree char *link = g_build_filename(fixture->dir, "cgroup", NULL);
    Host host = {
        .taps = taps && access("/dev/net/tun", R_OK | W_OK) == 0 && unshare(CLONE_NEWNET) == 0,
        .cgroup = top ? g_build_filename(top, name, NULL) : NULL,
    };

    if (host.cgroup && mkdir(host.cgroup, 0755) < 0)
        g_clear_pointer(&host.cgroup, g_free);
    if (host.cgroup)
        g_assert_no_errno(symlink(host.cgroup, link));
    g_test_message("taps are %s, cgroups are %s", host.taps ? "counted" : "not counted",
                   host.cgroup ? "counted" : "not counted");
    return host;
}

/* A cgroup goes once the last process in it has. */
static void
remove_cgroup(const char *path)
{
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name;

    while (entries && (name = g_dir_read_name(entries))) {
        g_autofree char *below = g_build_filename(path, name, NULL);

        if (g_file_test(below, G_FILE_TEST_IS_DIR))
            remove_cgroup(below);
    }
    for (guint i = 0; rmdir(path) < 0 && errno == EBUSY && i < 500; i++)
        g_usleep(10000);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
host_give_back(Host *host)
{
    if (host->cgroup)
        remove_cgroup(host->cgroup);
    g_free(host->cgroup);
}

/* The cycles */

static void
note_pids(Fixture *fixture, Storm *storm)
{
    for (guint i = 0; i < STORM_CLIENTS * STORM_SLOTS; i++) {
        StormSlot *slot = storm_slot(storm, i / STORM_SLOTS, i % STORM_SLOTS);

        /* Acknowledged and not being changed: then what it was told is what must be there. */
        if (slot->known.running && slot->doubt.running && !slot->pid)
            slot->pid = storm_check_pid(fixture, slot);
    }
}

static int
by_value(gconstpointer a, gconstpointer b)
{
    return *(const gint64 *)a > *(const gint64 *)b ? 1 : -1;
}

static void
report_times(const char *what, gint64 *times, guint n)
{
    qsort(times, n, sizeof(*times), by_value);
    g_test_message("restart to %s: median %.1f ms, longest %.1f ms (aim: %d)", what,
                   times[n / 2] / 1000.0, times[n - 1] / 1000.0, RESTART_MS);
    g_assert_cmpint(times[n / 2], <, BUSY * (g_getenv("LAB") ? EMULATED : 1) * RESTART_MS * 1000);
}

static void
kill_again_and_again(Fixture *fixture, const Host *host, const char *kernel, const char *cmdline,
                     guint cycles)
{
    guint32 seed = number_from("SEED", (guint32)g_get_real_time());
    g_autoptr(Storm) storm = storm_new(fixture, kernel, cmdline, seed);
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree gint64 *listed = g_new(gint64, cycles), *obeyed = g_new(gint64, cycles);

    g_test_message("SEED=%u", seed);
    if (host->taps)
        storm_use_taps(storm);
    for (guint i = 0; i < cycles; i++) {
        storm_begin(storm);
        g_usleep(g_rand_int_range(rand, 500, STORM_MAX_US));
        fixture_end_daemon(fixture, SIGKILL);
        storm_end(storm);
        note_pids(fixture, storm);
        restart(fixture, storm, (Times){ listed, obeyed }, i);
        storm_check_wait(fixture);
        storm_check_slots(fixture, storm);
        storm_check_litter(fixture, storm, host->taps, host->cgroup);
    }
    g_test_message("%u kills, %u changes acknowledged", cycles, storm_count(storm));
    report_times("first list", listed, cycles);
    report_times("every guest's obedience", obeyed, cycles);
}

static void
test_fake(void)
{
    Fixture *fixture = fixture_new_bare();
    g_autofree char *kernel = g_build_filename(fixture->dir, "kernel", NULL);
    Host host = host_take(fixture, FALSE); /* such guests keep no tap */

    fixture_start_daemon(fixture);
    kill_again_and_again(fixture, &host, kernel, "", number_from("CYCLES", CYCLES));
    fixture_free(fixture);
    host_give_back(&host);
}

/* Guests of the machine monitor itself; check-kill-kvm.sh finds a KVM. */
static void
test_kvm(void)
{
    g_autofree char *kernel = fixture_built("tests/guest/payload/payload.elf");
    Fixture *fixture;
    Host host;

    if (access("/dev/kvm", R_OK | W_OK) < 0 || !g_file_test(kernel, G_FILE_TEST_EXISTS)) {
        g_test_skip("no /dev/kvm here");
        return;
    }
    fixture = fixture_new_bare();
    fixture_use_kvm(fixture);
    host = host_take(fixture, TRUE);
    fixture_start_daemon(fixture);
    kill_again_and_again(fixture, &host, kernel, "idle",
                         MAX(number_from("CYCLES", CYCLES) / 10, 1));
    fixture_free(fixture);
    host_give_back(&host);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kill/fake", test_fake);
    g_test_add_func("/kill/kvm", test_kvm);
    return g_test_run();
}
