#include "driver/device-disk.h"

#include "driver/device-address.h"
#include "driver/disk-backing.h"
#include "driver/disk-chain.h"
#include "driver/disk.h"
#include "driver/error.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

/* The rest of libvirt's types, devices, formats and words is the policy table's to refuse. */
static const char *const type_words[] = { "file", "block", NULL };
static const char *const source_names[] = { "file", "dev" };
static const char *const device_words[] = { "disk", "cdrom", NULL };
static const char *const tray_words[] = { "closed", "open", NULL };
/* The first is what all of them are here: a CD-ROM on another bus becomes one on virtio. */
static const char *const bus_words[] = { "virtio", "sata", "ide", "scsi", NULL };

static const struct DriverWord {
    const char *name;
    const char *words[8];
} driver_words[N_WORDS] = {
    [WORD_CACHE] = { "cache",
                     { "default", "none", "writethrough", "writeback", "directsync", "unsafe" } },
    [WORD_ERROR] = { "error_policy", { "stop", "report", "ignore", "enospace" } },
    [WORD_READ_ERROR] = { "rerror_policy", { "stop", "report", "ignore", "enospace" } },
    [WORD_IO] = { "io", { "native", "threads", "io_uring" } },
    [WORD_DISCARD] = { "discard", { "unmap", "ignore" } },
    [WORD_DETECT_ZEROES] = { "detect_zeroes", { "off", "on", "unmap" } },
};

/* Of a name that was checked, or of one that soon is. */
static guint
target_index(const Device *dev)
{
    const char *rest;
    guint index = 0;

    disk_parse_target(((const Disk *)dev)->target, &index, &rest);
    return index;
}

/* Parsing */

static gboolean
parse_kind(Disk *disk, const XmlNode *node, GError **error)
{
    return xml_attr_word(node, "type", XML_OPTIONAL, type_words, &disk->type, error) &&
           xml_attr_word(node, "device", XML_OPTIONAL, device_words, &disk->device, error);
}

/* Of the models, the policy table refuses the one that this machine has not. */
static gboolean
parse_choices(Disk *disk, const XmlNode *node, GError **error)
{
    static const char *const models[] = { "virtio", "virtio-transitional", "virtio-non-transitional", NULL };
    static const char *const snapshots[] = { "no", "internal", "external", "manual", NULL };
    int model = -1, snapshot = -1;

    if (!xml_attr_word(node, "model", XML_OPTIONAL, models, &model, error) ||
        !xml_attr_word(node, "snapshot", XML_OPTIONAL, snapshots, &snapshot, error))
        return FALSE;
    disk->model = model < 0 ? NULL : models[model];
    disk->snapshot = snapshot < 0 ? NULL : snapshots[snapshot];
    return TRUE;
}

static gboolean
parse_bus_of_model(const Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *target = xml_child(node, "target");
    g_autofree char *bus = target ? xml_attr(target, "bus") : NULL;

    if (!disk->model || !bus || strcmp(bus, bus_words[0]) == 0)
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "disk model '%s' not supported for bus '%s'",
                        disk->model, bus);
}

/* The nearest thing that this machine has to a CD-ROM on SATA is one on virtio; that does not go for a
 * disk, which a guest would not find where its drivers look for it. */
static gboolean
parse_bus(const Disk *disk, const XmlNode *target, GError **error)
{
    int bus = 0;

    if (!xml_attr_word(target, "bus", XML_OPTIONAL, bus_words, &bus, error))
        return FALSE;
    if (bus == 0 || disk->device == DISK_CDROM)
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value '%s' of attribute 'bus' of <target> is not supported yet by this "
                        "machine",
                        bus_words[bus]);
}

static gboolean
parse_tray(Disk *disk, const XmlNode *target, GError **error)
{
    if (!xml_attr_word(target, "tray", XML_OPTIONAL, tray_words, &disk->tray, error))
        return FALSE;
    if (disk->tray >= 0 && disk->device != DISK_CDROM)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "tray is only valid for cdrom and floppy");
    return TRUE;
}

static gboolean
parse_target(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *target = xml_child(node, "target");

    disk->target = target ? xml_attr(target, "dev") : NULL;
    if (!disk->target)
        return driver_error(error, VIR_ERR_NO_TARGET, disk->source ? "%s" : NULL, disk->source);
    return parse_bus(disk, target, error) && parse_tray(disk, target, error);
}

static gboolean
parse_source(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *source = xml_child(node, "source");
    int startup = -1;

    if (!source)
        return TRUE;
    disk->source = xml_attr(source, source_names[disk->type]);
    if (disk->source && !*disk->source)
        g_clear_pointer(&disk->source, g_free);
    if (!xml_attr_word(source, "startupPolicy", XML_OPTIONAL, disk_startup_words, &startup, error))
        return FALSE;
    disk->startup = startup < 0 ? NULL : disk_startup_words[startup];
    return TRUE;
}

static gboolean
parse_format(Disk *disk, const XmlNode *driver, GError **error)
{
    g_autofree char *type = xml_attr(driver, "type");

    /* "aio" is a word of long ago for raw. */
    disk->format = !type || strcmp(type, "aio") == 0 ? IMAGE_RAW : image_format_from_word(type);
    return disk->format != IMAGE_OTHER || driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                                       "unknown driver format value '%s'", type);
}

static gboolean
parse_driver_words(Disk *disk, const XmlNode *driver, GError **error)
{
    for (int i = 0; i < N_WORDS; i++) {
        const struct DriverWord *attr = &driver_words[i];
        int word = -1;

        if (!xml_attr_word(driver, attr->name, XML_OPTIONAL, attr->words, &word, error))
            return FALSE;
        if (word >= 0 && strcmp(attr->words[word], "default") != 0)
            disk->words[i] = attr->words[word];
    }
    return TRUE;
}

static gboolean
parse_driver(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *driver = xml_child(node, "driver");
    g_autofree char *name = driver ? xml_attr(driver, "name") : NULL;

    if (!driver)
        return TRUE;
    disk->driver_said = TRUE;
    if (name && strcmp(name, "qemu") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "unsupported driver name '%s' for disk '%s'", name, disk->target);
    return parse_format(disk, driver, error) && parse_driver_words(disk, driver, error) &&
           xml_attr_uint(driver, "iothread", XML_NONZERO, &disk->iothread, error) &&
           xml_attr_uint(driver, "queues", XML_OPTIONAL, &disk->queues, error) &&
           xml_attr_uint(driver, "queue_size", XML_OPTIONAL, &disk->queue_size, error);
}

static gboolean
parse_block_sizes(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *blockio = xml_child(node, "blockio");

    return !blockio || (xml_attr_uint(blockio, "logical_block_size", XML_OPTIONAL,
                                      &disk->logical_size, error) &&
                        xml_attr_uint(blockio, "physical_block_size", XML_OPTIONAL,
                                      &disk->physical_size, error));
}

/* A CD-ROM that is on virtio here instead of another bus gets a place for that. */
static gboolean
parse_address(Disk *disk, const XmlNode *node, GError **error)
{
    const XmlNode *target = xml_child(node, "target"), *address = xml_child(node, "address");
    g_autofree char *bus = xml_attr(target, "bus");
    g_autofree char *type = address ? xml_attr(address, "type") : NULL;

    if (g_strcmp0(type, "drive") != 0)
        return device_parse_address(&disk->dev, node, error);
    if (disk->device == DISK_CDROM && bus && strcmp(bus, bus_words[0]) != 0)
        return TRUE;
    return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "value 'drive' of attribute 'type' of <address> is not supported yet by "
                        "this machine");
}

/* What is only read need not be kept, as libvirt has it. */
static gboolean
be_unchanged(Disk *disk)
{
    if (disk->readonly && !disk->snapshot)
        disk->snapshot = "no";
    return TRUE;
}

/* As libvirt has it. */
static gboolean
be_cdrom(Disk *disk)
{
    disk->readonly |= disk->device == DISK_CDROM;
    return TRUE;
}

static gboolean
disk_parse(Device *dev, const XmlNode *node, guint flags, GError **error)
{
    Disk *disk = (Disk *)dev;

    disk->tray = -1;
    device_parse_alias(dev, node, flags);
    disk->readonly = xml_child(node, "readonly") != NULL;
    disk->shareable = xml_child(node, "shareable") != NULL;
    disk->serial = xml_child_text(node, "serial");
    return parse_kind(disk, node, error) && parse_choices(disk, node, error) &&
           parse_bus_of_model(disk, node, error) && parse_source(disk, node, error) &&
           parse_target(disk, node, error) && parse_driver(disk, node, error) &&
           disk_backing_parse(disk, node, error) && parse_block_sizes(disk, node, error) &&
           disk_limits_parse(&disk->limits, node, error) &&
           device_parse_boot(dev, node, error) && parse_address(disk, node, error) &&
           be_cdrom(disk) && be_unchanged(disk);
}

/* Formatting */

static void
put_number(XmlWriter *out, const char *name, guint value)
{
    if (value)
        xml_put_attr_uint(out, name, value);
}

static void
put_mark(XmlWriter *out, const char *name, gboolean there)
{
    if (!there)
        return;
    xml_open(out, name);
    xml_close(out);
}

static void
format_driver(const Disk *disk, XmlWriter *out)
{
    xml_open(out, "driver");
    xml_put_attr(out, "name", "qemu");
    xml_put_attr(out, "type", image_format_word(disk->format));
    for (int i = 0; i < N_WORDS; i++) {
        if (i == WORD_DETECT_ZEROES)
            put_number(out, "iothread", disk->iothread);
        if (disk->words[i])
            xml_put_attr(out, driver_words[i].name, disk->words[i]);
    }
    put_number(out, "queues", disk->queues);
    put_number(out, "queue_size", disk->queue_size);
    xml_close(out);
}

static void
format_block_sizes(const Disk *disk, XmlWriter *out)
{
    if (!disk->logical_size && !disk->physical_size)
        return;
    xml_open(out, "blockio");
    put_number(out, "logical_block_size", disk->logical_size);
    put_number(out, "physical_block_size", disk->physical_size);
    xml_close(out);
}

static void
format_source(const Disk *disk, XmlWriter *out)
{
    if (!disk->source && !disk->startup)
        return;
    xml_open(out, "source");
    if (disk->source)
        xml_put_attr(out, source_names[disk->type], disk->source);
    if (disk->startup)
        xml_put_attr(out, "startupPolicy", disk->startup);
    xml_close(out);
}

static void
format_target(const Disk *disk, XmlWriter *out)
{
    xml_open(out, "target");
    xml_put_attr(out, "dev", disk->target);
    xml_put_attr(out, "bus", bus_words[0]);
    if (disk->tray >= 0)
        xml_put_attr(out, "tray", tray_words[disk->tray]);
    xml_close(out);
}

static void
disk_format(const Device *dev, XmlWriter *out, guint flags)
{
    const Disk *disk = (const Disk *)dev;

    xml_open(out, dev->kind->element);
    xml_put_attr(out, "type", type_words[disk->type]);
    xml_put_attr(out, "device", device_words[disk->device]);
    if (disk->model)
        xml_put_attr(out, "model", disk->model);
    if (disk->snapshot && !(disk->readonly && strcmp(disk->snapshot, "no") == 0))
        xml_put_attr(out, "snapshot", disk->snapshot);
    if (disk->driver_said || !(flags & DOMAIN_FORMAT_SAID))
        format_driver(disk, out);
    format_source(disk, out);
    disk_backing_format(disk, out, flags);
    format_block_sizes(disk, out);
    format_target(disk, out);
    disk_limits_format(&disk->limits, out);
    put_mark(out, "readonly", disk->readonly);
    put_mark(out, "shareable", disk->shareable);
    xml_put_element(out, "serial", disk->serial);
    device_format_boot(dev, out);
    device_format_alias(dev, out, flags);
    device_format_address(dev, out);
    xml_close(out);
}

static const Disk *
find_target(const GPtrArray *devices, const char *target)
{
    for (guint i = 0; i < devices->len; i++) {
        const Disk *disk = g_ptr_array_index(devices, i);

        if (disk->dev.kind == &device_disk && strcmp(disk->target, target) == 0)
            return disk;
    }
    return NULL;
}

/* The first of a group says what its limits are. */
static gboolean
check_group(const GPtrArray *devices, const Disk *disk, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        const Disk *other = g_ptr_array_index(devices, i);

        if (other->dev.kind == &device_disk && !disk_limits_agree(&disk->limits, &other->limits))
            return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                                "different iotunes for disks %s and %s", disk->target,
                                other->target);
    }
    return TRUE;
}

static gboolean
disk_check_all(const GPtrArray *devices, GError **error)
{
    for (guint i = 0; i < devices->len; i++) {
        const Disk *disk = g_ptr_array_index(devices, i);
        const Disk *first;

        if (disk->dev.kind != &device_disk)
            continue;
        first = find_target(devices, disk->target);
        if (first != disk)
            return driver_error(
                error, VIR_ERR_XML_ERROR, "target '%s' duplicated for disk sources '%s' and '%s'",
                disk->target, first->source ? first->source : "", disk->source ? disk->source : "");
        if (!check_group(devices, disk, error))
            return FALSE;
    }
    return TRUE;
}

static guint
sort_key(const Device *dev)
{
    return dev->kind == &device_disk ? target_index(dev) : G_MAXUINT;
}

/* In the order of their targets, as in libvirt. */
static void
disk_complete(GPtrArray *devices)
{
    device_list_sort_some(devices, sort_key);
}

static void
disk_copy(const Device *from, Device *to)
{
    const Disk *old = (const Disk *)from;
    Disk *copy = (Disk *)to;

    copy->type = old->type;
    copy->device = old->device;
    copy->tray = old->tray;
    copy->model = old->model;
    copy->snapshot = old->snapshot;
    copy->driver_said = old->driver_said;
    copy->format = old->format;
    copy->backing = disk_backing_copy(old->backing);
    copy->backing_ends = old->backing_ends;
    copy->backing_end_detected = old->backing_end_detected;
    copy->source = g_strdup(old->source);
    copy->startup = old->startup;
    copy->target = g_strdup(old->target);
    memcpy(copy->words, old->words, sizeof(copy->words));
    copy->iothread = old->iothread;
    copy->queues = old->queues;
    copy->queue_size = old->queue_size;
    copy->logical_size = old->logical_size;
    copy->physical_size = old->physical_size;
    copy->readonly = old->readonly;
    copy->shareable = old->shareable;
    copy->serial = g_strdup(old->serial);
    disk_limits_copy(&copy->limits, &old->limits);
}

static void
disk_clear(Device *dev)
{
    Disk *disk = (Disk *)dev;

    if (disk->backing)
        g_ptr_array_unref(disk->backing);
    g_free(disk->source);
    g_free(disk->target);
    g_free(disk->serial);
    disk_limits_clear(&disk->limits);
}

const char *
device_disk_snapshot(const Device *dev)
{
    return ((const Disk *)dev)->snapshot;
}

guint
device_disk_iothread(const Device *dev)
{
    return dev->kind == &device_disk ? ((const Disk *)dev)->iothread : 0;
}

static DomainBoot
disk_boots_as(const Device *dev)
{
    return ((const Disk *)dev)->device == DISK_CDROM ? DOMAIN_BOOT_CDROM : DOMAIN_BOOT_HD;
}

static PciRole
disk_pci_role(const Device *dev)
{
    return PCI_ROLE_ENDPOINT;
}

const DeviceKind device_disk = {
    .element = "disk",
    .alias = "virtio-disk",
    .alias_number = target_index,
    .size = sizeof(Disk),
    .parse = disk_parse,
    .format = disk_format,
    .copy = disk_copy,
    .check = disk_check,
    .lower = disk_lower,
    .boots_as = disk_boots_as,
    .firmware_name = "scsi",
    .firmware_unit = "disk@0,0",
    .pci_role = disk_pci_role,
    .clear = disk_clear,
    .complete = disk_complete,
    .check_all = disk_check_all,
    .may_attach = disk_may_attach,
    .find = disk_find,
    .update = disk_update,
};
