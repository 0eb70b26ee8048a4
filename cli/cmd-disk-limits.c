/* How far a disk goes, and how fast: blockresize, domblkthreshold, blkdeviotune. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/domain.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/size.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
parse_size(const Args *args, const char *option, guint64 unit, guint64 *ret, GError **error)
{
    const char *text = args_string(args, option);

    return size_parse_bytes(text, unit, ret) ||
           cli_fail(error,
                    _("Scaled numeric value '%s' for <%s> option is malformed or out of range"),
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
    { "size", OPTION_SIZE, OPTION_REQUIRED, N_("how large: a number, in KiB or with a unit") },
    { NULL },
};

const Command command_blockresize = {
    "blockresize",
    N_("change the size of a running guest's disk"),
    N_("Of a raw image or one of format qcow2; a block device has to be grown before. The guest sees it at once."),
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
    { "threshold", OPTION_SIZE, OPTION_REQUIRED, N_("where: a number, in bytes or with a unit") },
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

/* blkdeviotune: each option is a parameter, with other hyphens. */

static const Option blkdeviotune_options[] = {
    OPTION_DOMAIN_ANY,
    { "device", OPTION_DATA, OPTION_REQUIRED, N_("the disk's target or source") },
    { "total-bytes-sec", OPTION_SIZE, OPTION_CHANGES, N_("bytes a second; 0 is no limit") },
    { "read-bytes-sec", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-bytes-sec", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    { "total-iops-sec", OPTION_SIZE, OPTION_CHANGES, N_("operations a second; 0 is no limit") },
    { "read-iops-sec", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-iops-sec", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    { "total-bytes-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("bytes a second in a burst") },
    { "read-bytes-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-bytes-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    { "total-iops-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("operations a second in a burst") },
    { "read-iops-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-iops-sec-max", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    { "size-iops-sec", OPTION_SIZE, OPTION_CHANGES, N_("bytes of which an operation counts as one") },
    { "group-name", OPTION_STRING, OPTION_CHANGES, N_("disks that say the same name share these limits") },
    { "total-bytes-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("seconds that a burst may last") },
    { "read-bytes-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-bytes-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    { "total-iops-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("seconds that a burst may last") },
    { "read-iops-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("of reads alone") },
    { "write-iops-sec-max-length", OPTION_SIZE, OPTION_CHANGES, N_("of writes alone") },
    OPTIONS_AFFECTS,
    { NULL },
};

/* Bytes may have a unit. */
static gboolean
parse_limit(const char *option, const char *text, guint64 *ret)
{
    if (g_str_has_suffix(option, "-bytes-sec") || g_str_has_suffix(option, "-bytes-sec-max")) {
        if (size_parse_bytes(text, 1, ret))
            return TRUE;
        output_error(_("Scaled numeric value '%s' for <%s> option is malformed or out of range"),
                     text, option);
        return FALSE;
    }
    if (g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, ret, NULL))
        return TRUE;
    output_error(_("Numeric value '%s' for <%s> option is malformed or out of range"), text,
                 option);
    return FALSE;
}

static gboolean
take_limit(const Args *args, const Option *option, GVariantDict *wanted, GError **error)
{
    const char *text = args_string(args, option->name);
    g_autofree char *name = g_strdelimit(g_strdup(option->name), "-", '_');
    guint64 value = 0;

    if (option->kind == OPTION_STRING)
        g_variant_dict_insert(wanted, name, "s", text);
    else if (parse_limit(option->name, text, &value))
        g_variant_dict_insert(wanted, name, "t", value);
    else
        return cli_fail(error, "%s", _("Unable to parse integer parameter"));
    return TRUE;
}

/* What was given, as a{sv}; NULL with an error. */
static GVariant *
limits_from_args(const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);

    for (const Option *option = blkdeviotune_options; option->name; option++) {
        if ((option->kind == OPTION_SIZE || option->kind == OPTION_STRING) &&
            args_has(args, option->name) && !take_limit(args, option, &wanted, error))
            return NULL;
    }
    return g_variant_ref_sink(g_variant_dict_end(&wanted));
}

static gboolean
show_limits(Domain *domain, const char *disk, guint flags, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "GetBlockIOTune", g_variant_new("(su)", disk, flags), "(a{sv})", error);
    g_autoptr(GVariant) params = reply ? g_variant_get_child_value(reply, 0) : NULL;

    if (params)
        params_print(params, params_text);
    else
        output_error("%s", _("Unable to get block I/O throttle parameters"));
    return params != NULL;
}

static gboolean
run_blkdeviotune(Session *session, const Args *args, GError **error)
{
    const char *disk = args_string(args, "device");
    g_autoptr(GVariant) wanted = NULL;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error) ||
        !(wanted = limits_from_args(args, error)))
        return FALSE;
    if (g_variant_n_children(wanted) == 0)
        return show_limits(domain, disk, flags, error);
    if (domain_do(domain, "SetBlockIOTune", g_variant_new("(s@a{sv}u)", disk, wanted, flags),
                  error))
        return TRUE;
    output_error("%s", _("Unable to change block I/O throttle"));
    return FALSE;
}

static const OptionAlias blkdeviotune_aliases[] = {
    { "total_bytes_sec", "total-bytes-sec" },
    { "read_bytes_sec", "read-bytes-sec" },
    { "write_bytes_sec", "write-bytes-sec" },
    { "total_iops_sec", "total-iops-sec" },
    { "read_iops_sec", "read-iops-sec" },
    { "write_iops_sec", "write-iops-sec" },
    { "total_bytes_sec_max", "total-bytes-sec-max" },
    { "read_bytes_sec_max", "read-bytes-sec-max" },
    { "write_bytes_sec_max", "write-bytes-sec-max" },
    { "total_iops_sec_max", "total-iops-sec-max" },
    { "read_iops_sec_max", "read-iops-sec-max" },
    { "write_iops_sec_max", "write-iops-sec-max" },
    { "size_iops_sec", "size-iops-sec" },
    { "group_name", "group-name" },
    { "total_bytes_sec_max_length", "total-bytes-sec-max-length" },
    { "read_bytes_sec_max_length", "read-bytes-sec-max-length" },
    { "write_bytes_sec_max_length", "write-bytes-sec-max-length" },
    { "total_iops_sec_max_length", "total-iops-sec-max-length" },
    { "read_iops_sec_max_length", "read-iops-sec-max-length" },
    { "write_iops_sec_max_length", "write-iops-sec-max-length" },
    { NULL },
};

const Command command_blkdeviotune = {
    "blkdeviotune",
    N_("print or change how fast a disk may be"),
    N_("Limits of both directions together and of one of them exclude each other. What is said of "
       "a\n"
       "    rate, a burst or a length goes for all of its kind: the others that are not said are "
       "0."),
    blkdeviotune_options,
    run_blkdeviotune,
    COMMAND_JSON,
    .aliases = blkdeviotune_aliases,
};
