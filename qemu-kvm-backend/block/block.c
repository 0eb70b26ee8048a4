#include "qemu-kvm-backend/block/block.h"

#include "qemu-kvm-backend/block/format.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CAUTIOUS_ALIGN 4096 /* fits every device that there is */
#define PHYSICAL_MAX   65536u

struct Block {
    BlockOwner owner;
    BlockFile file;
    BlockImage *image;
    LoopSource *source;
    unsigned under_way;
};

static const BlockFormat *const formats[] = { &format_raw };

static const EngineClass *const engines[] = { &engine_uring_class, &engine_threads_class };

/* libvirt's driver/@cache */
static const struct CacheMode {
    const char *name;
    bool direct;      /* O_DIRECT, which the driver opens the file with */
    bool sync_writes; /* the guest is told that there is no cache */
    bool never_sync;
} cache_modes[] = {
    { "writeback", false, false, false }, /* the default */
    { "none", true, false, false },       { "writethrough", false, true, false },
    { "directsync", true, true, false },  { "unsafe", false, false, true },
};

/* Parameters */

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

static const char *
word(VmmMsg *params, const char *key, const char *otherwise)
{
    const char *value = otherwise;

    vmm_msg_get_string(params, key, &value);
    return value;
}

static const BlockFormat *
read_format(Block *block, VmmMsg *params, VmmError *err)
{
    const char *name = word(params, "format", format_raw.name);

    for (size_t i = 0; i < N_ELEMENTS(formats); i++) {
        if (strcmp(formats[i]->name, name) == 0)
            return formats[i];
    }
    vmm_error(err, VMM_ERROR_UNSUPPORTED,
              "Disk '%s' has an image of format '%s', which is not supported", block->owner.name,
              name);
    return NULL;
}

static bool
read_cache(Block *block, VmmMsg *params, VmmError *err)
{
    const char *name = word(params, "cache", cache_modes[0].name);
    const struct CacheMode *mode = NULL;

    for (size_t i = 0; i < N_ELEMENTS(cache_modes) && !mode; i++) {
        if (strcmp(cache_modes[i].name, name) == 0)
            mode = &cache_modes[i];
    }
    if (!mode)
        return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no cache mode '%s'",
                         block->owner.name, name);
    if (mode->direct != block->file.direct)
        return vmm_error(err, VMM_ERROR_INVALID,
                         "Disk '%s' is opened %s O_DIRECT, which cache mode '%s' does not want",
                         block->owner.name, block->file.direct ? "with" : "without", name);
    block->file.sync_writes = mode->sync_writes;
    block->file.never_sync = mode->never_sync;
    return true;
}

/* NULL without @err: any that works. */
static bool
read_engine(Block *block, VmmMsg *params, const EngineClass **ret, VmmError *err)
{
    const char *name;

    *ret = NULL;
    if (!vmm_msg_get_string(params, "io", &name))
        return true;
    for (size_t i = 0; i < N_ELEMENTS(engines); i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            *ret = engines[i];
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no I/O by '%s'", block->owner.name,
                     name);
}

/* The file */

static bool
read_mode(Block *block, VmmMsg *params, VmmError *err)
{
    int flags = fcntl(block->file.fd, F_GETFL);
    bool read_only = false;

    vmm_msg_get_bool(params, "read-only", &read_only);
    if (flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY)
        return vmm_error(err, VMM_ERROR_INVALID, "The image of disk '%s' is not open for reading",
                         block->owner.name);
    if (!read_only && (flags & O_ACCMODE) != O_RDWR)
        return vmm_error(err, VMM_ERROR_INVALID, "The image of disk '%s' is not open for writing",
                         block->owner.name);
    block->file.writable = !read_only;
    block->file.direct = flags & O_DIRECT;
    return true;
}

static uint64_t
size_of(const BlockFile *file)
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

static uint32_t
block_size_of(const BlockFile *file, const struct stat *st)
{
    unsigned size = st->st_blksize;

    if (file->is_device && ioctl(file->fd, BLKPBSZGET, &size) < 0)
        size = BLOCK_SECTOR;
    if (size & (size - 1))
        size = 4096;
    return clamp(size, BLOCK_SECTOR, PHYSICAL_MAX);
}

/* What O_DIRECT wants here; kernels before 6.1 do not say. */
static void
read_alignment(BlockFile *file)
{
    struct statx stx;

    file->memory_align = file->offset_align = 1;
    if (!file->direct)
        return;
    file->memory_align = file->offset_align = CAUTIOUS_ALIGN;
    if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
        (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align) {
        file->memory_align = stx.stx_dio_mem_align;
        file->offset_align = clamp(stx.stx_dio_offset_align, BLOCK_SECTOR, CAUTIOUS_ALIGN);
    }
}

static bool
inspect_file(Block *block, VmmError *err)
{
    BlockFile *file = &block->file;
    struct stat st;

    if (fstat(file->fd, &st) < 0)
        return vmm_error_errno(err, "Cannot inspect the image of disk '%s'", block->owner.name);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return vmm_error(err, VMM_ERROR_INVALID,
                         "The image of disk '%s' is neither a regular file nor a block device",
                         block->owner.name);
    file->is_device = S_ISBLK(st.st_mode);
    file->size = size_of(file);
    file->block_size = block_size_of(file, &st);
    read_alignment(file);
    return true;
}

static bool
open_engine(Block *block, const EngineClass *class, VmmError *err)
{
    if (!class)
        class = &engine_uring_class;
    block->file.engine = class->open(block->file.fd, err);
    if (block->file.engine || class != &engine_uring_class)
        return block->file.engine != NULL;
    log_line("Disk '%s' goes on with threads: %s", block->owner.name, err->text);
    block->file.engine = engine_threads_class.open(block->file.fd, err);
    return block->file.engine != NULL;
}

/* Requests */

static void
ended(BlockImage *image, BlockRequest *req, int error)
{
    Block *block = (Block *)((char *)image->file - offsetof(Block, file));

    block->under_way--;
    req->done(req, error);
}

void
block_submit(Block *block, BlockRequest *req)
{
    assert(req->op == BLOCK_FLUSH || req->size > 0);
    req->image = block->image;
    block->under_way++;
    block->image->format->submit(block->image, req);
}

void
block_start(Block *block)
{
    block->file.engine->class->start(block->file.engine);
}

void
block_drain(Block *block)
{
    Engine *engine = block->file.engine;

    if (block->under_way == 0)
        return;
    while (block->under_way > 0) {
        engine->class->start(engine);
        engine->class->reap(engine, true);
    }
    block->owner.reaped(block->owner.data);
}

static void
on_wake(void *data, uint32_t events)
{
    Block *block = data;
    Engine *engine = block->file.engine;

    pthread_mutex_lock(block->owner.lock);
    engine->class->reap(engine, false);
    engine->class->start(engine);
    block->owner.reaped(block->owner.data);
    pthread_mutex_unlock(block->owner.lock);
}

void
block_attach(Block *block, Loop *loop)
{
    block->source =
        vmm_must(loop_add_fd(loop, block->file.engine->wake_fd, EPOLLIN, on_wake, block));
}

void
block_detach(Block *block)
{
    loop_source_free(block->source);
    block->source = NULL;
}

/* The whole */

BlockGeometry
block_geometry(const Block *block)
{
    return (BlockGeometry){
        .size = block->image->size,
        .physical_size = block->file.block_size,
        .writable = block->file.writable,
    };
}

void
block_set_writeback(Block *block, bool writeback)
{
    block->file.sync_writes = !writeback;
}

bool
block_writeback(const Block *block)
{
    return !block->file.sync_writes;
}

bool
block_resize(Block *block)
{
    uint64_t size = block->image->size;

    block->file.size = size_of(&block->file);
    block->image->format->resize(block->image);
    return block->image->size != size;
}

static bool
open_image(Block *block, const BlockFormat *format, VmmError *err)
{
    block->image = vmm_must(calloc(1, format->size));
    block->image->format = format;
    block->image->file = &block->file;
    block->image->ended = ended;
    return format->open(block->image, err);
}

static bool
open_block(Block *block, const EngineClass *class, VmmMsg *params, VmmError *err)
{
    const BlockFormat *format;
    const EngineClass *asked;

    if (!vmm_msg_take_fd(params, "fd", &block->file.fd))
        return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no image", block->owner.name);
    format = read_format(block, params, err);
    return format && read_engine(block, params, &asked, err) && read_mode(block, params, err) &&
           read_cache(block, params, err) && inspect_file(block, err) &&
           open_engine(block, class ? class : asked, err) && open_image(block, format, err);
}

Block *
block_open_with(const EngineClass *class, VmmMsg *params, const BlockOwner *owner, VmmError *err)
{
    Block *block = vmm_must(calloc(1, sizeof(*block)));

    block->owner = *owner;
    block->file.fd = -1;
    if (open_block(block, class, params, err))
        return block;
    block_close(block);
    return NULL;
}

Block *
block_open(VmmMsg *params, const BlockOwner *owner, VmmError *err)
{
    return block_open_with(NULL, params, owner, err);
}

void
block_close(Block *block)
{
    if (!block)
        return;
    assert(block->under_way == 0 && !block->source);
    if (block->image)
        block->image->format->close(block->image);
    free(block->image);
    if (block->file.engine)
        block->file.engine->class->close(block->file.engine);
    if (block->file.fd >= 0)
        close(block->file.fd);
    free(block);
}
