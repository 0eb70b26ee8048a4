/* start and create: a domain from its definition or from a file, if asked with its console. */
#include "cli/commands.h"

#include "cli/console.h"
#include "cli/domain.h"
#include "cli/file.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <unistd.h>

static const ArgsFlag start_flags[] = {
    { "paused", VIR_DOMAIN_START_PAUSED },
    { "autodestroy", VIR_DOMAIN_START_AUTODESTROY },
    { "bypass-cache", VIR_DOMAIN_START_BYPASS_CACHE },
    { "force-boot", VIR_DOMAIN_START_FORCE_BOOT },
    { "validate", VIR_DOMAIN_START_VALIDATE },
    { "reset-nvram", VIR_DOMAIN_START_RESET_NVRAM },
    { NULL, 0 },
};

/* An option of virsh that needs descriptors of the caller's. */
static gboolean
refuse_unsupported(const Args *args, GError **error)
{
    if (args_has(args, "pass-fds"))
        return cli_fail(error, "%s",
                        _("--pass-fds is not supported: a domain gets no descriptors of its user"));
    return TRUE;
}

/* With --console the guest starts paused and goes on when the console is open, so that its first byte is
 * seen; with --paused as well it stays as it is. */
static guint
flags_from_args(const Args *args)
{
    guint flags = 0;

    for (const ArgsFlag *flag = start_flags; flag->name; flag++)
        if (command_option(args_command(args), flag->name) && args_has(args, flag->name))
            flags |= flag->flag;
    return flags | (args_has(args, "console") ? VIR_DOMAIN_START_PAUSED : 0);
}

/* After the start: the console opened before the guest runs, then the words, then the bytes. */
static gboolean
go_on(Session *session, const Args *args, Domain *domain, const char *said, GError **error)
{
    int fd;

    if (!args_has(args, "console")) {
        output_extra("%s", said);
        return TRUE;
    }
    fd = console_open(domain, NULL, 0, error);
    if (!args_has(args, "paused") && !domain_do(domain, "Resume", NULL, fd < 0 ? NULL : error)) {
        if (fd >= 0)
            close(fd);
        output_error(_("Failed to resume domain '%s'"), domain->name);
        return FALSE;
    }
    output_extra("%s", said);
    return fd >= 0 && console_run(session, domain, fd, error);
}

static gboolean
run_start(Session *session, const Args *args, GError **error)
{
    gboolean active;
    g_autofree char *said = NULL;
    g_autoptr(Domain) domain = NULL;

    if (!refuse_unsupported(args, error))
        return FALSE;
    domain = domain_from_args(session, args, error);
    if (!domain || !domain_is_active(domain, &active, error))
        return FALSE;
    if (active)
        return cli_fail(error, "%s", _("Domain is already active"));
    if (!domain_do(domain, "Create", g_variant_new("(u)", flags_from_args(args)), error)) {
        output_error(_("Failed to start domain '%s'"), domain->name);
        return FALSE;
    }
    said = g_strdup_printf(_("Domain '%s' started\n"), domain->name);
    return go_on(session, args, domain, said, error);
}

static const Option start_options[] = {
    OPTION_DOMAIN(N_("name or UUID of a domain that does not run")),
    { "console", OPTION_BOOL, 0, N_("show its console from the first byte on") },
    { "paused", OPTION_BOOL, 0, N_("leave it paused") },
    { "autodestroy", OPTION_BOOL, 0, N_("end it when vmctl leaves") },
    { "bypass-cache", OPTION_BOOL, 0, N_("read a saved state past the file system's cache") },
    { "force-boot", OPTION_BOOL, 0, N_("boot afresh, and drop a managed save") },
    { "pass-fds", OPTION_STRING, 0, N_("descriptors N,M,... for the guest (not supported)") },
    { "reset-nvram", OPTION_BOOL, 0, N_("begin with new NVRAM from its template") },
    { NULL },
};

const Command command_start = {
    "start",         N_("start a domain that was defined before"), NULL, start_options, run_start,
    COMMAND_CHANGES,
};

/* The new domain behind DomainCreateXML's reply. */
static Domain *
create_from(Session *session, const char *xml, guint flags, GError **error)
{
    const char *path;
    g_autoptr(GVariant) reply = connection_call(
        session->connection, connection_root(session->connection), CONNECT_INTERFACE,
        "DomainCreateXML", g_variant_new("(su)", xml, flags), "(o)", error);

    if (!reply)
        return NULL;
    g_variant_get(reply, "(&o)", &path);
    return domain_from_path(session, path, error);
}

static gboolean
run_create(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_autofree char *xml = NULL;
    g_autofree char *said = NULL;
    g_autoptr(Domain) domain = NULL;

    if (!refuse_unsupported(args, error))
        return FALSE;
    xml = file_read_text(file, error);
    if (!xml)
        return FALSE;
    domain = create_from(session, xml, flags_from_args(args), error);
    if (!domain) {
        output_error(_("Failed to create domain from %s"), file);
        return FALSE;
    }
    said = g_strdup_printf(_("Domain '%s' created from %s\n"), domain->name, file);
    return go_on(session, args, domain, said, error);
}

static const Option create_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the domain's XML document") },
    { "console", OPTION_BOOL, 0, N_("show its console from the first byte on") },
    { "paused", OPTION_BOOL, 0, N_("leave it paused") },
    { "autodestroy", OPTION_BOOL, 0, N_("end it when vmctl leaves") },
    { "pass-fds", OPTION_STRING, 0, N_("descriptors N,M,... for the guest (not supported)") },
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first") },
    { "reset-nvram", OPTION_BOOL, 0, N_("begin with new NVRAM from its template") },
    { NULL },
};

const Command command_create = {
    "create",
    N_("start a domain from an XML file, without defining it"),
    N_("The domain is transient: it is gone when it stops."),
    create_options,
    run_create,
    COMMAND_CHANGES,
};
