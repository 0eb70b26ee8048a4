/* bench: measures ours beside its peers, one run of each in turn, and prints the medians.
 *
 *   bench list [payload|kernel]   the names of the figures
 *   bench payload|kernel          measures those that a payload takes, or a stock kernel
 *   bench probe                   whether every contender runs a guest here
 *
 * Environment: BENCH_RUNS (5), BENCH_ONLY, a pattern of names ("*-exit*"), VMCTL_TOP_BUILDDIR.
 * tests/bench/run does all that in the right place.
 */
#include "tests/bench/figures.h"
#include "tests/bench/report.h"
#include "tests/bench/samples.h"

#include <stdio.h>
#include <stdlib.h>

#define RUNS 5

typedef struct Series {
    const Experiment *experiment;
    gsize n_contenders, n_runs;
    double *values[QUANTITIES_MAX][CONTENDERS_MAX]; /* n_runs each */
} Series;

static gboolean
is_wanted(const Quantity *quantity)
{
    const char *only = g_getenv("BENCH_ONLY");

    return quantity->name && (!only || !*only || g_pattern_match_simple(only, quantity->name));
}

static gboolean
is_any_wanted(const Experiment *experiment)
{
    for (gsize i = 0; i < QUANTITIES_MAX; i++) {
        if (is_wanted(&experiment->quantities[i]))
            return TRUE;
    }
    return FALSE;
}

static guint
runs_of(const Experiment *experiment)
{
    const char *text = g_getenv("BENCH_RUNS");
    guint64 runs = RUNS;

    if (text && *text && !g_ascii_string_to_unsigned(text, 10, 1, 1000, &runs, NULL))
        g_error("BENCH_RUNS is no number from 1 to 1000: '%s'", text);
    return experiment->runs_max ? MIN(runs, experiment->runs_max) : runs;
}

/* In turn, so that whatever else the host does hits all alike. */
static void
take(Series *series)
{
    for (gsize run = 0; run < series->n_runs; run++) {
        for (gsize i = 0; i < series->n_contenders; i++) {
            double values[QUANTITIES_MAX] = { 0 };

            series->experiment->run(series->experiment->contenders[i], series->experiment->what,
                                    values);
            for (gsize q = 0; q < QUANTITIES_MAX; q++)
                series->values[q][i][run] = values[q];
        }
    }
}

static void
print_quantity(Series *series, gsize q)
{
    const char *names[CONTENDERS_MAX];
    double medians[CONTENDERS_MAX];
    g_auto(GStrv) lines = NULL;

    for (gsize i = 0; i < series->n_contenders; i++) {
        names[i] = series->experiment->contenders[i]->name;
        medians[i] = samples_median(series->values[q][i], series->n_runs);
    }
    lines = report_lines(&series->experiment->quantities[q], medians, names, series->n_contenders);
    for (char **line = lines; *line; line++)
        puts(*line);
    fflush(stdout);
}

static void
do_experiment(const Experiment *experiment)
{
    Series series = { .experiment = experiment, .n_runs = runs_of(experiment) };

    while (series.n_contenders < CONTENDERS_MAX && experiment->contenders[series.n_contenders])
        series.n_contenders++;
    for (gsize q = 0; q < QUANTITIES_MAX; q++) {
        for (gsize i = 0; i < series.n_contenders; i++)
            series.values[q][i] = g_new0(double, series.n_runs);
    }
    take(&series);
    for (gsize q = 0; q < QUANTITIES_MAX; q++) {
        if (is_wanted(&experiment->quantities[q]))
            print_quantity(&series, q);
        for (gsize i = 0; i < series.n_contenders; i++)
            g_free(series.values[q][i]);
    }
}

static void
do_list(const Experiment *experiment)
{
    for (gsize i = 0; i < QUANTITIES_MAX; i++) {
        if (is_wanted(&experiment->quantities[i]))
            puts(experiment->quantities[i].name);
    }
}

static void
for_each(const char *kind, void (*what)(const Experiment *experiment))
{
    for (const Experiment *const *at = figures; *at; at++) {
        if ((!kind || (*at)->kernel == g_str_equal(kind, "kernel")) && is_any_wanted(*at))
            what(*at);
    }
}

static void
probe(void)
{
    static const Contender *const all[] = { &contender_vmctl, &contender_qemu_q35,
                                            &contender_qemu_microvm };
    g_autofree char *kernel = guest_payload("first.elf");
    const GuestSpec spec = { .kernel = kernel, .cmdline = "", .memory_mib = 128 };

    for (gsize i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(Guest) guest = guest_start(all[i], &spec);

        guest_wait_text(guest, "!");
    }
}

static int
usage(void)
{
    fputs("Usage: bench list [payload|kernel], bench payload|kernel, bench probe\n", stderr);
    return EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (g_str_equal(word, "list"))
        for_each(argc > 2 ? argv[2] : NULL, do_list);
    else if (g_str_equal(word, "probe"))
        probe();
    else if (g_str_equal(word, "payload") || g_str_equal(word, "kernel"))
        for_each(word, do_experiment);
    else
        return usage();
    return EXIT_SUCCESS;
}
