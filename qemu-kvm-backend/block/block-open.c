/* A disk is opened from what the driver says of it, and closed. */
#include "qemu-kvm-backend/block/block-private.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* The images */

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
