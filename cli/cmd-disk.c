/* The commands about disks: attach-disk, detach-disk, change-media, domblklist. */
#include "cli/affects.h"
#include "cli/commands.h"
#include "cli/devices.h"
#include "cli/output.h"
#include "cli/table.h"

#include <glib/gi18n.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>

/* The document whose devices a change with @flags is about, and its disks. */
static GPtrArray *
disks_of(Domain *domain, guint flags, GError **error)
{
    gboolean config = (flags & VIR_DOMAIN_AFFECT_CONFIG) && !(flags & VIR_DOMAIN_AFFECT_LIVE);
    g_autofree char *xml = domain_xml(domain, config ? VIR_DOMAIN_XML_INACTIVE : 0, error);

    return xml ? devices_of(xml, "disk") : NULL;
}

/* Attaching */

static void
add_attribute(GString *xml, const char *name, const char *value)
{
    if (value) {
        g_autofree char *text = g_markup_printf_escaped(" %s='%s'", name, value);

        g_string_append(xml, text);
    }
}

/* "block" for a block device of this host, as virsh has it where nothing is said. */
static const char *
source_type(const Args *args, const char *source)
{
    const char *given = args_string(args, "sourcetype");
    struct stat st;

    if (given)
        return given;
    return stat(source, &st) == 0 && S_ISBLK(st.st_mode) ? "block" : "file";
}

static char *
disk_document(const Args *args)
{
    const char *source = args_string(args, "source"), *mode = args_string(args, "mode");
    const char *type = source_type(args, source);
    GString *xml = g_string_new("<disk");

    add_attribute(xml, "type", type);
    add_attribute(xml, "device", args_string(args, "type"));
    g_string_append(xml, "><driver");
    add_attribute(xml, "name", args_string(args, "driver"));
    add_attribute(xml, "type", args_string(args, "subdriver"));
    add_attribute(xml, "cache", args_string(args, "cache"));
    add_attribute(xml, "io", args_string(args, "io"));
    g_string_append(xml, "/>");
    if (*source) {
        g_string_append(xml, "<source");
        add_attribute(xml, strcmp(type, "block") == 0 ? "dev" : "file", source);
        g_string_append(xml, "/>");
    }
    g_string_append(xml, "<target");
    add_attribute(xml, "dev", args_string(args, "target"));
    add_attribute(xml, "bus", args_string(args, "targetbus"));
    g_string_append(xml, "/>");
    if (args_string(args, "serial")) {
        g_autofree char *serial =
            g_markup_printf_escaped("<serial>%s</serial>", args_string(args, "serial"));

        g_string_append(xml, serial);
    }
    if (g_strcmp0(mode, "readonly") == 0)
        g_string_append(xml, "<readonly/>");
    if (g_strcmp0(mode, "shareable") == 0)
        g_string_append(xml, "<shareable/>");
    g_string_append(xml, "</disk>");
    return g_string_free(xml, FALSE);
}

static gboolean
run_attach_disk(Session *session, const Args *args, GError **error)
{
    g_autofree char *xml = disk_document(args);
    guint flags;
    g_autoptr(Domain) domain = domain_from_args(session, args, error);

    if (!domain || !affects_from_args(domain, args, VIR_DOMAIN_AFFECT_LIVE, &flags, error))
        return FALSE;
    if (args_has(args, "print-xml")) {
        output("%s\n", xml);
        return TRUE;
    }
    if (!domain_do(domain, "AttachDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error("%s", _("Failed to attach disk"));
        return FALSE;
    }
    output_extra("%s\n", _("Disk attached successfully"));
    return TRUE;
}

static const Option attach_options[] = {
    OPTION_DOMAIN_ANY,
    { "source", OPTION_DATA, OPTION_REQUIRED | OPTION_EMPTY_OK, N_("the image, or '' for none") },
    { "target", OPTION_DATA, OPTION_REQUIRED, N_("its name in the domain, such as vdb") },
    { "targetbus", OPTION_STRING, 0, N_("the bus: virtio") },
    { "driver", OPTION_STRING, 0, N_("the driver: qemu") },
    { "subdriver", OPTION_STRING, 0, N_("the image's format, such as raw") },
    { "cache", OPTION_STRING, 0, N_("the caching, such as none") },
    { "io", OPTION_STRING, 0, N_("how it is read and written, such as io_uring") },
    { "type", OPTION_STRING, 0, N_("disk or cdrom") },
    { "mode", OPTION_STRING, 0, N_("readonly or shareable") },
    { "sourcetype", OPTION_STRING, 0, N_("file or block") },
    { "serial", OPTION_STRING, 0, N_("its serial number") },
    OPTION_PERSISTENT,
    OPTIONS_AFFECTS,
    { "print-xml", OPTION_BOOL, 0, N_("print the device's document, and do nothing") },
    { NULL },
};

const Command command_attach_disk = {
    "attach-disk",
    N_("add a disk to a domain"),
    N_("Without an option: to the guest that runs."),
    attach_options,
    run_attach_disk,
    COMMAND_CHANGES,
};

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
        output("%s\n", disk->xml);
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
} MediaAction;

/* What is done where no option says it: with a source it is put in, whatever was there. */
static gboolean
media_action(const Args *args, MediaAction *ret, GError **error)
{
    gboolean eject = args_has(args, "eject"), insert = args_has(args, "insert");

    if (!args_exclusive(args, "eject", "insert", error) ||
        !args_exclusive(args, "eject", "update", error) ||
        !args_exclusive(args, "insert", "update", error) ||
        !args_exclusive(args, "eject", "block", error))
        return FALSE;
    if (!eject && !args_has(args, "source") && (insert || args_has(args, "update")))
        return cli_fail(error, "%s", _("No disk source specified for inserting or updating"));
    *ret = eject || !args_has(args, "source") ? MEDIA_EJECT : insert ? MEDIA_INSERT : MEDIA_UPDATE;
    return TRUE;
}

static gboolean
check_media(const DeviceEntry *disk, MediaAction action, const char *path, GError **error)
{
    if (g_strcmp0(disk->device, "cdrom") != 0 && g_strcmp0(disk->device, "floppy") != 0)
        return cli_fail(error, _("The disk device '%s' is not removable"), path);
    if (action == MEDIA_EJECT && !disk->source)
        return cli_fail(error, _("The disk device '%s' doesn't have media"), path);
    if (action == MEDIA_INSERT && disk->source)
        return cli_fail(error, _("The disk device '%s' already has media"), path);
    return TRUE;
}

static char *
media_document(const DeviceEntry *disk, const char *source, gboolean block)
{
    static const char *const types[] = { "type='file'", "type='block'" };
    g_autofree char *element =
        source ? g_markup_printf_escaped("<source %s='%s'/>", block ? "dev" : "file", source)
               : g_strdup("");
    g_autofree char *changed = device_with(disk->xml, "source", element);
    g_autoptr(GString) xml = g_string_new(changed);

    g_string_replace(xml, types[!block], types[block], 1);
    g_string_replace(xml, " tray='open'", "", 1);
    return g_strdup(xml->str);
}

static gboolean
run_change_media(Session *session, const Args *args, GError **error)
{
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
    disk = disks ? find_disk(disks, path, error) : NULL;
    if (!disk || !check_media(disk, action, path, error))
        return FALSE;
    source = action == MEDIA_EJECT ? NULL : args_string(args, "source");
    xml = media_document(disk, source, args_has(args, "block"));
    if (args_has(args, "print-xml")) {
        output("%s\n", xml);
        return TRUE;
    }
    if (!domain_do(domain, "UpdateDevice", g_variant_new("(su)", xml, flags), error)) {
        output_error(_("Failed to complete action on media of '%s'"), path);
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
                                disk->source ? disk->source : "-", NULL };

        table_add(table, detailed ? cells : cells + 2);
    }
    table_print(table, detailed ? keys : keys + 2, "\n");
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
