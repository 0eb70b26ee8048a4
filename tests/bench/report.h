/* report: the lines that come out, one for each figure and peer. */
#pragma once

#include "tests/bench/figures.h"

/* "bench: NAME ours=X peer=Y unit=U ratio=R against=PEER", without a newline; free with g_free(). */
char *report_line(const char *name, const Quantity *quantity, double ours, double peer,
                  const char *peer_name);
/* The same where no peer takes part: "bench: NAME ours=X unit=U". */
char *report_line_alone(const Quantity *quantity, double ours);

/* The lines of one quantity. @medians and @names are those of the contenders, ours first. The
 * best peer's line has the figure's name; another's, "NAME/PEER". Free with g_strfreev(). */
GStrv report_lines(const Quantity *quantity, double *medians, const char *const *names, gsize n);
