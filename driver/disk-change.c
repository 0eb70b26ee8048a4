#include "driver/disk.h"

#include "driver/device-disk.h"
#include "driver/disk-chain.h"
#include "driver/error.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <string.h>

Device *
disk_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error)
{
    const char *target = ((const Disk *)wanted)->target;

    for (guint i = 0; i < devices->len; i++) {
        Disk *disk = g_ptr_array_index(devices, i);

        if (disk->dev.kind == &device_disk && strcmp(disk->target, target) == 0)
            return &disk->dev;
    }
    driver_error(error, VIR_ERR_DEVICE_MISSING,
                 config ? "no target device %s" : "disk %s not found", target);
    return NULL;
}

/* By the word of <driver>: what libvirt calls it when it must not change. */
static const char *const word_fields[N_WORDS] = {
    [WORD_CACHE] = "cache",      [WORD_ERROR] = "error_policy", [WORD_READ_ERROR] = "rerror_policy",
    [WORD_IO] = "io",            [WORD_DISCARD] = "discard",    [WORD_DETECT_ZEROES] = "detect_zeroes",
};

static const char *
changed_word(const Disk *disk, const Disk *wanted)
{
    for (int i = 0; i < N_WORDS; i++) {
        if (wanted->words[i] && g_strcmp0(wanted->words[i], disk->words[i]) != 0)
            return word_fields[i];
    }
    return NULL;
}

static gboolean
is_elsewhere(const PciAddress *at, const PciAddress *wanted)
{
    return wanted->known && (wanted->domain != at->domain || wanted->bus != at->bus ||
                             wanted->slot != at->slot || wanted->function != at->function);
}

/* Everything but the medium stays as it is; what @wanted leaves open is no change, nor is what is a switch and off. A tray
 * is opened by taking the medium out, not by saying that it is open (libvirt's qemuDomainDiskChangeSupported()). */
static gboolean
check_same(const Disk *disk, const Disk *wanted, GError **error)
{
    const char *field =
        disk->device != wanted->device                                   ? "device"
        : wanted->serial && g_strcmp0(wanted->serial, disk->serial) != 0 ? "serial"
        : wanted->iothread && wanted->iothread != disk->iothread         ? "iothread"
        : wanted->queues && wanted->queues != disk->queues               ? "queues"
        : wanted->queue_size && wanted->queue_size != disk->queue_size   ? "queue_size"
        : wanted->logical_size && wanted->logical_size != disk->logical_size
            ? "blockio logical_block_size"
        : wanted->physical_size && wanted->physical_size != disk->physical_size
            ? "blockio physical_block_size"
        : disk_limits_any(&wanted->limits) &&
                !disk_limits_equal(&wanted->limits, &disk->limits)
            ? "iotune"
        : wanted->dev.boot_order && wanted->dev.boot_order != disk->dev.boot_order ? "boot order"
        : wanted->readonly && !disk->readonly                                      ? "readonly"
        : wanted->shareable && !disk->shareable                                    ? "shared"
        : wanted->dev.alias && g_strcmp0(wanted->dev.alias, disk->dev.alias) != 0  ? "alias"
        : is_elsewhere(&disk->dev.pci, &wanted->dev.pci) ? "address"
        : wanted->tray == DISK_TRAY_OPEN && disk->tray != DISK_TRAY_OPEN ? "tray"
                                                         : changed_word(disk, wanted);

    return !field || driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                                  "cannot modify field '%s' of the disk", field);
}

static gboolean
is_same_source(const Disk *disk, const Disk *wanted)
{
    return disk->type == wanted->type && g_strcmp0(disk->source, wanted->source) == 0;
}

/* What comes in closes the tray. */
static void
take_medium(Disk *disk, const Disk *wanted)
{
    disk->type = wanted->type;
    disk->format = wanted->format;
    g_ptr_array_unref(disk->backing);
    disk->backing = disk_backing_copy(wanted->backing);
    disk->backing_ends = wanted->backing_ends;
    disk->backing_end_detected = FALSE;
    g_free(disk->source);
    disk->source = g_strdup(wanted->source);
    disk->tray = -1;
}

gboolean
disk_update(Device *dev, const Device *wanted_dev, const DeviceLowering *to, VmmMsg *tell,
            GError **error)
{
    Disk *disk = (Disk *)dev;
    const Disk *wanted = (const Disk *)wanted_dev;

    if (!check_same(disk, wanted, error))
        return FALSE;
    disk->startup = wanted->startup;
    if (is_same_source(disk, wanted))
        return TRUE;
    if (disk->device != DISK_CDROM)
        return driver_error(error, VIR_ERR_OPERATION_UNSUPPORTED,
                            "cannot modify field '%s' of the disk", "source");
    take_medium(disk, wanted);
    vmm_msg_put_bool(tell, "medium", disk_has_medium(disk));
    return !disk_has_medium(disk) || disk_put_medium(disk, to->images, tell, error);
}

/* Of a guest that runs, the check of them all tells which two disks have the same target. */
gboolean
disk_may_attach(const GPtrArray *devices, const Device *dev, gboolean config, GError **error)
{
    const char *target = device_disk_target(dev);

    for (guint i = 0; config && i < devices->len; i++) {
        if (g_strcmp0(device_disk_target(g_ptr_array_index(devices, i)), target) == 0)
            return driver_error(error, VIR_ERR_OPERATION_INVALID, "target %s already exists",
                                target);
    }
    return TRUE;
}

gboolean
device_disk_is_cdrom(const Device *dev)
{
    return dev->kind == &device_disk && ((const Disk *)dev)->device == DISK_CDROM;
}

gboolean
device_disk_has_medium(const Device *dev)
{
    return disk_has_medium((const Disk *)dev);
}

Device *
device_disk_find(const GPtrArray *devices, const char *name)
{
    for (guint i = 0; i < devices->len; i++) {
        Disk *disk = g_ptr_array_index(devices, i);

        if (disk->dev.kind == &device_disk &&
            (strcmp(disk->target, name) == 0 || g_strcmp0(disk->source, name) == 0))
            return &disk->dev;
    }
    return NULL;
}

const char *
device_disk_target(const Device *dev)
{
    return dev->kind == &device_disk ? ((const Disk *)dev)->target : NULL;
}

const char *
device_disk_source(const Device *dev)
{
    return ((const Disk *)dev)->source;
}
