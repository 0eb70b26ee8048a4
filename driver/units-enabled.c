/* units-enabled: the half of units about what starts with the host. */
#include "driver/error.h"
#include "driver/units.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define TEMPLATE VMCTL_UNITDIR "/vmctl-guest@.service"
#define WANTS    "/etc/systemd/system/multi-user.target.wants" /* as the unit's [Install] says */

gboolean
units_are_there(void)
{
    /* sd_booted(3) */
    return g_file_test("/run/systemd/system", G_FILE_TEST_IS_DIR) && *VMCTL_UNITDIR == '/' &&
           g_file_test(TEMPLATE, G_FILE_TEST_EXISTS);
}

static char *
link_of(const char *domain)
{
    g_autofree char *unit = units_name(domain);

    return g_build_filename(WANTS, unit, NULL);
}

gboolean
units_enabled(const char *domain)
{
    g_autofree char *link = link_of(domain);

    return g_file_test(link, G_FILE_TEST_IS_SYMLINK);
}

gboolean
units_set_enabled(const char *domain, gboolean enabled, GError **error)
{
    g_autofree char *link = link_of(domain);

    if (enabled && g_mkdir_with_parents(WANTS, 0755) == 0 &&
        (symlink(TEMPLATE, link) == 0 || errno == EEXIST))
        return TRUE;
    if (!enabled && (unlink(link) == 0 || errno == ENOENT))
        return TRUE;
    return driver_error_errno(error, errno, "Failed to %s link '%s'", enabled ? "create" : "remove",
                              link);
}
