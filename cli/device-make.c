#include "cli/device-make.h"

#include "cli/affects.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
attach(Domain *domain, const char *xml, guint flags, const DeviceMake *make, GError **error)
{
    if (!domain_do(domain, "AttachDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error("%s", _(make->failed));
        return FALSE;
    }
    output_extra("%s\n", _(make->done));
    return TRUE;
}

gboolean
device_make_run(Session *session, const Args *args, GError **error)
{
    const DeviceMake *make = args_command(args)->about;
    g_autofree char *xml = NULL;
    guint flags;
    g_autoptr(Domain) domain = NULL;

    if (!affects_check(args, error) || !(xml = make->document(args, error)))
        return FALSE;
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    domain = domain_from_args(session, args, error);
    return domain && affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error) &&
           attach(domain, xml, flags, make, error);
}
