/* Format qcow2, versions 2 and 3: see qcow2-image.h. */
#include "qemu-kvm-backend/block/qcow2-cache.h"
#include "qemu-kvm-backend/block/qcow2-change.h"
#include "qemu-kvm-backend/block/qcow2-clerk.h"
#include "qemu-kvm-backend/block/qcow2-commit.h"
#include "qemu-kvm-backend/block/qcow2-compressed.h"
#include "qemu-kvm-backend/block/qcow2-read.h"
#include "qemu-kvm-backend/block/qcow2-refcount.h"
#include "qemu-kvm-backend/block/qcow2-resize.h"
#include "qemu-kvm-backend/block/qcow2-table.h"
#include "qemu-kvm-backend/block/qcow2-wait.h"
#include "qemu-kvm-backend/block/qcow2-write.h"
#include "qemu-kvm-backend/block/qcow2-zero.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IO_SIZE 65536u /* bytes read at a time while opening; any O_DIRECT can do it */

/* What is whose turn */

static bool
wants_commit(const Qcow2 *q)
{
    return q->flushers.first || (q->settling && qcow2_has_changes(q));
}

static bool
has_settled(const Qcow2 *q)
{
    return !q->clerk.busy && !q->freeing &&
           (q->corrupt || (!qcow2_has_changes(q) && !refcount_has_ready(q)));
}

static void
schedule(Qcow2 *q)
{
    if (!q->clerk.busy && q->mark_corrupt)
        clerk_mark_corrupt(q);
    else if (!q->clerk.busy && wants_commit(q))
        qcow2_commit(q);
    if (!q->frozen && !q->corrupt)
        refcount_free_ready(q);
    if (q->settling && !wants_commit(q) && has_settled(q)) {
        q->settling = false;
        job_free_spares(q);
    }
}

/* Called after each event, also from within itself. */
static void
advance(Qcow2 *q)
{
    if (q->advancing)
        return;
    q->advancing = true;
    do {
        qcow2_run(q);
        schedule(q);
    } while (q->runnable.first || (!q->clerk.busy && wants_commit(q)));
    q->advancing = false;
}

static void
qcow2_settle(BlockImage *image)
{
    Qcow2 *q = (Qcow2 *)image;

    if (!image->file->writable)
        return;
    q->settling = true;
    advance(q);
}

static bool
qcow2_busy(const BlockImage *image)
{
    const Qcow2 *q = (const Qcow2 *)image;

    return q->clerk.busy || q->freeing || q->settling;
}

/* Requests */

static void (*const steps[])(Qcow2Job *job) = {
    [BLOCK_READ] = read_step,       [BLOCK_WRITE] = write_step, [BLOCK_FLUSH] = flush_step,
    [BLOCK_DISCARD] = discard_step, [BLOCK_ZERO] = zero_step,
};

static void
qcow2_submit(BlockImage *image, BlockRequest *req)
{
    Qcow2 *q = (Qcow2 *)image;

    if (!image->file->writable && req->op != BLOCK_READ) {
        image->ended(image, req, req->op == BLOCK_FLUSH ? 0 : EROFS);
        return;
    }
    job_next(job_new(q, req, steps[req->op]), steps[req->op]);
    advance(q);
}

/* Opening */

/* The @size bytes at @offset of the file, as far as there are; how many, or -1 with errno. */
static ssize_t
read_block(const BlockFile *file, uint64_t offset, uint8_t *data, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t n = pread(file->fd, data + done, size - done, offset + done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += n;
        if (done % file->offset_align) /* the end of the file */
            break;
    }
    return done;
}

static bool
fail_read(const Qcow2 *q, VmmError *err)
{
    return vmm_error_errno(err, "Cannot read the qcow2 image of disk '%s'", q->image.name);
}

static uint32_t
last_entry(const uint64_t *entries, uint32_t n)
{
    while (n > 0 && !entries[n - 1])
        n--;
    return n;
}

static void
keep_entries(Qcow2Table *table, uint32_t at, const uint8_t *data, uint32_t n)
{
    n = last_entry((const uint64_t *)data, n);
    if (n == 0)
        return;
    table_load_until(table, at + n);
    memcpy(table->entries + at, data, (size_t)n * 8);
}

/* As far as entries are not zero: the refcount table of most images has one, in 64 KiB. */
static bool
load_table(Qcow2 *q, Qcow2Table *table, uint8_t *buffer, VmmError *err)
{
    const BlockFile *file = q->image.file;

    for (uint32_t at = 0; at < table->n;) {
        uint64_t offset = table->offset + (uint64_t)at * 8;
        uint32_t lead = offset % file->offset_align;
        ssize_t got = read_block(file, offset - lead, buffer, IO_SIZE);
        uint32_t n = (IO_SIZE - lead) / 8;

        if (got < 0)
            return fail_read(q, err);
        n = n < table->n - at ? n : table->n - at;
        if ((size_t)got < lead + (size_t)n * 8)
            return vmm_error(err, VMM_ERROR_INVALID,
                             "The qcow2 image of disk '%s' ends within its tables", q->image.name);
        keep_entries(table, at, buffer + lead, n);
        at += n;
    }
    return true;
}

static bool
load_tables(Qcow2 *q, uint8_t *buffer, VmmError *err)
{
    q->l1 = (Qcow2Table){ .offset = q->header.l1_offset, .n = q->header.l1_entries };
    if (!load_table(q, &q->l1, buffer, err))
        return false;
    if (!q->image.file->writable)
        return true;
    q->reftable = (Qcow2Table){
        .offset = q->header.reftable_offset,
        .n = ((uint64_t)q->header.reftable_clusters << q->header.cluster_bits) / 8,
    };
    if (!load_table(q, &q->reftable, buffer, err))
        return false;
    return !refcount_shares_blocks(q) ||
           vmm_error(err, VMM_ERROR_INVALID,
                     "The qcow2 image of disk '%s' has a refcount table that names a block twice",
                     q->image.name);
}

/* Features that others keep up to date, such as bitmaps of what has changed, end before our first change: of an image that
 * is taken, and on stable storage. */
static bool
clear_features(Qcow2 *q, uint8_t *buffer, VmmError *err)
{
    const BlockFile *file = q->image.file;
    ssize_t size = file->offset_align > BLOCK_SECTOR ? file->offset_align : BLOCK_SECTOR;

    if (!q->header.autoclear || !file->writable)
        return true;
    if (read_block(file, 0, buffer, size) != size)
        return fail_read(q, err);
    memset(buffer + QCOW2_AT_AUTOCLEAR, 0, 8);
    return (pwrite(file->fd, buffer, size, 0) == size && (file->never_sync || fdatasync(file->fd) == 0)) ||
           vmm_error_errno(err, "Cannot write to the qcow2 image of disk '%s'", q->image.name);
}

static bool
load_image(Qcow2 *q, uint8_t *buffer, VmmError *err)
{
    const BlockFile *file = q->image.file;
    ssize_t got;

    memset(buffer, 0, IO_SIZE);
    got = read_block(file, 0, buffer, 4096);
    if (got < 0)
        return fail_read(q, err);
    if (!qcow2_header_parse(buffer, got, file->writable, q->image.name, &q->header, err))
        return false;
    q->cluster_size = 1u << q->header.cluster_bits;
    q->l2_bits = q->header.cluster_bits - 3;
    q->image.size = q->header.size;
    q->shape = (Qcow2Shape){ q->header.size, q->header.l1_offset, q->header.l1_entries };
    q->virgin_from =
        file->is_device ? UINT64_MAX : (file->size + q->cluster_size - 1) >> q->header.cluster_bits;
    return load_tables(q, buffer, err) && clear_features(q, buffer, err);
}

static void
lower_ended(BlockImage *image, BlockRequest *req, int error)
{
    req->done(req, error);
}

static void
open_lower(Qcow2 *q)
{
    q->lower = vmm_must(calloc(1, format_raw.size));
    q->lower->format = &format_raw;
    q->lower->name = q->image.name;
    q->lower->file = q->image.file;
    q->lower->ended = lower_ended;
}

static bool
qcow2_open(BlockImage *image, VmmError *err)
{
    Qcow2 *q = (Qcow2 *)image;
    uint8_t *buffer = vmm_must(aligned_alloc(4096, IO_SIZE));
    bool good;

    q->advance = advance;
    open_lower(q);
    good = load_image(q, buffer, err);
    free(buffer);
    if (good)
        cache_open(q);
    return good;
}

/* The disk's size is in the header, which nobody else changes. */
static void
qcow2_look_again(BlockImage *image)
{
}

static void
qcow2_close(BlockImage *image)
{
    Qcow2 *q = (Qcow2 *)image;

    assert(!q->active && !q->runnable.first);
    clerk_close(q);
    compressed_close(q);
    job_free_spares(q);
    cache_close(q);
    refcount_close(q);
    if (q->lower)
        q->lower->format->close(q->lower);
    free(q->lower);
}

const BlockFormat format_qcow2 = {
    .name = "qcow2",
    .size = sizeof(Qcow2),
    .open = qcow2_open,
    .resize = qcow2_look_again,
    .set_size = qcow2_set_size,
    .submit = qcow2_submit,
    .settle = qcow2_settle,
    .busy = qcow2_busy,
    .close = qcow2_close,
};
