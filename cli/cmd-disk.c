/* The commands about disks that are there: detach-disk, change-media, domblklist. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/device-change.h"
#include "cli/devices.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>

/* The document whose devices a change with @flags is about, and its disks. */
static GPtrArray *
disks_of(Domain *domain, guint flags, GError **error)
{
    gboolean config = (flags & VIR_DOMAIN_AFFECT_CONFIG) && !(flags & VIR_DOMAIN_AFFECT_LIVE);
    g_autofree char *xml = domain_xml(domain, config ? VIR_DOMAIN_XML_INACTIVE : 0, error);

    return xml ? devices_of(xml, "disk") : NULL;
}

/* Detaching */

static const DeviceEntry *
find_disk(const GPtrArray *disks, const char *name, GError **error)
{
    const DeviceEntry *disk = devices_find(disks, name);

    if (!disk)
        cli_fail(error, _("No disk found whose source path or target is %s"), name);
    return disk;
}

static gboolean
run_detach_disk(Session *session, const Args *args, GError **error)
{
    const DeviceEntry *disk;
    guint flags;
    g_autoptr(GPtrArray) disks = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error))
        return FALSE;
    disks = disks_of(domain, flags, error);
    disk = disks ? find_disk(disks, args_string(args, "target"), error) : NULL;
    if (!disk)
        return FALSE;
    if (args_has(args, "print-xml")) {
        g_autofree char *text = device_text(disk->xml);

        output("%s", text);
        return TRUE;
    }
    if (!domain_do(domain, "DetachDevice", g_variant_new("(su)", disk->xml, flags), error)) {
        output_error("%s", _("Failed to detach disk"));
        return FALSE;
    }
    output_extra("%s\n", _("Disk detached successfully"));
    return TRUE;
}

static const Option detach_options[] = {
    OPTION_DOMAIN_ANY,
    { "target", OPTION_DATA, OPTION_REQUIRED, N_("the disk's target or source") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { NULL },
};

const Command command_detach_disk = {
    "detach-disk",
    N_("take a disk from a domain"),
    N_("A guest that runs is asked to let go of it: the event device-removed tells that it has."),
    detach_options,
    run_detach_disk,
    COMMAND_CHANGES,
};

/* Media */

typedef enum MediaAction {
    MEDIA_UPDATE,
    MEDIA_INSERT,
    MEDIA_EJECT,
    MEDIA_UNSAID, /* to put something in, but not what */
} MediaAction;

/* Where neither is said, what is there gives way to a source; --update without one takes it out. */
static gboolean
media_action(const Args *args, MediaAction *ret, GError **error)
{
    gboolean eject = args_has(args, "eject"), insert = args_has(args, "insert");
    gboolean source = args_has(args, "source");

    if (!args_exclusive(args, "eject", "insert", error) ||
        !args_exclusive(args, "eject", "update", error) ||
        !args_exclusive(args, "insert", "update", error) ||
        !args_exclusive(args, "eject", "block", error))
        return FALSE;
    if (!source && !eject && !args_has(args, "update"))
        *ret = MEDIA_UNSAID;
    else
        *ret = eject || !source ? MEDIA_EJECT : insert ? MEDIA_INSERT : MEDIA_UPDATE;
    return TRUE;
}

/* The drive that has @path, with what @action needs. */
static const DeviceEntry *
find_drive(const GPtrArray *disks, const char *path, MediaAction action, GError **error)
{
    const DeviceEntry *disk = devices_find(disks, path);

    if (!disk || (g_strcmp0(disk->device, "cdrom") != 0 && g_strcmp0(disk->device, "floppy") != 0))
        cli_fail(error, _("No disk found whose source path or target is %s"), path);
    else if (action == MEDIA_UNSAID)
        cli_fail(error, "%s", _("New disk media source was not specified"));
    else if (action == MEDIA_EJECT && !disk->source)
        cli_fail(error, _("The disk device '%s' doesn't have media"), path);
    else if (action == MEDIA_INSERT && disk->source)
        cli_fail(error, _("The disk device '%s' already has media"), path);
    else
        return disk;
    return NULL;
}

static gboolean
run_change_media(Session *session, const Args *args, GError **error)
{
    static const char *const actions[] = { "update", "insert", "eject" };
    static const char *const done[] = {
        [MEDIA_UPDATE] = N_("Successfully updated media."),
        [MEDIA_INSERT] = N_("Successfully inserted media."),
        [MEDIA_EJECT] = N_("Successfully ejected media."),
    };
    const char *path = args_string(args, "path"), *source;
    const DeviceEntry *disk;
    MediaAction action = MEDIA_UPDATE;
    guint flags;
    g_autoptr(GPtrArray) disks = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !media_action(args, &action, error) ||
        !affects_from_args(domain, args, 0, &flags, error))
        return FALSE;
    disks = disks_of(domain, flags, error);
    disk = disks ? find_drive(disks, path, action, error) : NULL;
    if (!disk)
        return FALSE;
    source = action == MEDIA_EJECT ? NULL : args_string(args, "source");
    xml = device_with_medium(disk->xml, source, args_has(args, "block"));
    if (args_has(args, "print-xml")) {
        output("%s", xml);
        return TRUE;
    }
    if (!domain_do(domain, "UpdateDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error(_("Failed to complete action %s on media"), actions[action]);
        return FALSE;
    }
    output("%s\n", _(done[action]));
    return TRUE;
}

static const Option media_options[] = {
    OPTION_DOMAIN_ANY,
    { "path", OPTION_DATA, OPTION_REQUIRED, N_("the drive's target, or the image in it") },
    { "source", OPTION_STRING, 0, N_("the image to put in") },
    { "eject", OPTION_BOOL, 0, N_("take out what is in it") },
    { "insert", OPTION_BOOL, 0, N_("put the image into an empty drive") },
    { "update", OPTION_BOOL, 0, N_("put the image in for whatever is there") },
    OPTIONS_AFFECTS,
    { "force", OPTION_BOOL, 0, N_("whether the guest minds or not (it cannot)") },
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { "block", OPTION_BOOL, 0, N_("the image is a block device") },
    { NULL },
};

const Command command_change_media = {
    "change-media",
    N_("change the medium of a domain's CD-ROM drive"),
    N_("A guest finds a disk of another size, or of none where the drive is empty."),
    media_options,
    run_change_media,
    COMMAND_CHANGES,
};

/* Listing */

static gboolean
run_domblklist(Session *session, const Args *args, GError **error)
{
    static const char *const titles[] = { N_("Target"), N_("Source"), NULL };
    static const char *const details[] = { N_("Type"), N_("Device"), N_("Target"), N_("Source"),
                                           NULL };
    static const TableKey keys[] = {
        { "type", TABLE_TEXT },
        { "device", TABLE_TEXT },
        { "target", TABLE_TEXT },
        { "source", TABLE_TEXT },
    };
    gboolean detailed = args_has(args, "details");
    guint flags = args_has(args, "inactive") ? VIR_DOMAIN_AFFECT_CONFIG : 0;
    g_autoptr(GPtrArray) disks = NULL;
    g_autoptr(Table) table = table_new(detailed ? details : titles);
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    disks = domain ? disks_of(domain, flags, error) : NULL;
    if (!disks)
        return FALSE;
    for (guint i = 0; i < disks->len; i++) {
        const DeviceEntry *disk = g_ptr_array_index(disks, i);
        const char *cells[] = { disk->type, disk->device ? disk->device : "disk", disk->target,
                                table_cell(disk->source), NULL };

        table_add(table, detailed ? cells : cells + 2);
    }
    table_print(table, detailed ? keys : keys + 2);
    return TRUE;
}

static const Option domblklist_options[] = {
    OPTION_DOMAIN_ANY,
    { "inactive", OPTION_BOOL, 0, N_("of the definition of its next start") },
    { "details", OPTION_BOOL, 0, N_("with types and devices") },
    { NULL },
};

const Command command_domblklist = {
    "domblklist", N_("list the disks of a domain"), NULL, domblklist_options, run_domblklist,
    COMMAND_JSON,
};
