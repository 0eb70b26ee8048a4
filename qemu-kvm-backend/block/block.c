#include "qemu-kvm-backend/block/block.h"

#include "qemu-kvm-backend/block/file.h"
#include "qemu-kvm-backend/block/format.h"
#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum ZeroPolicy {
    ZEROS_WRITE,
    ZEROS_DETECT, /* a write of zeros becomes BLOCK_ZERO */
    ZEROS_UNMAP,  /* and may give the space back */
} ZeroPolicy;

/* The files of a chain of images, the disk's own first; each is the backing of the one before. */
#define CHAIN_MAX ENGINE_FILES_MAX

typedef struct Link {
    BlockFile file;
    int lock; /* -1: none */
    const BlockFormat *format;
    BlockImage *image;
} Link;

struct Block {
    BlockOwner owner;
    Engine *engine;
    unsigned workers; /* that it has where it is one of threads */
    Link links[CHAIN_MAX];
    unsigned n_links;
    BlockImage *image; /* the first link's */
    ZeroPolicy zeros;
    LoopSource *source;
    unsigned under_way;
    bool flushing; /* by block_flush(), which does not keep the lock */
};

static const BlockFormat *const formats[] = { &format_raw, &format_qcow2 };

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
read_format(Block *block, VmmMsg *params, const char *key, VmmError *err)
{
    const char *name = word(params, key, format_raw.name);

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
check_direct(const Block *block, const struct CacheMode *mode, VmmError *err)
{
    for (unsigned i = 0; i < block->n_links; i++) {
        if (mode->direct != block->links[i].file.direct)
            return vmm_error(err, VMM_ERROR_INVALID,
                             "Disk '%s' is opened %s O_DIRECT, which cache mode '%s' does not want",
                             block->owner.name, mode->direct ? "without" : "with", mode->name);
    }
    return true;
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
    if (!check_direct(block, mode, err))
        return false;
    block->links[0].file.sync_writes = mode->sync_writes;
    block->links[0].file.never_sync = mode->never_sync;
    return true;
}

static bool
read_zeros(Block *block, VmmMsg *params, VmmError *err)
{
    static const char *const names[] = {
        [ZEROS_WRITE] = "off",
        [ZEROS_DETECT] = "on",
        [ZEROS_UNMAP] = "unmap",
    };
    const char *name = word(params, "detect-zeroes", names[ZEROS_WRITE]);

    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        if (strcmp(names[i], name) == 0) {
            block->zeros = i;
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no detection of zeros '%s'",
                     block->owner.name, name);
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

static bool
read_workers(Block *block, VmmMsg *params, VmmError *err)
{
    uint64_t n = ENGINE_WORKERS;

    vmm_msg_get_u64(params, "workers", &n);
    block->workers = n;
    return (n >= 1 && n <= ENGINE_WORKERS_MAX) ||
           vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has workers, but not 1 to %d of them",
                     block->owner.name, ENGINE_WORKERS_MAX);
}

/* The files */

/* Where the message has what belongs to one image. */
typedef struct LinkKeys {
    char fd[32], lock[32], format[32];
} LinkKeys;

static const LinkKeys own_keys = { "fd", "lock", "format" };

static LinkKeys
backing_keys(unsigned i)
{
    LinkKeys keys;

    snprintf(keys.fd, sizeof(keys.fd), "backing-%u-fd", i);
    snprintf(keys.lock, sizeof(keys.lock), "backing-%u-lock", i);
    snprintf(keys.format, sizeof(keys.format), "backing-%u-format", i);
    return keys;
}

/* The image that is under @keys, as the next link. */
static bool
read_link(Block *block, VmmMsg *params, const LinkKeys *keys, bool writable, VmmError *err)
{
    Link *link = &block->links[block->n_links];

    if (!vmm_msg_take_fd(params, keys->fd, &link->file.fd))
        return vmm_error(err, VMM_ERROR_INVALID, "Disk '%s' has no image", block->owner.name);
    vmm_msg_take_fd(params, keys->lock, &link->lock);
    link->file.index = block->n_links++;
    link->format = read_format(block, params, keys->format, err);
    return link->format && block_file_inspect(&link->file, block->owner.name, writable, err);
}

static bool
read_links(Block *block, VmmMsg *params, VmmError *err)
{
    bool read_only = false;

    vmm_msg_get_bool(params, "read-only", &read_only);
    if (!read_link(block, params, &own_keys, !read_only, err))
        return false;
    for (unsigned i = 1; i < CHAIN_MAX; i++) {
        LinkKeys keys = backing_keys(i);

        if (!vmm_msg_has(params, keys.fd))
            break;
        if (!read_link(block, params, &keys, false, err))
            return false;
    }
    return true;
}

/* Of a device. Formats that know what is free discard it whatever the guest may. */
static bool
wants_discards(const Block *block, VmmMsg *params)
{
    const Link *own = &block->links[0];
    bool discard = false;

    vmm_msg_get_bool(params, "discard", &discard);
    return own->file.is_device && own->file.writable && (discard || own->format != &format_raw);
}

static bool
open_engine(Block *block, const EngineClass *class, bool discards, VmmError *err)
{
    int fds[CHAIN_MAX];

    for (unsigned i = 0; i < block->n_links; i++)
        fds[i] = block->links[i].file.fd;
    if (!class)
        class = &engine_uring_class;
    block->engine = class->open(fds, block->n_links, block->workers, discards, err);
    if (!block->engine && class == &engine_uring_class) {
        log_line("Disk '%s' goes on with threads: %s", block->owner.name, err->text);
        block->engine =
            engine_threads_class.open(fds, block->n_links, block->workers, discards, err);
    }
    if (block->engine && discards && !block->engine->discards)
        log_line("Disk '%s' gives no space back: %s", block->owner.name, err->text);
    for (unsigned i = 0; i < block->n_links; i++)
        block->links[i].file.engine = block->engine;
    return block->engine != NULL;
}

/* Requests */

static void
ended(BlockImage *image, BlockRequest *req, int error)
{
    Link *first = (Link *)((char *)image->file - offsetof(Link, file));
    Block *block = (Block *)((char *)first - offsetof(Block, links));

    block->under_way--;
    req->done(req, error);
}

static void
backing_ended(BlockImage *image, BlockRequest *req, int error)
{
    req->done(req, error);
}

/* The first byte is compared with zero, each other one with the one before. */
static bool
is_zero(const BlockRequest *req)
{
    for (unsigned i = 0; i < req->n_iov; i++) {
        const char *data = req->iov[i].iov_base;
        size_t size = req->iov[i].iov_len;

        if (size > 0 && (data[0] || memcmp(data, data + 1, size - 1) != 0))
            return false;
    }
    return true;
}

static void
detect_zeros(const Block *block, BlockRequest *req)
{
    if (req->op != BLOCK_WRITE || block->zeros == ZEROS_WRITE || !is_zero(req))
        return;
    req->op = BLOCK_ZERO;
    req->may_unmap = block->zeros == ZEROS_UNMAP;
}

void
block_submit(Block *block, BlockRequest *req)
{
    /* Of one that failed behind its data, that it is on the disk is all that is left. */
    if (req->size == 0)
        req->op = BLOCK_FLUSH;
    detect_zeros(block, req);
    req->image = block->image;
    block->under_way++;
    block->image->format->submit(block->image, req);
}

void
block_start(Block *block)
{
    block->engine->class->start(block->engine);
}

void
block_reap(Block *block)
{
    block->engine->class->reap(block->engine, false);
    block->engine->class->start(block->engine);
}

static bool
is_busy(const Block *block)
{
    const BlockFormat *format = block->image->format;

    return block->under_way > 0 || (format->busy && format->busy(block->image));
}

void
block_wait(Block *block)
{
    if (!is_busy(block))
        return;
    block->engine->class->start(block->engine);
    block->engine->class->reap(block->engine, true);
}

/* The same without the lock, which is for who is served meanwhile. A signal is as good as a completion. */
static void
wait_unlocked(Block *block)
{
    struct pollfd wake = { .fd = block->engine->wake_fd, .events = POLLIN };

    block->engine->class->start(block->engine);
    pthread_mutex_unlock(block->owner.lock);
    poll(&wake, 1, -1);
    pthread_mutex_lock(block->owner.lock);
    block->engine->class->reap(block->engine, false);
}

static bool
wait_while_busy(Block *block, void (*wait)(Block *block))
{
    bool was_busy = is_busy(block);

    while (is_busy(block))
        wait(block);
    return was_busy;
}

static void
drain(Block *block, void (*wait)(Block *block))
{
    bool reaped = wait_while_busy(block, wait);

    if (block->image->format->settle)
        block->image->format->settle(block->image);
    if (wait_while_busy(block, wait) || reaped)
        block->owner.reaped(block->owner.data);
}

void
block_drain(Block *block)
{
    assert(!block->flushing);
    drain(block, block_wait);
}

typedef struct Flush {
    BlockRequest request; /* first */
    int error;
} Flush;

static void
flushed(BlockRequest *request, int error)
{
    ((Flush *)request)->error = error;
}

/* A format that cannot write what it holds back fails the flush; what settling leaves then is room that nobody uses. */
int
block_flush(Block *block)
{
    Flush flush = { .request = { .op = BLOCK_FLUSH, .done = flushed } };

    assert(!block->source && !block->flushing); /* another one who reaps would leave us waiting */
    block->flushing = true;
    block_submit(block, &flush.request);
    drain(block, wait_unlocked);
    block->flushing = false;
    return flush.error;
}

static void
on_wake(void *data, uint32_t events)
{
    Block *block = data;

    pthread_mutex_lock(block->owner.lock);
    block_reap(block);
    block->owner.reaped(block->owner.data);
    pthread_mutex_unlock(block->owner.lock);
}

void
block_attach(Block *block, Loop *loop)
{
    block->source = vmm_must(loop_add_fd(loop, block->engine->wake_fd, EPOLLIN, on_wake, block));
    loop_source_set_quick(block->source);
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
        .physical_size = block->links[0].file.block_size,
        .writable = block->links[0].file.writable,
    };
}

void
block_set_writeback(Block *block, bool writeback)
{
    block->links[0].file.sync_writes = !writeback;
}

bool
block_writeback(const Block *block)
{
    return !block->links[0].file.sync_writes;
}

BlockUse
block_use(const Block *block)
{
    const BlockFile *file = &block->links[0].file;
    BlockUse use = { .file_size = block_file_size(file), .written_to = file->written_to };
    struct stat st;

    use.allocated = use.file_size;
    if (!file->is_device && fstat(file->fd, &st) == 0)
        use.allocated = st.st_blocks * 512ull;
    return use;
}

void
block_set_threshold(Block *block, uint64_t offset)
{
    block->links[0].file.threshold = offset;
}

uint64_t
block_threshold(const Block *block)
{
    return block->links[0].file.threshold;
}

uint64_t
block_take_exceeded(Block *block)
{
    uint64_t excess = block->links[0].file.exceeded;

    block->links[0].file.exceeded = 0;
    return excess;
}

bool
block_resize(Block *block)
{
    uint64_t size = block->image->size;

    block->links[0].file.size = block_file_size(&block->links[0].file);
    block->image->format->resize(block->image);
    return block->image->size != size;
}

bool
block_set_size(Block *block, BlockRequest *req, uint64_t size, VmmError *err)
{
    BlockImage *image = block->image;

    if (!image->file->writable)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is read-only", block->owner.name);
    if (block->flushing)
        return vmm_error(err, VMM_ERROR_STATE, "Disk '%s' is being brought to stable storage",
                         block->owner.name);
    if (!image->format->set_size)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Disk '%s' is as long as its file, for its format is '%s'",
                         block->owner.name, image->format->name);
    block->under_way++;
    if (image->format->set_size(image, req, size, err))
        return true;
    block->under_way--;
    return false;
}

static bool
open_image(Block *block, Link *link, VmmError *err)
{
    link->image = vmm_must(calloc(1, link->format->size));
    link->image->format = link->format;
    link->image->name = block->owner.name;
    link->image->file = &link->file;
    link->image->ended = link->file.index == 0 ? ended : backing_ended;
    return link->format->open(link->image, err);
}

/* The last one first, so that each finds its backing open. */
static bool
open_images(Block *block, VmmError *err)
{
    for (unsigned i = block->n_links; i-- > 0;) {
        if (!open_image(block, &block->links[i], err))
            return false;
        if (i > 0 && block->links[i - 1].format == &format_raw)
            return vmm_error(err, VMM_ERROR_INVALID,
                             "Disk '%s' has a raw image with another one behind it",
                             block->owner.name);
    }
    for (unsigned i = 0; i + 1 < block->n_links; i++)
        block->links[i].image->backing = block->links[i + 1].image;
    block->image = block->links[0].image;
    return true;
}

static bool
open_block(Block *block, const EngineClass *class, VmmMsg *params, VmmError *err)
{
    const EngineClass *asked;

    return read_links(block, params, err) && read_engine(block, params, &asked, err) &&
           read_workers(block, params, err) && read_cache(block, params, err) &&
           read_zeros(block, params, err) &&
           open_engine(block, class ? class : asked, wants_discards(block, params), err) &&
           open_images(block, err);
}

Block *
block_open_with(const EngineClass *class, VmmMsg *params, const BlockOwner *owner, VmmError *err)
{
    Block *block = vmm_must(calloc(1, sizeof(*block)));

    block->owner = *owner;
    for (unsigned i = 0; i < CHAIN_MAX; i++)
        block->links[i].file.fd = block->links[i].lock = -1;
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

static void
close_link(Link *link)
{
    if (link->image)
        link->format->close(link->image);
    free(link->image);
}

static void
close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void
block_close(Block *block)
{
    if (!block)
        return;
    assert(block->under_way == 0 && !block->source);
    for (unsigned i = 0; i < block->n_links; i++)
        close_link(&block->links[i]);
    if (block->engine)
        block->engine->class->close(block->engine);
    for (unsigned i = 0; i < CHAIN_MAX; i++) {
        close_fd(block->links[i].file.fd);
        close_fd(block->links[i].lock);
    }
    free(block);
}
