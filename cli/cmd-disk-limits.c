/* How far a disk goes: blockresize, domblkthreshold. */
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/size.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
parse_size(const Args *args, const char *option, guint64 unit, guint64 *ret, GError **error)
{
    const char *text = args_string(args, option);

    return size_parse_bytes(text, unit, ret) ||
           cli_fail(error, _("Numeric value '%s' for <%s> option is malformed or out of range"),
                    text, option);
}

static gboolean
run_blockresize(Session *session, const Args *args, GError **error)
{
    const char *path = args_string(args, "path");
    guint64 size = 0;
    g_autoptr(Domain) domain = NULL;

    if (!parse_size(args, "size", 1024, &size, error) ||
        !(domain = domain_from_args(session, args, error)))
        return FALSE;
    if (!domain_do(domain, "BlockResize",
                   g_variant_new("(stu)", path, size, VIR_DOMAIN_BLOCK_RESIZE_BYTES), error)) {
        output_error(_("Failed to resize block device '%s'"), path);
        return FALSE;
    }
    output("%s\n", _("Block device is resized"));
    return TRUE;
}

static const Option blockresize_options[] = {
    OPTION_DOMAIN_ANY,
    { "path", OPTION_DATA, OPTION_REQUIRED, N_("the disk's target or source") },
    { "size", OPTION_DATA, OPTION_REQUIRED, N_("how large: a number, in KiB or with a unit") },
    { NULL },
};

const Command command_blockresize = {
    "blockresize",
    N_("change the size of a running guest's disk"),
    N_("Of a raw image in a file; the guest sees it at once."),
    blockresize_options,
    run_blockresize,
    COMMAND_CHANGES,
};

static gboolean
run_domblkthreshold(Session *session, const Args *args, GError **error)
{
    guint64 threshold = 0;
    g_autoptr(Domain) domain = NULL;

    return parse_size(args, "threshold", 1, &threshold, error) &&
           (domain = domain_from_args(session, args, error)) &&
           domain_do(domain, "SetBlockThreshold",
                     g_variant_new("(stu)", args_string(args, "dev"), threshold, 0), error);
}

static const Option threshold_options[] = {
    OPTION_DOMAIN_ANY,
    { "dev", OPTION_DATA, OPTION_REQUIRED, N_("the disk's target or source") },
    { "threshold", OPTION_DATA, OPTION_REQUIRED, N_("where: a number, in bytes or with a unit") },
    { NULL },
};

const Command command_domblkthreshold = {
    "domblkthreshold",
    N_("ask to be told when a disk's image is written behind an offset"),
    N_("The event block-threshold tells, once."),
    threshold_options,
    run_domblkthreshold,
    COMMAND_CHANGES,
};
