#include "driver/disk.h"

#include "driver/device-address.h"
#include "driver/error.h"
#include "driver/image-lock.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERIAL_BYTES 20 /* that a guest sees of a serial number (virtio 1.2, section 5.2.6) */

/* The host's page cache is left out where its user wants to be sure that it is. */
static gboolean
is_direct(const Disk *disk)
{
    const char *cache = disk->words[WORD_CACHE];

    return g_strcmp0(cache, "none") == 0 || g_strcmp0(cache, "directsync") == 0;
}

static gboolean
check_opened(const Disk *disk, int fd, GError **error)
{
    gboolean block = disk->type == DISK_BLOCK;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return driver_error_errno(error, errno, "Cannot look at '%s'", disk->source);
    if (block ? !S_ISBLK(st.st_mode) : !S_ISREG(st.st_mode))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED,
                            "'%s', the source of disk '%s', is no %s", disk->source, disk->target,
                            block ? "block device" : "regular file");
    return TRUE;
}

/* Opening may not wait, whatever the path turns out to be; reading and writing later may. */
static int
open_source(const Disk *disk, GError **error)
{
    int access = disk->readonly ? O_RDONLY : O_RDWR;
    int direct = is_direct(disk) ? O_DIRECT : 0;
    int fd = open(disk->source, access | direct | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0) {
        driver_error_errno(error, errno, "Cannot open '%s', the source of disk '%s'", disk->source,
                           disk->target);
        return -1;
    }
    if (!check_opened(disk, fd, error)) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, access | direct);
    return fd;
}

static void
put_word(VmmMsg *msg, const char *key, const char *word)
{
    if (word)
        vmm_msg_put_string(msg, key, word);
}

static void
put_u64(VmmMsg *msg, const char *key, guint value)
{
    if (value)
        vmm_msg_put_u64(msg, key, value);
}

gboolean
disk_has_medium(const Disk *disk)
{
    return disk->source && disk->tray != 1;
}

/* Of "io", native means the kernel's asynchronous one, and of those this machine has the newer. */
static void
describe_medium(VmmMsg *msg, const Disk *disk, int fd)
{
    const char *io = disk->words[WORD_IO];

    vmm_msg_put_fd(msg, "fd", fd);
    vmm_msg_put_string(msg, "format", "raw");
    if (disk->readonly)
        vmm_msg_put_bool(msg, "read-only", true);
    put_word(msg, "cache", disk->words[WORD_CACHE]);
    put_word(msg, "io", g_strcmp0(io, "native") == 0 ? "io_uring" : io);
}

static int
open_locked(const Disk *disk, GError **error)
{
    int fd = open_source(disk, error);

    if (fd >= 0 && !image_lock(fd, disk->readonly, disk->shareable, disk->source, error)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

gboolean
disk_put_medium(const Disk *disk, VmmMsg *msg, GError **error)
{
    int fd = open_locked(disk, error);

    if (fd >= 0)
        describe_medium(msg, disk, fd);
    return fd >= 0;
}

static void
describe_driver(VmmMsg *msg, const Disk *disk)
{
    put_word(msg, "on-write-error", disk->words[WORD_ERROR]);
    put_word(msg, "on-read-error", disk->words[WORD_READ_ERROR]);
    if (g_strcmp0(disk->words[WORD_DISCARD], "unmap") == 0)
        vmm_msg_put_bool(msg, "discard", true);
    put_u64(msg, "queues", disk->queues);
    put_u64(msg, "queue-size", disk->queue_size);
}

/* @fd: the medium's, or -1. */
static void
describe(VmmMsg *msg, const Disk *disk, int fd)
{
    g_autofree char *serial = g_strndup(disk->serial ? disk->serial : "", SERIAL_BYTES);

    vmm_msg_put_string(msg, "device", "blk");
    device_describe_address(&disk->dev, msg);
    if (fd >= 0)
        describe_medium(msg, disk, fd);
    if (disk->device == DISK_CDROM)
        vmm_msg_put_bool(msg, "removable", true);
    describe_driver(msg, disk);
    put_word(msg, "serial", disk->serial ? serial : NULL);
    put_u64(msg, "logical-block-size", disk->logical_size);
    put_u64(msg, "physical-block-size", disk->physical_size);
}

gboolean
disk_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    const Disk *disk = (const Disk *)dev;
    gboolean has_medium = disk_has_medium(disk);
    int fd = has_medium ? open_locked(disk, error) : -1;

    if (has_medium && fd < 0)
        return FALSE;
    describe(to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias), disk, fd);
    return TRUE;
}
