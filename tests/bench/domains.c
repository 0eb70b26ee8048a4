/* domains: very many definitions in our daemon and in libvirtd, in one run.
 *
 *   domains [COUNT...]     1000 and 10000 of each kind of document where none is given
 *
 * tests/bench/run-domains calls it where libvirtd's directories are private.
 *
 * What is compared is what a client of each waits for, by the client library that belongs to it: ours is GDBus, through a
 * dbus-daemon (four hops of a call and its reply, and a thread of GDBus' own at both ends); libvirtd's is libvirt's, by
 * libvirt's own socket (two hops). list and stats are one call on both sides, with the time to take the answer apart,
 * stats of the state alone and stats-all of all that the daemon has, as monitoring agents ask; ours are those of
 * org.vmctl.Connect, as vmctl asks, list-objects and stats-records those of org.libvirt.Connect, as other clients of the
 * bus do (libvirtd has but one way). command-... is what a person waits for: a process of vmctl or virsh, from its start to
 * its end;
 * define and lookup are one round trip a document, one after the other, undefine is two (a lookup by name first), and
 * ours tells of each define and undefine by a signal though nobody listens. So what is small there is the bus' price
 * before it is ours. A busy machine makes it dearer still: each hop waits for a CPU. Where fsyncs take a while, they
 * decide about define: TMPDIR on a tmpfs leaves both sides' own time.
 */
#include "tests/bench/domains.h"

#include "tests/bench/report.h"
#include "tests/bench/samples.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEAT        5
#define LOOKUPS       1000
#define RESTARTS      3
#define FSYNC_DEFINES 10
#define MANY          1000000 /* guests' numbers that are not taken */
#define N_QUANTITIES  15

static const Quantity quantities[N_QUANTITIES] = {
    { "define", "ms" },         { "list", "ms" },     { "stats", "ms" },
    { "lookup", "us" },         { "rss", "KiB" },     { "restart", "ms" },
    { "rss-restarted", "KiB" }, { "undefine", "ms" }, { "fsyncs", "per-define" },
    { "stats-all", "ms" },    { "list-objects", "ms" }, { "stats-records", "ms" },
    { "command-list", "ms" }, { "command-stats", "ms" }, { "command-state", "ms" },
};

static const struct {
    const char *name, *devices;
} kinds[] = {
    { "minimal", "" },
    { "typical",
      "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>"
      "<source file='/var/lib/libvirt/images/disk.qcow2'/><target dev='vda' bus='virtio'/></disk>"
      "<interface type='bridge'><source bridge='br0'/><model type='virtio'/></interface>"
      "<serial type='pty'/><rng model='virtio'><backend model='random'>/dev/urandom"
      "</backend></rng><memballoon model='virtio'/>" },
};

static char *
document(guint kind, guint n)
{
    return g_strdup_printf(
        "<domain type='kvm'><name>guest-%05u</name><memory unit='MiB'>64</memory>"
        "<vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>"
        "<features><acpi/></features><devices>%s</devices></domain>",
        n, kinds[kind].devices);
}

static double
ms_since(gint64 begin)
{
    return (g_get_monotonic_time() - begin) / 1000.0;
}

static double
rss_kib(GPid pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)pid);
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return strtod(strstr(text, "VmRSS:") + strlen("VmRSS:"), NULL);
}

static double
define_all(const Manager *manager, guint kind, guint n)
{
    gint64 total = 0;

    for (guint i = 0; i < n; i++) {
        g_autofree char *xml = document(kind, i);
        gint64 begin = g_get_monotonic_time();

        manager->define(xml);
        total += g_get_monotonic_time() - begin;
    }
    return total / 1000.0 / n;
}

/* Those of ten more definitions, as strace sees them; 0 where it cannot. */
static double
fsyncs_of(const Manager *manager, guint kind)
{
    g_autofree char *log = g_build_filename(g_get_tmp_dir(), "vmctl-bench-fsyncs", NULL);
    g_autofree char *command = g_strdup_printf("strace -qq -f -e trace=fsync,fdatasync -o %s -p %d",
                                               log, (int)manager->pid());
    g_auto(GStrv) argv = g_strsplit(command, " ", 0);
    g_autofree char *text = NULL;
    GPid tracer;
    guint n = 0;

    if (!g_spawn_async(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL,
                       NULL, &tracer, NULL))
        return 0;
    g_usleep(500000); /* until it is attached */
    for (guint i = 0; i < FSYNC_DEFINES; i++) {
        g_autofree char *xml = document(kind, MANY + i);

        manager->define(xml);
    }
    kill(tracer, SIGINT);
    g_usleep(500000);
    for (guint i = 0; i < FSYNC_DEFINES; i++) {
        g_autofree char *name = g_strdup_printf("guest-%05u", MANY + i);

        manager->undefine(name);
    }
    g_file_get_contents(log, &text, NULL, NULL);
    remove(log);
    for (const char *at = text; at && (at = strstr(at, "sync(")); at++)
        n++;
    return n / (double)FSYNC_DEFINES;
}

static guint
ask_states(const Manager *manager)
{
    return manager->stats(VIR_DOMAIN_STATS_STATE);
}

static guint
ask_everything(const Manager *manager)
{
    return manager->stats(0);
}

static guint
ask_list(const Manager *manager)
{
    return manager->list();
}

static guint
ask_objects(const Manager *manager)
{
    return manager->list_objects();
}

static guint
ask_records(const Manager *manager)
{
    return manager->stats_records(VIR_DOMAIN_STATS_STATE);
}

static double
median_of(const Manager *manager, guint (*ask)(const Manager *manager), guint n)
{
    double values[REPEAT];

    for (guint i = 0; i < REPEAT; i++) {
        gint64 begin = g_get_monotonic_time();

        g_assert_cmpuint(ask(manager), ==, n);
        values[i] = ms_since(begin);
    }
    return samples_median(values, REPEAT);
}

static guint
count_lines(const char *text)
{
    guint n = 0;

    for (const char *end = text; (end = strchr(end, '\n')); end++)
        n += end > text && end[-1] != '\n';
    return n;
}

/* It has to say so many lines, or more. */
static double
run_command(const Manager *manager, const char *const *words, guint n)
{
    double values[REPEAT];

    for (guint i = 0; i < REPEAT; i++) {
        gint64 begin = g_get_monotonic_time();
        g_autofree char *said = manager->command(words);

        values[i] = ms_since(begin);
        g_assert_cmpuint(count_lines(said), >=, n);
    }
    return samples_median(values, REPEAT);
}

static void
run_commands(const Manager *manager, guint n, double *values)
{
    static const char *const list[] = { "-q", "list", "--all", NULL };
    static const char *const stats[] = { "domstats", NULL };
    static const char *const state[] = { "domstate", "guest-00000", NULL };

    values[0] = run_command(manager, list, n);
    values[1] = run_command(manager, stats, 2 * n);
    values[2] = run_command(manager, state, 1);
}

static double
look_up(const Manager *manager, guint n)
{
    gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < LOOKUPS; i++) {
        g_autofree char *name = g_strdup_printf("guest-%05u", i * 7919 % n);

        manager->lookup(name);
    }
    return ms_since(begin) * 1000 / LOOKUPS;
}

/* From the start of the process to the first complete list. */
static double
restart(const Manager *manager, guint n)
{
    double values[RESTARTS];

    for (guint i = 0; i < RESTARTS; i++) {
        gint64 begin;

        manager->stop();
        begin = g_get_monotonic_time();
        manager->start();
        g_assert_cmpuint(manager->list(), ==, n);
        values[i] = ms_since(begin);
    }
    return samples_median(values, RESTARTS);
}

static double
undefine_all(const Manager *manager, guint n)
{
    gint64 begin = g_get_monotonic_time();

    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("guest-%05u", i);

        manager->undefine(name);
    }
    return ms_since(begin) / n;
}

static void
measure(const Manager *manager, guint kind, guint n, double *values)
{
    manager->begin();
    manager->start();
    values[0] = define_all(manager, kind, n);
    values[1] = median_of(manager, ask_list, n);
    values[2] = median_of(manager, ask_states, n);
    values[9] = median_of(manager, ask_everything, n);
    values[10] = median_of(manager, ask_objects, n);
    values[11] = median_of(manager, ask_records, n);
    run_commands(manager, n, values + 12);
    values[3] = look_up(manager, n);
    values[4] = rss_kib(manager->pid());
    values[5] = restart(manager, n);
    values[6] = rss_kib(manager->pid());
    values[8] = fsyncs_of(manager, kind);
    values[7] = undefine_all(manager, n);
    manager->stop();
    manager->end();
}

static void
compare(guint kind, guint n)
{
    double ours[N_QUANTITIES], peer[N_QUANTITIES];
    gboolean alone = g_getenv("BENCH_ALONE") != NULL;

    measure(&manager_vmctld, kind, n, ours);
    if (!alone)
        measure(&manager_libvirtd, kind, n, peer);
    for (guint i = 0; i < N_QUANTITIES; i++) {
        g_autofree char *name =
            g_strdup_printf("domains-%s-%s-%u", quantities[i].name, kinds[kind].name, n);
        Quantity quantity = { name, quantities[i].unit, FALSE };
        g_autofree char *line =
            alone ? report_line_alone(&quantity, ours[i])
                  : report_line(name, &quantity, ours[i], peer[i], manager_libvirtd.name);

        puts(line);
        fflush(stdout);
    }
}

int
main(int argc, char **argv)
{
    static const char *usual[] = { "1000", "10000", NULL };

    const char *const *counts = argc > 1 ? (const char *const *)argv + 1 : usual;

    for (const char *const *count = counts; *count; count++) {
        for (guint kind = 0; kind < G_N_ELEMENTS(kinds); kind++)
            compare(kind, MAX(atoi(*count), 1));
    }
    return EXIT_SUCCESS;
}
