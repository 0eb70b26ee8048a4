/* rate: how much of the network an interface may use, as virsh's options have it: "average,peak,burst,floor" in KiB a
 * second and KiB, of which each may be missing and is 0 then.
 */
#pragma once

#include <glib.h>

enum { RATE_AVERAGE, RATE_PEAK, RATE_BURST, RATE_FLOOR, RATE_N_FIELDS };

/* The fields' names in a document, and in the names of parameters. */
extern const char *const rate_fields[RATE_N_FIELDS];

gboolean rate_parse(const char *text, guint64 ret[RATE_N_FIELDS], GError **error);
/* Whether it is one for what goes to the guest; for what comes from it. */
gboolean rate_check_inbound(const guint64 rate[RATE_N_FIELDS], GError **error);
gboolean rate_check_outbound(const guint64 rate[RATE_N_FIELDS], GError **error);
