/* The arithmetic of the benchmark, and the form of its lines; nothing is measured. */
#include "tests/bench/process.h"
#include "tests/bench/report.h"
#include "tests/bench/samples.h"

#include <math.h>

static void
test_median(void)
{
    double odd[] = { 9, 1, 5 }, even[] = { 8, 2, 4, 100 }, one[] = { 7 };

    g_assert_cmpfloat(samples_median(odd, 3), ==, 5);
    g_assert_cmpfloat(samples_median(even, 4), ==, 6);
    g_assert_cmpfloat(samples_median(one, 1), ==, 7);
}

static void
test_ratio(void)
{
    g_assert_cmpfloat(samples_ratio(2, 10, FALSE), ==, 5);
    g_assert_cmpfloat(samples_ratio(10, 2, FALSE), ==, 0.2);
    g_assert_cmpfloat(samples_ratio(10, 2, TRUE), ==, 5);
    g_assert_cmpfloat(samples_ratio(0, 0, FALSE), ==, 1);
    g_assert_true(isinf(samples_ratio(0, 3, FALSE)));
    g_assert_cmpfloat(samples_ratio(3, 0, FALSE), ==, 0);
}

static void
test_number(void)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0, "0.000" },    { 0.1234, "0.123" }, { 1.5, "1.50" },
        { 12.34, "12.3" }, { 123.4, "123" },    { 12345678, "12345678" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = samples_number(rows[i].value);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static void
assert_lines(const Quantity *quantity, double *medians, gsize n, const char *expected)
{
    static const char *const names[] = { "vmctl", "slow", "quick" };
    g_auto(GStrv) lines = report_lines(quantity, medians, names, n);
    g_autofree char *text = g_strjoinv("\n", lines);

    g_assert_cmpstr(text, ==, expected);
}

static void
test_lines(void)
{
    const Quantity time = { "start", "ms", FALSE }, speed = { "read", "MB/s", TRUE };
    double medians[] = { 4, 40, 20 };

    assert_lines(&time, medians, 3,
                 "bench: start ours=4.00 peer=20.0 unit=ms ratio=5.00 against=quick\n"
                 "bench: start/slow ours=4.00 peer=40.0 unit=ms ratio=10.0 against=slow");
    assert_lines(&speed, medians, 3,
                 "bench: read ours=4.00 peer=40.0 unit=MB/s ratio=0.100 against=slow\n"
                 "bench: read/quick ours=4.00 peer=20.0 unit=MB/s ratio=0.200 against=quick");
    assert_lines(&time, medians, 2,
                 "bench: start ours=4.00 peer=40.0 unit=ms ratio=10.0 against=slow");
    assert_lines(&time, medians, 1, "bench: start ours=4.00 unit=ms");
}

/* Two mappings count, the RAM does not; fields whose names begin alike are not taken for each
 * other. */
static void
test_overhead(void)
{
    static const char text[] = "1000-2000 r-xp 00000000 00:00 1   /usr/sbin/vmm\n"
                               "Size:                  4 kB\n"
                               "Rss:                   4 kB\n"
                               "Pss:                   3 kB\n"
                               "Pss_Dirty:             9 kB\n"
                               "Private_Dirty:         2 kB\n"
                               "7000-9000 rw-p 00000000 00:00 0\n"
                               "Size:             133120 kB\n"
                               "Pss:              131072 kB\n"
                               "Private_Dirty:    131072 kB\n"
                               "a000-b000 rw-p 00000000 00:00 0   [stack]\n"
                               "Size:                132 kB\n"
                               "Pss:                  16 kB\n"
                               "Private_Dirty:        12 kB\n";
    Overhead overhead = process_sum_overhead(text, 131072);

    g_assert_cmpfloat(overhead.pss_kib, ==, 19);
    g_assert_cmpfloat(overhead.private_dirty_kib, ==, 14);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bench/median", test_median);
    g_test_add_func("/bench/ratio", test_ratio);
    g_test_add_func("/bench/number", test_number);
    g_test_add_func("/bench/lines", test_lines);
    g_test_add_func("/bench/overhead", test_overhead);
    return g_test_run();
}
