#include "driver/flags.h"

#include "driver/error.h"

#include <libvirt/libvirt.h>

gboolean
driver_check_flags(guint flags, guint known, const char *function, GError **error)
{
    return !(flags & ~known) || driver_error_argument(error,
                                                      "unsupported flags (0x%x) in function %s",
                                                      flags & ~known, function);
}

static gboolean
check_exclusive(guint flags, guint both, const char *names, GError **error)
{
    return (flags & both) != both ||
           driver_error_argument(error, "Flags %s are mutually exclusive", names);
}

gboolean
driver_check_save_flags(guint flags, GError **error)
{
    return check_exclusive(flags, VIR_DOMAIN_SAVE_RUNNING | VIR_DOMAIN_SAVE_PAUSED,
                           "'VIR_DOMAIN_SAVE_RUNNING' and 'VIR_DOMAIN_SAVE_PAUSED'", error);
}

gboolean
driver_check_peek_flags(guint flags, GError **error)
{
    return check_exclusive(flags, VIR_MEMORY_VIRTUAL | VIR_MEMORY_PHYSICAL,
                           "'VIR_MEMORY_VIRTUAL' and 'VIR_MEMORY_PHYSICAL'", error);
}

gboolean
driver_check_affect_flags(guint flags, GError **error)
{
    return check_exclusive(flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG,
                           "'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG'", error);
}

gboolean
driver_check_vcpu_flags(guint flags, GError **error)
{
    return check_exclusive(flags, VIR_DOMAIN_VCPU_GUEST | VIR_DOMAIN_AFFECT_CONFIG,
                           "'VIR_DOMAIN_VCPU_GUEST' and 'VIR_DOMAIN_AFFECT_CONFIG'", error);
}
