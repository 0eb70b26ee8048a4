#include "tests/bench/report.h"

#include "tests/bench/samples.h"

char *
report_line(const char *name, const Quantity *quantity, double ours, double peer,
            const char *peer_name)
{
    double ratio = samples_ratio(ours, peer, quantity->more);
    g_autofree char *ours_text = samples_number(ours);
    g_autofree char *peer_text = samples_number(peer);
    g_autofree char *ratio_text = samples_number(ratio);

    return g_strdup_printf("bench: %s ours=%s peer=%s unit=%s ratio=%s against=%s", name, ours_text,
                           peer_text, quantity->unit, ratio_text, peer_name);
}

char *
report_line_alone(const Quantity *quantity, double ours)
{
    g_autofree char *text = samples_number(ours);

    return g_strdup_printf("bench: %s ours=%s unit=%s", quantity->name, text, quantity->unit);
}

static gsize
best_peer(const Quantity *quantity, const double *medians, gsize n)
{
    gsize best = 1;

    for (gsize i = 2; i < n; i++) {
        if (quantity->more ? medians[i] > medians[best] : medians[i] < medians[best])
            best = i;
    }
    return best;
}

GStrv
report_lines(const Quantity *quantity, double *medians, const char *const *names, gsize n)
{
    GPtrArray *lines = g_ptr_array_new();
    gsize best = best_peer(quantity, medians, n);

    if (n == 1)
        g_ptr_array_add(lines, report_line_alone(quantity, medians[0]));
    else
        g_ptr_array_add(
            lines, report_line(quantity->name, quantity, medians[0], medians[best], names[best]));
    for (gsize i = 1; i < n; i++) {
        g_autofree char *name = g_strdup_printf("%s/%s", quantity->name, names[i]);

        if (i != best)
            g_ptr_array_add(lines, report_line(name, quantity, medians[0], medians[i], names[i]));
    }
    g_ptr_array_add(lines, NULL);
    return (GStrv)g_ptr_array_free(lines, FALSE);
}
