#include "tests/bench/samples.h"

#include <math.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double
samples_median(double *values, gsize n)
{
    g_assert(n > 0);
    qsort(values, n, sizeof(double), compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
samples_ratio(double ours, double peer, gboolean more)
{
    double better = more ? ours : peer, worse = more ? peer : ours;

    if (better == worse)
        return 1;
    return worse > 0 ? better / worse : INFINITY;
}

char *
samples_number(double value)
{
    int digits = 0;

    for (double limit = 100; digits < 3 && value < limit; limit /= 10)
        digits++;
    if (isinf(value))
        return g_strdup("inf");
    return g_strdup_printf("%.*f", digits, value);
}
