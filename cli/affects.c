#include "cli/affects.h"

#include <libvirt/libvirt.h>

static gboolean
has(const Args *args, const char *name)
{
    return command_option(args_command(args), name) && args_has(args, name);
}

gboolean
affects_check(const Args *args, GError **error)
{
    return args_exclusive(args, "current", "live", error) &&
           args_exclusive(args, "current", "config", error) &&
           (!has(args, "persistent") || args_exclusive(args, "persistent", "current", error));
}

gboolean
affects_from_args(Domain *domain, const Args *args, guint otherwise, guint *ret, GError **error)
{
    gboolean persistent = has(args, "persistent"), active = FALSE;
    guint flags = 0;

    if (!affects_check(args, error) || (persistent && !domain_is_active(domain, &active, error)))
        return FALSE;
    if (has(args, "config") || persistent)
        flags |= VIR_DOMAIN_AFFECT_CONFIG;
    if (has(args, "live") || active)
        flags |= VIR_DOMAIN_AFFECT_LIVE;
    *ret = flags || has(args, "current") ? flags : otherwise;
    return TRUE;
}
