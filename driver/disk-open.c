#include "driver/disk.h"

#include "driver/device-address.h"
#include "driver/disk-chain.h"
#include "driver/error.h"
#include "driver/image-lock.h"
#include "driver/image-wait.h"
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
    fcntl(fd, F_SETFL, access); /* for the header; O_DIRECT is set again behind that */
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
    return disk->source && disk->tray != DISK_TRAY_OPEN;
}

/* As in libvirt, space is given back only where the guest might do that too. */
static const char *
detect_zeroes(const Disk *disk)
{
    const char *word = disk->words[WORD_DETECT_ZEROES];
    gboolean unmaps = g_strcmp0(disk->words[WORD_DISCARD], "unmap") == 0;

    return g_strcmp0(word, "unmap") == 0 && !unmaps ? "on" : word;
}

/* What the guest finds in the drive: the image, and those behind it. */
typedef struct Medium {
    DiskFile file;    /* its fd is -1: nothing */
    GArray *backing;  /* DiskFile */
    gboolean missing; /* it, or what is behind it, cannot be opened */
} Medium;

/* The descriptors are the message's from here on. */
static void
describe_backing(VmmMsg *msg, const Disk *disk, GArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        const DiskBacking *backing = g_ptr_array_index(disk->backing, i);
        const DiskFile *file = &g_array_index(files, DiskFile, i);
        g_autofree char *fd_key = g_strdup_printf("backing-%u-fd", i + 1);
        g_autofree char *lock_key = g_strdup_printf("backing-%u-lock", i + 1);
        g_autofree char *format_key = g_strdup_printf("backing-%u-format", i + 1);

        vmm_msg_put_fd(msg, fd_key, file->fd);
        vmm_msg_put_fd(msg, lock_key, file->lock);
        vmm_msg_put_string(msg, format_key, image_format_word(backing->format));
    }
    g_array_unref(files);
}

/* Of "io", native means the kernel's asynchronous one, and of those this machine has the newer. */
static void
describe_medium(VmmMsg *msg, const Disk *disk, const Medium *medium)
{
    const char *io = disk->words[WORD_IO];

    vmm_msg_put_fd(msg, "fd", medium->file.fd);
    vmm_msg_put_fd(msg, "lock", medium->file.lock);
    vmm_msg_put_string(msg, "format", image_format_word(disk->format));
    describe_backing(msg, disk, medium->backing);
    if (disk->readonly)
        vmm_msg_put_bool(msg, "read-only", true);
    put_word(msg, "cache", disk->words[WORD_CACHE]);
    put_word(msg, "detect-zeroes", detect_zeroes(disk));
    put_word(msg, "io", g_strcmp0(io, "native") == 0 ? "io_uring" : io);
}

static gboolean
wait_for_backing(const Disk *disk, const GArray *files, ImageWait *images, GError **error)
{
    for (guint i = 0; i < files->len; i++) {
        const DiskBacking *backing = g_ptr_array_index(disk->backing, i);
        int fd = g_array_index(files, DiskFile, i).fd;

        if (!image_wait_add(images, fd, TRUE, FALSE, backing->path, error))
            return FALSE;
    }
    return TRUE;
}

/* Whether others may write to it meanwhile. Not to one whose format has tables, which a reader keeps, too, and which may lead
 * elsewhere by then. */
static gboolean
bears_writers(const Disk *disk)
{
    return disk->shareable && disk->format == IMAGE_RAW;
}

static gboolean
wait_for_medium(const Disk *disk, const Medium *medium, ImageWait *images, GError **error)
{
    return image_wait_add(images, medium->file.fd, disk->readonly, bears_writers(disk), disk->source,
                          error) &&
           wait_for_backing(disk, medium->backing, images, error);
}

static gboolean
open_chain(Disk *disk, Medium *medium, int direct, GError **error)
{
    medium->missing = !disk_chain_open(disk, medium->file.fd, direct, &medium->backing, error);
    return !medium->missing;
}

/* Locks it, and opens and locks what is behind it. */
static gboolean
prepare(Disk *disk, Medium *medium, ImageWait *images, GError **error)
{
    int access = disk->readonly ? O_RDONLY : O_RDWR;
    int direct = is_direct(disk) ? O_DIRECT : 0;
    DiskFile *file = &medium->file;

    file->lock = image_lock_apart(file->fd, disk->readonly, bears_writers(disk), disk->source, error);
    if (file->lock < 0)
        return FALSE;
    if (open_chain(disk, medium, direct, error) &&
        wait_for_medium(disk, medium, images, error)) {
        fcntl(file->fd, F_SETFL, access | direct);
        return TRUE;
    }
    disk_chain_close(medium->backing);
    close(file->lock);
    return FALSE;
}

static gboolean
open_medium(Disk *disk, ImageWait *images, Medium *medium, GError **error)
{
    *medium = (Medium){ { open_source(disk, error), -1 }, NULL };
    medium->missing = medium->file.fd < 0;
    if (medium->missing)
        return FALSE;
    if (prepare(disk, medium, images, error))
        return TRUE;
    close(medium->file.fd);
    medium->file.fd = -1;
    return FALSE;
}

gboolean
disk_put_medium(Disk *disk, ImageWait *images, VmmMsg *msg, GError **error)
{
    Medium medium;

    if (!open_medium(disk, images, &medium, error))
        return FALSE;
    describe_medium(msg, disk, &medium);
    return TRUE;
}

static void
describe_driver(VmmMsg *msg, const Disk *disk, const DomainIoThreads *iothreads)
{
    put_word(msg, "on-write-error", disk->words[WORD_ERROR]);
    put_word(msg, "on-read-error", disk->words[WORD_READ_ERROR]);
    if (g_strcmp0(disk->words[WORD_DISCARD], "unmap") == 0)
        vmm_msg_put_bool(msg, "discard", true);
    put_u64(msg, "iothread", disk->iothread);
    put_u64(msg, "workers", domain_iothreads_workers(iothreads, disk->iothread));
    put_u64(msg, "queues", disk->queues);
    put_u64(msg, "queue-size", disk->queue_size);
}

static void
describe(VmmMsg *msg, const Disk *disk, const DomainIoThreads *iothreads, const Medium *medium)
{
    g_autofree char *serial = g_strndup(disk->serial ? disk->serial : "", SERIAL_BYTES);

    vmm_msg_put_string(msg, "device", "blk");
    device_describe_address(&disk->dev, msg);
    if (medium->file.fd >= 0)
        describe_medium(msg, disk, medium);
    if (disk->device == DISK_CDROM)
        vmm_msg_put_bool(msg, "removable", true);
    describe_driver(msg, disk, iothreads);
    disk_limits_put(&disk->limits, FALSE, msg);
    put_word(msg, "serial", disk->serial ? serial : NULL);
    put_u64(msg, "logical-block-size", disk->logical_size);
    put_u64(msg, "physical-block-size", disk->physical_size);
}

/* libvirt's rules. A guest that goes on from where it was needs every disk that it had, but a drive can be empty. */
static gboolean
may_be_missing(const Disk *disk, const DeviceLowering *to)
{
    gboolean optional = g_strcmp0(disk->startup, "optional") == 0;

    if (!to->missing)
        return FALSE;
    if (disk->device == DISK_CDROM)
        return optional || (!to->boots && g_strcmp0(disk->startup, "requisite") == 0);
    return optional && to->boots;
}

static void
do_without(Disk *disk, const DeviceLowering *to)
{
    DeviceMissing *missing = g_new0(DeviceMissing, 1);

    missing->dev = &disk->dev;
    missing->source = g_steal_pointer(&disk->source);
    missing->dropped = disk->device != DISK_CDROM;
    g_ptr_array_set_size(disk->backing, 0);
    disk->backing_end_detected = FALSE;
    g_ptr_array_add(to->missing, missing);
}

/* What the guest finds in the drive, or that there is nothing; without a source then, @disk is one that is missing. */
static gboolean
find_medium(Disk *disk, const DeviceLowering *to, Medium *medium, GError **error)
{
    g_autoptr(GError) failed = NULL;

    if (!disk_has_medium(disk) || open_medium(disk, to->images, medium, &failed))
        return TRUE;
    if (medium->missing && may_be_missing(disk, to)) {
        do_without(disk, to);
        return TRUE;
    }
    g_propagate_error(error, g_steal_pointer(&failed));
    return FALSE;
}

gboolean
disk_lower(Device *dev, const DeviceLowering *to, GError **error)
{
    Disk *disk = (Disk *)dev;
    Medium medium = { { -1, -1 }, NULL };

    if (!find_medium(disk, to, &medium, error))
        return FALSE;
    if (disk->device == DISK_DISK && !disk->source) /* which is the guest's start without it */
        return TRUE;
    describe(to->add(to->data, VMM_CLASS_VIRTIO_PCI, dev->alias), disk, to->iothreads, &medium);
    return TRUE;
}
