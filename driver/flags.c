#include "driver/flags.h"

#include "driver/error.h"

gboolean
driver_check_flags(guint flags, guint known, const char *function, GError **error)
{
    if (!(flags & ~known))
        return TRUE;
    /* virReportInvalidArg() puts no "invalid argument: " before it. */
    g_set_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG, "unsupported flags (0x%x) in function %s",
                flags & ~known, function);
    return FALSE;
}
