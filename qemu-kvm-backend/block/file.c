#include "qemu-kvm-backend/block/file.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAUTIOUS_ALIGN 4096 /* fits every device that there is */
#define PHYSICAL_MAX   65536u
#define FILE_BLOCK_MAX 4096u

static bool
read_mode(BlockFile *file, const char *disk, bool wants_write, VmmError *err)
{
    int flags = fcntl(file->fd, F_GETFL);

    if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
        return vmm_error(err, VMM_ERROR_INVALID, "The image of disk '%s' is not open for reading",
                         disk);
    if (wants_write && (flags & O_ACCMODE) != O_RDWR)
        return vmm_error(err, VMM_ERROR_INVALID, "The image of disk '%s' is not open for writing",
                         disk);
    file->writable = wants_write;
    file->direct = flags & O_DIRECT;
    return true;
}

uint64_t
block_file_size(const BlockFile *file)
{
    struct stat st;
    uint64_t size;

    if (file->is_device)
        return ioctl(file->fd, BLKGETSIZE64, &size) == 0 ? size : 0;
    return fstat(file->fd, &st) == 0 ? st.st_size : 0;
}

static uint32_t
clamp(uint32_t value, uint32_t min, uint32_t max)
{
    return value < min ? min : value > max ? max : value;
}

/* A file system says what it likes to move, which may be the longest transfer that a network or a record of many blocks
 * allows; a guest would lay out its partitions by that. */
static uint32_t
block_size_of(const BlockFile *file, const struct stat *st)
{
    unsigned size = st->st_blksize, max = file->is_device ? PHYSICAL_MAX : FILE_BLOCK_MAX;

    if (file->is_device && ioctl(file->fd, BLKPBSZGET, &size) < 0)
        size = BLOCK_SECTOR;
    if (size & (size - 1))
        size = FILE_BLOCK_MAX;
    return clamp(size, BLOCK_SECTOR, max);
}

static uint32_t
device_alignment(const BlockFile *file)
{
    unsigned size;

    return ioctl(file->fd, BLKSSZGET, &size) == 0 ? size : CAUTIOUS_ALIGN;
}

/* By reading a sector to where no more than a sector fits. Of a hole, which is zeros wherever it is read to, that says
 * nothing. */
static uint32_t
file_alignment(const BlockFile *file)
{
    uint8_t buffer[2 * BLOCK_SECTOR] __attribute__((aligned(CAUTIOUS_ALIGN)));
    off_t data = lseek(file->fd, 0, SEEK_DATA);

    if (data < 0 || pread(file->fd, buffer + BLOCK_SECTOR, BLOCK_SECTOR,
                          data / BLOCK_SECTOR * BLOCK_SECTOR) <= 0)
        return CAUTIOUS_ALIGN;
    return BLOCK_SECTOR;
}

/* What O_DIRECT wants here; kernels before 6.1 and some file systems do not say. */
static void
read_alignment(BlockFile *file)
{
    struct statx stx;

    file->memory_align = file->offset_align = 1;
    if (!file->direct)
        return;
    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
        (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align) {
        file->memory_align = stx.stx_dio_mem_align;
        file->offset_align = clamp(stx.stx_dio_offset_align, BLOCK_SECTOR, CAUTIOUS_ALIGN);
        return;
    }
    file->offset_align = file->is_device ? device_alignment(file) : file_alignment(file);
    file->memory_align = file->offset_align;
}

static bool
read_facts(BlockFile *file, const char *disk, VmmError *err)
{
    struct stat st;

    if (fstat(file->fd, &st) < 0)
        return vmm_error_errno(err, "Cannot inspect the image of disk '%s'", disk);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The image of disk '%s' is neither a regular file nor a block device",
                         disk);
    file->is_device = S_ISBLK(st.st_mode);
    file->size = block_file_size(file);
    file->block_size = block_size_of(file, &st);
    read_alignment(file);
    return true;
}

bool
block_file_inspect(BlockFile *file, const char *disk, bool wants_write, VmmError *err)
{
    return read_mode(file, disk, wants_write, err) && read_facts(file, disk, err);
}
