/* The commands about how much of the host a domain may have: schedinfo, memtune, blkiotune, numatune. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/params.h"
#include "cli/size.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <stdlib.h>
#include <string.h>

static char *
limit_text(const char *key, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT64) &&
        g_variant_get_uint64(value) == VIR_DOMAIN_MEMORY_PARAM_UNLIMITED)
        return g_strdup(_("unlimited"));
    return params_text(key, value);
}

/* NUMA's mode is a number on the bus. */
static const char *const numa_modes[] = {
    [VIR_DOMAIN_NUMATUNE_MEM_STRICT] = "strict",
    [VIR_DOMAIN_NUMATUNE_MEM_PREFERRED] = "preferred",
    [VIR_DOMAIN_NUMATUNE_MEM_INTERLEAVE] = "interleave",
    [VIR_DOMAIN_NUMATUNE_MEM_RESTRICTIVE] = "restrictive",
};

static char *
numa_text(const char *key, GVariant *value)
{
    int mode = -1;

    if (strcmp(key, VIR_DOMAIN_NUMA_MODE) == 0 && g_variant_is_of_type(value, G_VARIANT_TYPE_INT32))
        mode = g_variant_get_int32(value);
    return mode >= 0 && mode < (int)G_N_ELEMENTS(numa_modes) ? g_strdup(numa_modes[mode])
                                                             : params_text(key, value);
}

static GVariant *
get_params(Domain *domain, const char *method, guint flags, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, method, g_variant_new("(u)", flags), "(a{sv})", error);

    return reply ? g_variant_get_child_value(reply, 0) : NULL;
}

static gboolean
show(Domain *domain, const char *method, guint flags, const char *complaint,
     char *(*text)(const char *key, GVariant *value), GError **error)
{
    g_autoptr(GVariant) params = get_params(domain, method, flags, error);

    if (params)
        params_print(params, text);
    else
        output_error("%s", complaint);
    return params != NULL;
}

static gboolean
set_params(Domain *domain, const char *method, GVariant *params, guint flags, const char *complaint,
           GError **error)
{
    if (domain_do(domain, method, g_variant_new("(@a{sv}u)", params, flags), error))
        return TRUE;
    output_error("%s", complaint);
    return FALSE;
}

/* memtune */

static const struct {
    const char *option, *param;
} limits[] = {
    { "hard-limit", VIR_DOMAIN_MEMORY_HARD_LIMIT },
    { "soft-limit", VIR_DOMAIN_MEMORY_SOFT_LIMIT },
    { "swap-hard-limit", VIR_DOMAIN_MEMORY_SWAP_HARD_LIMIT },
    { "min-guarantee", VIR_DOMAIN_MEMORY_MIN_GUARANTEE },
};

/* A negative number is no limit. */
static gboolean
parse_limit(const char *option, const char *text, guint64 *ret_kib, GError **error)
{
    if (g_ascii_strtoll(text, NULL, 10) < 0)
        *ret_kib = VIR_DOMAIN_MEMORY_PARAM_UNLIMITED;
    else if (!size_parse_kib(text, ret_kib))
        return cli_fail(error, _("Unable to parse integer parameter %s"), option);
    return TRUE;
}

static gboolean
run_memtune(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    gboolean any = FALSE;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(limits); i++) {
        guint64 kib;

        if (!args_has(args, limits[i].option))
            continue;
        if (!parse_limit(limits[i].option, args_string(args, limits[i].option), &kib, error))
            return FALSE;
        g_variant_dict_insert(&wanted, limits[i].param, "t", kib);
        any = TRUE;
    }
    if (!any)
        return show(domain, "GetMemoryParameters", flags, _("Unable to get memory parameters"),
                    limit_text, error);
    return set_params(domain, "SetMemoryParameters", g_variant_dict_end(&wanted), flags,
                      _("Unable to change memory parameters"), error);
}

static const Option memtune_options[] = {
    OPTION_DOMAIN_ANY,
    { "hard-limit", OPTION_SIZE, OPTION_CHANGES, N_("how much memory it may use, in KiB or with a unit") },
    { "soft-limit", OPTION_SIZE, OPTION_CHANGES, N_("how much of it is its own when memory is short") },
    { "swap-hard-limit", OPTION_SIZE, OPTION_CHANGES, N_("how much memory and swap together it may use") },
    { "min-guarantee", OPTION_SIZE, OPTION_CHANGES, N_("what it has in any case; no host of vmctl's knows it") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_memtune = {
    "memtune",
    N_("print or change the limits of a domain's memory on the host"),
    N_("A negative number is no limit. The limits are those of the guest's process, which needs a\n"
       "    little more than the guest's memory: see setmem for that."),
    memtune_options,
    run_memtune,
    COMMAND_JSON,
};

/* blkiotune */

static const struct {
    const char *option, *param;
} disk_limits[] = {
    { "device-weights", VIR_DOMAIN_BLKIO_DEVICE_WEIGHT },
    { "device-read-iops-sec", VIR_DOMAIN_BLKIO_DEVICE_READ_IOPS },
    { "device-write-iops-sec", VIR_DOMAIN_BLKIO_DEVICE_WRITE_IOPS },
    { "device-read-bytes-sec", VIR_DOMAIN_BLKIO_DEVICE_READ_BPS },
    { "device-write-bytes-sec", VIR_DOMAIN_BLKIO_DEVICE_WRITE_BPS },
};

static gboolean
run_blkiotune(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    gboolean any = args_has(args, "weight");
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (any && args_int(args, "weight", 0) <= 0)
        return cli_fail(error, _("Invalid value of %d for I/O weight"),
                        args_int(args, "weight", 0));
    if (any)
        g_variant_dict_insert(&wanted, VIR_DOMAIN_BLKIO_WEIGHT, "u",
                              (guint)args_int(args, "weight", 0));
    for (gsize i = 0; i < G_N_ELEMENTS(disk_limits); i++) {
        if (!args_has(args, disk_limits[i].option))
            continue;
        g_variant_dict_insert(&wanted, disk_limits[i].param, "s",
                              args_string(args, disk_limits[i].option));
        any = TRUE;
    }
    if (!any)
        return show(domain, "GetBlockIOParameters", flags, _("Unable to get blkio parameters"),
                    params_text, error);
    return set_params(domain, "SetBlockIOParameters", g_variant_dict_end(&wanted), flags,
                      _("Unable to change blkio parameters"), error);
}

static const Option blkiotune_options[] = {
    OPTION_DOMAIN_ANY,
    { "weight", OPTION_INT, OPTION_CHANGES, N_("its share of the host's disks") },
    { "device-weights", OPTION_STRING, OPTION_CHANGES, N_("its share of single disks: PATH,WEIGHT,...") },
    { "device-read-iops-sec", OPTION_STRING, OPTION_CHANGES, N_("reads a second: PATH,NUMBER,...") },
    { "device-write-iops-sec", OPTION_STRING, OPTION_CHANGES, N_("writes a second: PATH,NUMBER,...") },
    { "device-read-bytes-sec", OPTION_STRING, OPTION_CHANGES, N_("bytes read a second: PATH,NUMBER,...") },
    { "device-write-bytes-sec", OPTION_STRING, OPTION_CHANGES, N_("bytes written a second: PATH,NUMBER,...") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_blkiotune = {
    "blkiotune",
    N_("print or change how much a domain may use the host's disks"),
    N_("The paths are those of the host's block devices."),
    blkiotune_options,
    run_blkiotune,
    COMMAND_JSON,
};

/* numatune */

/* As virsh, a number too: the daemon may know modes that we do not. */
static gboolean
parse_mode(const char *text, int *ret, GError **error)
{
    char *end;
    long number = strtol(text, &end, 0);

    for (gsize i = 0; i < G_N_ELEMENTS(numa_modes); i++) {
        if (strcmp(numa_modes[i], text) == 0) {
            *ret = i;
            return TRUE;
        }
    }
    if (end == text || *end || number < G_MININT || number > G_MAXINT)
        return cli_fail(error, _("Invalid mode: %s"), text);
    *ret = number;
    return TRUE;
}

static gboolean
run_numatune(Session *session, const Args *args, GError **error)
{
    g_auto(GVariantDict) wanted = G_VARIANT_DICT_INIT(NULL);
    guint flags;
    int mode = 0;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    if (!args_has(args, "mode") && !args_has(args, "nodeset"))
        return show(domain, "GetNumaParameters", flags, _("Unable to get numa parameters"),
                    numa_text, error);
    if (args_has(args, "nodeset"))
        g_variant_dict_insert(&wanted, VIR_DOMAIN_NUMA_NODESET, "s", args_string(args, "nodeset"));
    if (args_has(args, "mode")) {
        if (!parse_mode(args_string(args, "mode"), &mode, error))
            return FALSE;
        g_variant_dict_insert(&wanted, VIR_DOMAIN_NUMA_MODE, "i", mode);
    }
    return set_params(domain, "SetNumaParameters", g_variant_dict_end(&wanted), flags,
                      _("Unable to change numa parameters"), error);
}

static const Option numatune_options[] = {
    OPTION_DOMAIN_ANY,
    { "mode", OPTION_STRING, OPTION_CHANGES, N_("strict, preferred, interleave or restrictive") },
    { "nodeset", OPTION_STRING, OPTION_EMPTY_OK | OPTION_CHANGES, N_("the host's nodes that its memory is on") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_numatune = {
    "numatune",   N_("print or change on which of the host's nodes a domain's memory is"),
    NULL,         numatune_options,
    run_numatune, COMMAND_JSON,
};

/* schedinfo */

static const struct {
    const char *type, *words;
} number_types[] = {
    { "i", "int" },
    { "u", "unsigned int" },
    { "x", "long long" },
    { "t", "unsigned long long" },
};

/* @text as a value of the type that the parameter has now; NULL with libvirt's words. */
static GVariant *
parse_value(const char *name, const char *text, GVariant *now, GError **error)
{
    const char *type = g_variant_get_type_string(now), *words = "value";
    gint64 number;
    guint64 large;

    for (gsize i = 0; i < G_N_ELEMENTS(number_types); i++) {
        if (strcmp(number_types[i].type, type) == 0)
            words = number_types[i].words;
    }
    if (*type == 't' && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &large, NULL))
        return g_variant_new_uint64(large);
    if (*type == 'x' && g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
        return g_variant_new_int64(number);
    if (*type == 'u' && g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT, &large, NULL))
        return g_variant_new_uint32(large);
    if (*type == 'i' && g_ascii_string_to_signed(text, 10, G_MININT, G_MAXINT, &number, NULL))
        return g_variant_new_int32(number);
    cli_fail(error, _("invalid argument: Invalid value for field '%s': expected %s"), name, words);
    return NULL;
}

/* Takes one "name=value". */
static gboolean
take_setting(GVariantDict *now, GVariantDict *wanted, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *name = NULL;
    g_autoptr(GVariant) old = NULL;
    GVariant *value;

    if (!equals)
        return cli_fail(error, "%s", _("Invalid syntax for --set, expecting name=value"));
    name = g_strndup(text, equals - text);
    old = g_variant_dict_lookup_value(now, name, G_VARIANT_TYPE_VARIANT);
    if (old)
        old = variant_unwrap(old);
    else
        old = g_variant_dict_lookup_value(now, name, NULL);
    if (!old)
        return cli_fail(error, _("invalid scheduler option: %s"), name);
    value = parse_value(name, equals + 1, old, error);
    if (value)
        g_variant_dict_insert_value(wanted, name, value);
    return value != NULL;
}

/* --weight and --cap are names of their own for schedulers that have such parameters. */
static gboolean
take_settings(GVariant *params, const Args *args, GVariantDict *wanted, GError **error)
{
    static const char *const named[] = { "weight", "cap" };
    g_autoptr(GVariantDict) now = g_variant_dict_new(params);

    for (gsize i = 0; i < G_N_ELEMENTS(named); i++) {
        if (args_has(args, named[i]) && g_variant_dict_contains(now, named[i])) {
            g_autofree char *text = g_strdup_printf("%s=%d", named[i], args_int(args, named[i], 0));

            if (!take_setting(now, wanted, text, error))
                return FALSE;
        }
    }
    for (const char *const *text = args_list(args, "set"); *text; text++) {
        if (!take_setting(now, wanted, *text, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
print_scheduler(Domain *domain, GError **error)
{
    g_autoptr(GVariant) type = connection_get(domain->connection, domain->path, DOMAIN_INTERFACE,
                                              "SchedulerType", "(si)", error);
    const char *name;

    if (!type)
        return FALSE;
    if (output_is_json()) /* there it is the parameters' object alone */
        return TRUE;
    g_variant_get(type, "(&si)", &name, NULL);
    output("%-*s: %s\n", text_in(15, _("Scheduler")), strcmp(name, "posix") == 0 ? "posix" : name);
    return TRUE;
}

static gboolean
run_schedinfo(Session *session, const Args *args, GError **error)
{
    GVariantDict wanted = G_VARIANT_DICT_INIT(NULL);
    g_autoptr(GVariant) params = NULL;
    g_autoptr(GVariant) settings = NULL;
    gboolean taken;
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, 0, &flags, error) ||
        !print_scheduler(domain, error))
        return FALSE;
    params = get_params(domain, "GetSchedulerParameters",
                        flags & VIR_DOMAIN_AFFECT_CONFIG ? VIR_DOMAIN_AFFECT_CONFIG : flags, error);
    if (!params)
        return FALSE;
    taken = take_settings(params, args, &wanted, error);
    settings = g_variant_ref_sink(g_variant_dict_end(&wanted));
    if (!taken)
        return FALSE;
    if (g_variant_n_children(settings)) {
        if (!domain_do(domain, "SetSchedulerParameters",
                       g_variant_new("(@a{sv}u)", settings, flags), error))
            return FALSE;
        g_clear_pointer(&params, g_variant_unref);
        params =
            get_params(domain, "GetSchedulerParameters",
                       flags & VIR_DOMAIN_AFFECT_CONFIG ? VIR_DOMAIN_AFFECT_CONFIG : flags, error);
    }
    if (params)
        params_print(params, params_text);
    return params != NULL;
}

static const Option schedinfo_options[] = {
    OPTION_DOMAIN_ANY,
    { "weight", OPTION_INT, OPTION_NAMED_ONLY | OPTION_CHANGES, N_("its weight, for schedulers that have one") },
    { "cap", OPTION_INT, OPTION_NAMED_ONLY | OPTION_CHANGES, N_("its cap, for schedulers that have one") },
    { "current", OPTION_BOOL, 0, N_("in the guest where it runs, else in the definition") },
    { "config", OPTION_BOOL, 0, N_("in the definition of its next start") },
    { "live", OPTION_BOOL, 0, N_("in the guest that runs") },
    { "set", OPTION_ARGV, OPTION_CHANGES, N_("NAME=VALUE") },
    { NULL },
};

const Command command_schedinfo = {
    "schedinfo",
    N_("print or change a domain's shares of the host's CPUs"),
    N_("Periods and quotas are in microseconds: in each period, every virtual CPU (vcpu_), the\n"
       "    emulator, or all together (global_) get so much time; a quota of -1 is no limit."),
    schedinfo_options,
    run_schedinfo,
    COMMAND_JSON,
};
