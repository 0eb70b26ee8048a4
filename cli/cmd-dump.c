/* dump: what is in a running domain's memory, in a file for a debugger. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/job-watch.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

static const ArgsFlag flags[] = {
    { "live", VIR_DUMP_LIVE },
    { "crash", VIR_DUMP_CRASH },
    { "bypass-cache", VIR_DUMP_BYPASS_CACHE },
    { "reset", VIR_DUMP_RESET },
    { "memory-only", VIR_DUMP_MEMORY_ONLY },
    { NULL, 0 },
};

/* The words of --format. */
static const struct {
    const char *word;
    virDomainCoreDumpFormat format;
} formats[] = {
    { "kdump-zlib", VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_ZLIB },
    { "kdump-lzo", VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_LZO },
    { "kdump-snappy", VIR_DOMAIN_CORE_DUMP_FORMAT_KDUMP_SNAPPY },
    { "win-dmp", VIR_DOMAIN_CORE_DUMP_FORMAT_WIN_DMP },
    { "elf", VIR_DOMAIN_CORE_DUMP_FORMAT_RAW },
};

/* FALSE where it is none, which has been said. */
static gboolean
format_from_args(const Args *args, guint *ret)
{
    const char *word = args_string(args, "format");

    *ret = VIR_DOMAIN_CORE_DUMP_FORMAT_RAW;
    if (!word)
        return TRUE;
    if (!args_has(args, "memory-only")) {
        output_error("%s", _("--format only works with --memory-only"));
        return FALSE;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (strcmp(formats[i].word, word) == 0) {
            *ret = formats[i].format;
            return TRUE;
        }
    }
    output_error(_("format '%s' is not supported, expecting 'kdump-zlib', 'kdump-lzo', "
                   "'kdump-snappy', 'win-dmp' or 'elf'"),
                 word);
    return FALSE;
}

static gboolean
run_dump(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    guint format;

    if (!domain || !format_from_args(args, &format))
        return FALSE;
    if (!job_watch(domain, "CoreDump",
                   g_variant_new("(suu)", path, format, args_flags(args, flags)), _("Dump"),
                   args_has(args, "verbose"), error)) {
        output_error(_("Failed to core dump domain '%s' to %s"), domain->name, file);
        return FALSE;
    }
    output_extra(_("\nDomain '%s' dumped to %s\n"), domain->name, file);
    return TRUE;
}

static const Option options[] = {
    OPTION_DOMAIN_ANY,
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("where the daemon writes it") },
    { "live", OPTION_BOOL, 0, N_("the domain runs on meanwhile") },
    { "crash", OPTION_BOOL, 0, N_("end the domain then, as crashed") },
    { "bypass-cache", OPTION_BOOL, 0, N_("leave the file out of the file system's cache") },
    { "reset", OPTION_BOOL, 0, N_("reset the domain then") },
    { "verbose", OPTION_BOOL, 0, N_("show how far it is") },
    { "memory-only", OPTION_BOOL, 0,
      N_("the guest's memory alone, in a format that debuggers know") },
    { "format", OPTION_STRING, 0,
      N_("with --memory-only: elf, kdump-zlib, kdump-lzo, kdump-snappy or win-dmp") },
    { NULL },
};

const Command command_dump = {
    "dump",
    N_("write the memory of a running domain to a file"),
    N_("Only the test driver can do it yet."),
    options,
    run_dump,
    COMMAND_CHANGES,
};
