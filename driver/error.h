/* error: libvirt's error numbers and texts, in a GError.
 *
 * The code is a virErrorNumber of <libvirt/virterror.h>; the message is what
 * virGetLastErrorMessage() of a libvirt client shows, prefix and all. The prefixes stand in one
 * table, tested against libvirt's.
 */
#pragma once

#include <glib.h>
#include <libvirt/virterror.h>

#define DRIVER_ERROR (driver_error_quark())
GQuark driver_error_quark(void);

/* Sets @error to @code's prefix with the formatted detail. @format may be NULL: the bare text.
 * Returns FALSE, so that failing is one statement. */
gboolean driver_error(GError **error, virErrorNumber code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* VIR_ERR_INVALID_ARG without its prefix, as virReportInvalidArg() in front of all drivers has it. */
gboolean driver_error_argument(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* VIR_ERR_SYSTEM_ERROR with strerror(@errnum) after the detail, as virReportSystemError() does. */
gboolean driver_error_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
