/* The commands that turn a running domain into a file, and back: save, restore, managedsave. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/file.h"
#include "cli/job-watch.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static const ArgsFlag save_flags[] = {
    { "bypass-cache", VIR_DOMAIN_SAVE_BYPASS_CACHE },
    { "running", VIR_DOMAIN_SAVE_RUNNING },
    { "paused", VIR_DOMAIN_SAVE_PAUSED },
    { NULL, 0 },
};

/* The document that --xml names, "" without it: the bus' way of saying nothing. NULL with @error. */
static char *
xml_from_args(const Args *args, GError **error)
{
    const char *file = args_string(args, "xml");

    return file ? file_read_text(file, error) : g_strdup("");
}

static gboolean
run_save(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);
    GVariant *parameters;

    if (!domain || !(xml = xml_from_args(args, error)))
        return FALSE;
    parameters = g_variant_new("(ssu)", path, xml, args_flags(args, save_flags));
    if (!job_watch(domain, "Save", parameters, _("Save"), args_has(args, "verbose"), error)) {
        output_error(_("Failed to save domain '%s' to %s"), domain->name, file);
        return FALSE;
    }
    output_extra(_("\nDomain '%s' saved to %s\n"), domain->name, file);
    return TRUE;
}

static const Option save_options[] = {
    OPTION_DOMAIN_ANY,
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("where the daemon writes the image") },
    { "bypass-cache", OPTION_BOOL, 0, N_("leave the image out of the file system's cache") },
    { "xml", OPTION_STRING, 0, N_("file with another document for it") },
    { "running", OPTION_BOOL, 0, N_("it runs when it is restored") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is restored") },
    { "verbose", OPTION_BOOL, 0, N_("show how far it is") },
    { NULL },
};

const Command command_save = {
    "save",
    N_("save a running domain to a file, and end it"),
    N_("Ctrl-C takes it back: the domain then runs on."),
    save_options,
    run_save,
    COMMAND_CHANGES,
};

static gboolean
run_restore(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_autofree char *path = g_canonicalize_filename(file, NULL);
    g_autofree char *xml = xml_from_args(args, error);
    g_autoptr(GVariant) reply = NULL;
    guint flags = args_flags(args, save_flags);

    if (!xml)
        return FALSE;
    if (args_has(args, "reset-nvram"))
        flags |= VIR_DOMAIN_SAVE_RESET_NVRAM;
    reply = connection_call(session->connection, connection_root(session->connection),
                            CONNECT_INTERFACE, "DomainRestore",
                            g_variant_new("(ssu)", path, xml, flags), "()", error);
    if (!reply) {
        output_error(_("Failed to restore domain from %s"), file);
        return FALSE;
    }
    output_extra(_("Domain restored from %s\n"), file);
    return TRUE;
}

static const Option restore_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("the image that was saved") },
    { "bypass-cache", OPTION_BOOL, 0, N_("leave the image out of the file system's cache") },
    { "xml", OPTION_STRING, 0, N_("file with another document for it") },
    { "running", OPTION_BOOL, 0, N_("let it run, whatever it did before") },
    { "paused", OPTION_BOOL, 0, N_("leave it paused") },
    { "reset-nvram", OPTION_BOOL, 0, N_("begin with new NVRAM from its template") },
    { NULL },
};

const Command command_restore = {
    "restore",
    N_("let a domain go on that was saved to a file"),
    N_("The file stays; a second domain made of it would share the disks of the first."),
    restore_options,
    run_restore,
    COMMAND_CHANGES,
};

static gboolean
run_managedsave(Session *session, const Args *args, GError **error)
{
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (!job_watch(domain, "ManagedSave", g_variant_new("(u)", args_flags(args, save_flags)),
                   _("Managedsave"), args_has(args, "verbose"), error)) {
        output_error(_("Failed to save domain '%s' state"), domain->name);
        return FALSE;
    }
    output_extra(_("\nDomain '%s' state saved by libvirt\n"), domain->name);
    return TRUE;
}

static const Option managedsave_options[] = {
    OPTION_DOMAIN_ANY,
    { "bypass-cache", OPTION_BOOL, 0, N_("leave the image out of the file system's cache") },
    { "running", OPTION_BOOL, 0, N_("it runs when it is started") },
    { "paused", OPTION_BOOL, 0, N_("it is paused when it is started") },
    { "verbose", OPTION_BOOL, 0, N_("show how far it is") },
    { NULL },
};

const Command command_managedsave = {
    "managedsave",
    N_("save a running domain where its next start finds it, and end it"),
    N_("Ctrl-C takes it back: the domain then runs on."),
    managedsave_options,
    run_managedsave,
    COMMAND_CHANGES,
};

static gboolean
has_image(Domain *domain, gboolean *ret, GError **error)
{
    g_autoptr(GVariant) reply =
        domain_call(domain, "HasManagedSaveImage", g_variant_new("(u)", 0), "(b)", error);

    if (!reply) {
        output_error("%s", _("Failed to check for domain managed save image"));
        return FALSE;
    }
    g_variant_get(reply, "(b)", ret);
    return TRUE;
}

static gboolean
run_managedsave_remove(Session *session, const Args *args, GError **error)
{
    gboolean has;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !has_image(domain, &has, error))
        return FALSE;
    if (!has) {
        output_extra(_("Domain '%s' has no manage save image; removal skipped"), domain->name);
        return TRUE;
    }
    if (!domain_do(domain, "ManagedSaveRemove", g_variant_new("(u)", 0), error)) {
        output_error(_("Failed to remove managed save image for domain '%s'"), domain->name);
        return FALSE;
    }
    output_extra(_("Removed managedsave image for domain '%s'"), domain->name);
    return TRUE;
}

static const Option only_domain[] = { OPTION_DOMAIN_ANY, { NULL } };

const Command command_managedsave_remove = {
    "managedsave-remove",
    N_("remove the managed save of a domain"),
    N_("Its next start is a boot."),
    only_domain,
    run_managedsave_remove,
    COMMAND_CHANGES,
};
