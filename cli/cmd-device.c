/* The commands that take a device's document: attach-device, detach-device, update-device. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/file.h"
#include "cli/output.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>

/* One call, and what is said when it worked or did not; the latter has one %s, the file. */
typedef struct Verb {
    const char *method;
    const char *done, *failed; /* N_() */
    guint otherwise;           /* what is affected where nothing is said */
} Verb;

static gboolean
run_verb(Session *session, const Args *args, const Verb *verb, GError **error)
{
    const char *file = args_string(args, "file");
    guint flags;
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, verb->otherwise, &flags, error))
        return FALSE;
    xml = file_read_text(file, error);
    if (!xml)
        return FALSE;
    if (!domain_do(domain, verb->method, g_variant_new("(su)", xml, flags), error)) {
        output_error("%s %s", _(verb->failed), file);
        return FALSE;
    }
    output_extra("%s\n", _(verb->done));
    return TRUE;
}

static const Option options[] = {
    OPTION_DOMAIN_ANY,
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the device's XML document") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { NULL },
};

static gboolean
run_attach_device(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "AttachDevice", N_("Device attached successfully"),
                               N_("Failed to attach device from"), VIR_DOMAIN_AFFECT_LIVE };
    return run_verb(session, args, &verb, error);
}

const Command command_attach_device = {
    "attach-device",
    N_("add a device from an XML file to a domain"),
    N_("Without an option: to the guest that runs."),
    options,
    run_attach_device,
    COMMAND_CHANGES,
};

static gboolean
run_detach_device(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "DetachDevice", N_("Device detached successfully"),
                               N_("Failed to detach device from"), VIR_DOMAIN_AFFECT_LIVE };
    return run_verb(session, args, &verb, error);
}

const Command command_detach_device = {
    "detach-device",
    N_("take a device that an XML file describes from a domain"),
    N_("A guest that runs is asked to let go of it: the event device-removed tells that it has."),
    options,
    run_detach_device,
    COMMAND_CHANGES,
};

static gboolean
run_update_device(Session *session, const Args *args, GError **error)
{
    static const Verb verb = { "UpdateDevice", N_("Device updated successfully"),
                               N_("Failed to update device from"), 0 };
    return run_verb(session, args, &verb, error);
}

static const Option update_options[] = {
    OPTION_DOMAIN_ANY,
    { "file", OPTION_DATA, OPTION_REQUIRED, N_("file with the device's XML document") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "force", OPTION_BOOL, 0, N_("whether the guest minds or not (it cannot)") },
    { NULL },
};

const Command command_update_device = {
    "update-device",
    N_("change a device of a domain to what an XML file says"),
    N_("In a guest that runs: the medium of a CD-ROM, and an interface's link and bridge."),
    update_options,
    run_update_device,
    COMMAND_CHANGES,
};

static gboolean
run_detach_alias(Session *session, const Args *args, GError **error)
{
    const char *alias = args_string(args, "alias");
    guint flags;
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error))
        return FALSE;
    reply = connection_call(domain->connection, domain->path, VMCTL_DOMAIN_INTERFACE,
                            "DetachDeviceAlias", g_variant_new("(su)", alias, flags), "()", error);
    if (!reply) {
        output_error(_("Failed to detach device with alias %s"), alias);
        return FALSE;
    }
    output_extra("%s\n", _("Device detach request sent successfully"));
    return TRUE;
}

static const Option alias_options[] = {
    OPTION_DOMAIN_ANY,
    { "alias", OPTION_DATA, OPTION_REQUIRED, N_("the device's alias, such as virtio-disk1") },
    OPTIONS_AFFECTS,
    { NULL },
};

const Command command_detach_device_alias = {
    "detach-device-alias",
    N_("take a device from a domain by its alias"),
    N_("It does not wait for the guest to let go of the device."),
    alias_options,
    run_detach_alias,
    COMMAND_CHANGES,
};
