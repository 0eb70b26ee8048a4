#include "driver/disk.h"

#include "driver/disk-backing.h"
#include "driver/error.h"

#include <string.h>

#define QUEUES_MAX 32
#define QUEUE_MIN  4 /* chains */
#define QUEUE_MAX  1024

gboolean
disk_parse_target(const char *name, guint *ret_index, const char **ret_rest)
{
    static const char *const prefixes[] = { "fd", "hd", "vd", "sd", "xvd", "ubd", NULL };
    const char *at = name;
    guint64 index = 0;

    for (int i = 0; prefixes[i] && at == name; i++) {
        if (g_str_has_prefix(name, prefixes[i]))
            at += strlen(prefixes[i]);
    }
    if (at == name || !g_ascii_islower(*at))
        return FALSE;
    for (; g_ascii_islower(*at); at++) {
        index = index * 26 + (*at - 'a' + 1);
        if (index > G_MAXINT)
            return FALSE;
    }
    *ret_index = index - 1;
    *ret_rest = at;
    return TRUE;
}

static gboolean
check_target(const Disk *disk, GError **error)
{
    const char *rest;
    guint index;

    if (!disk_parse_target(disk->target, &index, &rest))
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Unknown disk name '%s' and no address specified", disk->target);
    if (*rest == '0')
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "invalid disk target '%s'",
                            disk->target);
    if (*rest)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "invalid disk target '%s', partitions can't appear in disk targets",
                            disk->target);
    return TRUE;
}

const char *const disk_startup_words[] = { "mandatory", "requisite", "optional", NULL };

static gboolean
check_startup(const Disk *disk, GError **error)
{
    return disk->device == DISK_CDROM || g_strcmp0(disk->startup, "requisite") != 0 ||
           driver_error(error, VIR_ERR_XML_ERROR, "disk startupPolicy 'requisite' is allowed only for cdrom or floppy");
}

/* libvirt's set: what can be in a serial number without being anything else on QEMU's command line. */
static gboolean
check_serial(const Disk *disk, GError **error)
{
    static const char allowed[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_ .+";

    if (disk->serial && disk->serial[strspn(disk->serial, allowed)])
        return driver_error(error, VIR_ERR_INTERNAL_ERROR,
                            "driver serial '%s' contains unsafe characters", disk->serial);
    return TRUE;
}

static gboolean
check_words(const Disk *disk, GError **error)
{
    const char *cache = disk->words[WORD_CACHE];

    if (g_strcmp0(disk->words[WORD_READ_ERROR], "enospace") == 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "Invalid disk read error policy: 'enospace'");
    if (g_strcmp0(disk->words[WORD_IO], "native") == 0 && g_strcmp0(cache, "none") != 0 &&
        g_strcmp0(cache, "directsync") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "io='native' needs either no disk cache or directsync cache mode");
    return TRUE;
}

/* A power of two, or 0 for what was not said. */
static gboolean
check_power(const char *what, guint value, guint min, guint max, GError **error)
{
    if (value == 0 || (value >= min && value <= max && (value & (value - 1)) == 0))
        return TRUE;
    return driver_error(
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "value '%u' of attribute '%s' is not supported by this machine, which takes "
        "powers of two from %u to %u",
        value, what, min, max);
}

static gboolean
check_numbers(const Disk *disk, GError **error)
{
    guint logical = disk->logical_size ? disk->logical_size : 512;

    if (disk->queues > QUEUES_MAX)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "value '%u' of attribute 'queues' of <driver> is not supported by this "
                            "machine, whose disks have up to %d",
                            disk->queues, QUEUES_MAX);
    return check_power("queue_size", disk->queue_size, QUEUE_MIN, QUEUE_MAX, error) &&
           check_power("logical_block_size", disk->logical_size, 512, 4096, error) &&
           check_power("physical_block_size", disk->physical_size, logical, 65536, error);
}

/* libvirt's words for a bus without them: what opens a medium is more than such a thread may do. */
static gboolean
check_iothread(const Disk *disk, GError **error)
{
    return !disk->iothread || disk->device == DISK_DISK ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "IOThreads not available for bus %s target %s", "sata", disk->target);
}

/* Two writers to a qcow2 image would each keep tables of their own. */
static gboolean
check_shareable(const Disk *disk, GError **error)
{
    return !disk->shareable || disk->readonly || disk->format == IMAGE_RAW ||
           driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                        "shared access for disk '%s' requires use of supported storage format",
                        disk->target);
}

gboolean
disk_check(const Device *dev, GError **error)
{
    const Disk *disk = (const Disk *)dev;

    if (disk->device == DISK_DISK && !disk->source)
        return driver_error(error, VIR_ERR_NO_SOURCE, "%s", disk->target);
    return check_target(disk, error) && check_startup(disk, error) && check_serial(disk, error) &&
           check_words(disk, error) && check_numbers(disk, error) && check_iothread(disk, error) &&
           check_shareable(disk, error) && disk_limits_check(&disk->limits, error) && disk_backing_check(disk, error);
}
