/* samples: what was measured of one figure on one side, and what is said about it. */
#pragma once

#include <glib.h>

/* The median of @n values, n > 0: of an even number the mean of the middle two. @values is sorted. */
double samples_median(double *values, gsize n);

/* By how much ours is ahead: 2 means half of the peer's time or memory (@more: twice its
 * throughput). Two zeros are even; a zero against something is infinitely ahead, or 0. */
double samples_ratio(double ours, double peer, gboolean more);

/* A number for a reader: three significant digits at least, no exponent. Free with g_free(). */
char *samples_number(double value);
