#include "driver/flags.h"

#include "driver/error.h"

#include <libvirt/libvirt.h>

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

gboolean
driver_check_save_flags(guint flags, GError **error)
{
    const guint both = VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED;

    if ((flags & both) != both)
        return TRUE;
    g_set_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG,
                "Flags 'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED' are mutually "
                "exclusive");
    return FALSE;
}
