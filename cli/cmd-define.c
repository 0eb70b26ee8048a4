/* The commands about definitions: define, undefine, dumpxml, autostart. */
#include "cli/commands.h"

#include "cli/domain.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/xpath.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

static gboolean
run_define(Session *session, const Args *args, GError **error)
{
    const char *file = args_string(args, "file");
    g_autoptr(Domain) domain = NULL;
    g_autofree char *xml = NULL;

    xml = file_read_text(file, error);
    if (!xml)
        return FALSE;
    domain = domain_define(session, xml,
                           args_has(args, "validate") ? VIR_DOMAIN_DEFINE_VALIDATE : 0, error);
    if (!domain) {
        output_error(_("Failed to define domain from %s"), file);
        return FALSE;
    }
    output_extra(_("Domain '%s' defined from %s\n"), domain->name, file);
    return TRUE;
}

static const Option define_options[] = {
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the domain's XML document") },
    { "validate", OPTION_BOOL, 0, N_("check the document against the schema first") },
    { NULL },
};

const Command command_define = {
    "define",
    N_("define a domain from an XML file, without starting it"),
    N_("A domain of the same name and UUID gets the new definition; where it runs, from its next\n"
       "    start on."),
    define_options,
    run_define,
    COMMAND_CHANGES,
};

static const ArgsFlag undefine_flags[] = {
    { "managed-save", VIR_DOMAIN_UNDEFINE_MANAGED_SAVE },
    { "snapshots-metadata", VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA },
    { "nvram", VIR_DOMAIN_UNDEFINE_NVRAM },
    { "keep-nvram", VIR_DOMAIN_UNDEFINE_KEEP_NVRAM },
    { "checkpoints-metadata", VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA },
    { "tpm", VIR_DOMAIN_UNDEFINE_TPM },
    { "keep-tpm", VIR_DOMAIN_UNDEFINE_KEEP_TPM },
    { NULL, 0 },
};

/* Nothing is undefined where something else that was asked for cannot be done. */
static gboolean
check_undefine(const Args *args, GError **error)
{
    gboolean some_storage = args_has(args, "storage") || args_has(args, "remove-all-storage");

    if (!args_exclusive(args, "nvram", "keep-nvram", error) ||
        !args_exclusive(args, "tpm", "keep-tpm", error))
        return FALSE;
    if (args_has(args, "wipe-storage") && !some_storage)
        return cli_fail(
            error, "%s",
            _("'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'"));
    if (args_has(args, "delete-storage-volume-snapshots") && !args_has(args, "remove-all-storage"))
        return cli_fail(error, _("Option --%s is required by option --%s"), "remove-all-storage",
                        "delete-storage-volume-snapshots");
    if (some_storage)
        return cli_fail(error, "%s",
                        _("vmctl does not remove storage volumes: nothing was undefined"));
    return TRUE;
}

/* Said here, because virsh does. */
static gboolean
check_managed_save(Domain *domain, const Args *args, GError **error)
{
    gboolean has = FALSE;
    g_autoptr(GVariant) reply = NULL;

    if (args_has(args, "managed-save"))
        return TRUE;
    reply = domain_call(domain, "HasManagedSaveImage", g_variant_new("(u)", 0), "(b)", error);
    if (!reply) {
        output_error("%s", _("Failed to check for managed save image"));
        return FALSE;
    }
    g_variant_get(reply, "(b)", &has);
    return !has ||
           cli_fail(error, "%s", _("Refusing to undefine while domain managed save image exists"));
}

static gboolean
run_undefine(Session *session, const Args *args, GError **error)
{
    guint flags = args_flags(args, undefine_flags);
    g_autoptr(Domain) domain = NULL;

    if (!check_undefine(args, error))
        return FALSE;
    domain = domain_from_args(session, args, error);
    if (!domain || !check_managed_save(domain, args, error))
        return FALSE;
    if (!domain_do(domain, "Undefine", g_variant_new("(u)", flags), error)) {
        output_error(_("Failed to undefine domain '%s'"), domain->name);
        return FALSE;
    }
    output_extra(_("Domain '%s' has been undefined\n"), domain->name);
    return TRUE;
}

static const Option undefine_options[] = {
    OPTION_DOMAIN_ANY,
    { "managed-save", OPTION_BOOL, 0, N_("remove its managed save as well") },
    { "storage", OPTION_STRING, 0, N_("remove these volumes (not supported)") },
    { "remove-all-storage", OPTION_BOOL, 0, N_("remove all its volumes (not supported)") },
    { "delete-storage-volume-snapshots", OPTION_BOOL, 0,
      N_("remove the volumes' snapshots (not supported)") },
    { "wipe-storage", OPTION_BOOL, 0, N_("overwrite removed volumes (not supported)") },
    { "snapshots-metadata", OPTION_BOOL, 0, N_("forget its snapshots") },
    { "checkpoints-metadata", OPTION_BOOL, 0, N_("forget its checkpoints") },
    { "nvram", OPTION_BOOL, 0, N_("remove its NVRAM file") },
    { "keep-nvram", OPTION_BOOL, 0, N_("keep its NVRAM file") },
    { "tpm", OPTION_BOOL, 0, N_("remove its TPM's state") },
    { "keep-tpm", OPTION_BOOL, 0, N_("keep its TPM's state") },
    { NULL },
};

static const OptionAlias undefine_aliases[] = {
    { "delete-snapshots", "delete-storage-volume-snapshots" },
    { NULL },
};

const Command command_undefine = {
    "undefine",
    N_("remove the definition of a domain"),
    N_("A domain that runs goes on as a transient one."),
    undefine_options,
    run_undefine,
    COMMAND_CHANGES,
    .aliases = undefine_aliases,
};

static const ArgsFlag dumpxml_flags[] = {
    { "inactive", VIR_DOMAIN_XML_INACTIVE },
    { "security-info", VIR_DOMAIN_XML_SECURE },
    { "update-cpu", VIR_DOMAIN_XML_UPDATE_CPU },
    { "migratable", VIR_DOMAIN_XML_MIGRATABLE },
    { NULL, 0 },
};

static gboolean
run_dumpxml(Session *session, const Args *args, GError **error)
{
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    xml = domain_xml(domain, args_flags(args, dumpxml_flags), error);
    return xml && xpath_print(xml, args, error);
}

static const Option dumpxml_options[] = {
    OPTION_DOMAIN_ANY,
    { "inactive", OPTION_BOOL, 0, N_("the definition of its next start") },
    { "security-info", OPTION_BOOL, OPTION_SECRET, N_("with passwords and other secrets") },
    { "update-cpu", OPTION_BOOL, 0, N_("with the CPU as the host provides it") },
    { "migratable", OPTION_BOOL, OPTION_SECRET, N_("in a form that another host can take") },
    OPTIONS_XPATH,
    { NULL },
};

const Command command_dumpxml = {
    "dumpxml", N_("print the XML document of a domain"), NULL, dumpxml_options, run_dumpxml, 0,
};

static gboolean
run_autostart(Session *session, const Args *args, GError **error)
{
    gboolean autostart = !args_has(args, "disable");
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain)
        return FALSE;
    if (!connection_set(domain->connection, domain->path, DOMAIN_INTERFACE, "Autostart",
                        g_variant_new_boolean(autostart), error)) {
        output_error(autostart ? _("Failed to mark domain '%s' as autostarted")
                               : _("Failed to unmark domain '%s' as autostarted"),
                     domain->name);
        return FALSE;
    }
    output_extra(autostart ? _("Domain '%s' marked as autostarted\n")
                           : _("Domain '%s' unmarked as autostarted\n"),
                 domain->name);
    return TRUE;
}

static const Option autostart_options[] = {
    OPTION_DOMAIN_ANY,
    { "disable", OPTION_BOOL, 0, N_("no longer start it with the daemon") },
    { NULL },
};

const Command command_autostart = {
    "autostart",   N_("start a domain whenever the daemon starts"),
    NULL,          autostart_options,
    run_autostart, COMMAND_CHANGES,
};
