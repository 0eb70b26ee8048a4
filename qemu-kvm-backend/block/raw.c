/* Format raw: byte N of the disk is byte N of the file.
 *
 * A request is one operation on the guest's own buffers, begun again for what a short transfer left
 * over. Where O_DIRECT cannot take it as it is, it goes piece by piece through a buffer of ours, one such
 * request at a time; a write whose ends share the file's blocks with something else reads those blocks
 * first and has the file to itself meanwhile. Requests start in the order in which they came.
 */
#include "qemu-kvm-backend/block/format.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <assert.h>
#include <errno.h>
#include <linux/falloc.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BOUNCE_SIZE (256u << 10)
#define ZEROS_SIZE  (256u << 10)

typedef enum Way {
    WAY_STRAIGHT, /* as it is */
    WAY_BOUNCE,   /* through the buffer */
    WAY_PATCH,    /* the same, after reading what is around it */
} Way;

typedef struct Raw {
    BlockImage image;
    BlockRequest *first, *last; /* waiting for their turn */
    unsigned running;           /* requests */
    bool patching;              /* the one that runs bears no other beside it */
    bool advancing;
    bool no_discard, no_punch, no_zero_range; /* the file has shown that it cannot */
    int lost; /* errno: the host's cache and the file differ for good */
    /* The request that goes through the buffer. */
    BlockRequest *slow;
    uint8_t *bounce;
    struct iovec piece; /* all or part of the buffer, whole blocks */
    uint64_t piece_offset;
    bool reading_around;
} Raw;

/* Never written to, so that it costs no memory; aligned for any O_DIRECT. */
static uint8_t zeros[ZEROS_SIZE] __attribute__((aligned(4096)));

static void advance(Raw *raw);

static BlockRequest *
request_of(EngineOp *op)
{
    return (BlockRequest *)((char *)op - offsetof(BlockRequest, io));
}

/* Buffers */

static size_t
min_size(size_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void
point_at_zeros(BlockRequest *req)
{
    req->zeros = (struct iovec){ zeros, min_size(ZEROS_SIZE, req->size) };
    req->iov = &req->zeros;
    req->n_iov = 1;
}

/* The end of a request */

static void
end(Raw *raw, BlockRequest *req, int error)
{
    raw->running--;
    raw->image.ended(&raw->image, req, error);
    advance(raw);
}

static void
end_slow(Raw *raw, int error)
{
    BlockRequest *req = raw->slow;

    free(raw->bounce);
    raw->bounce = NULL;
    raw->slow = NULL;
    raw->patching = false;
    end(raw, req, error);
}

static void
run(Raw *raw, BlockRequest *req, EngineOpKind kind, void (*done)(EngineOp *op))
{
    Engine *engine = raw->image.file->engine;

    req->io.kind = kind;
    req->io.file = raw->image.file->index;
    req->io.mode = kind == ENGINE_WRITE && raw->image.file->sync_writes ? RWF_DSYNC : 0;
    req->io.done = done;
    engine->class->submit(engine, &req->io);
}

/* A part of the request is done: the rest takes its turn first, for it may go another way. */
static void
go_on(Raw *raw, BlockRequest *req)
{
    if (req->size == 0) {
        end(raw, req, 0);
        return;
    }
    raw->running--;
    req->next = raw->first;
    raw->first = req;
    if (!req->next)
        raw->last = req;
    advance(raw);
}

/* Straight */

static void
moved(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;

    if (op->result < 0) {
        end(raw, req, -op->result);
        return;
    }
    if (op->result == 0 && req->op != BLOCK_READ) {
        end(raw, req, EIO);
        return;
    }
    if (op->result == 0)
        block_request_clear(req, req->size); /* behind the end of the file there are zeros */
    else
        block_request_skip(req, op->result);
    go_on(raw, req);
}

static void
move(Raw *raw, BlockRequest *req)
{
    req->io.iov = req->iov;
    req->io.n_iov = req->n_iov;
    req->io.offset = req->offset;
    run(raw, req, req->op == BLOCK_READ ? ENGINE_READ : ENGINE_WRITE, moved);
}

/* Through the buffer */

static void next_piece(Raw *raw);

/* Bytes of the buffer before those that the request asks for. */
static size_t
piece_lead(const Raw *raw)
{
    return raw->slow->offset - raw->piece_offset;
}

static size_t
piece_use(const Raw *raw)
{
    return min_size(raw->piece.iov_len - piece_lead(raw), raw->slow->size);
}

static void
run_piece(Raw *raw, EngineOpKind kind, void (*done)(EngineOp *op))
{
    BlockRequest *req = raw->slow;

    req->io.iov = &raw->piece;
    req->io.n_iov = 1;
    req->io.offset = raw->piece_offset;
    run(raw, req, kind, done);
}

static void
piece_written(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;

    if (op->result < 0) {
        end_slow(raw, -op->result);
        return;
    }
    /* Less than a whole piece is a full disk, which the next attempt will say. Blocks that were
     * written in part are written again. */
    if (op->result == 0) {
        end_slow(raw, EIO);
        return;
    }
    if ((uint64_t)op->result > piece_lead(raw))
        block_request_skip(req, min_size(op->result - piece_lead(raw), piece_use(raw)));
    next_piece(raw);
}

static void
write_piece(Raw *raw)
{
    block_request_copy(raw->slow, raw->bounce + piece_lead(raw), piece_use(raw));
    run_piece(raw, ENGINE_WRITE, piece_written);
}

static void
piece_read(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;
    size_t got;

    if (op->result < 0) {
        end_slow(raw, -op->result);
        return;
    }
    /* What is missing is behind the end of the file, or else the next piece begins there. */
    got = op->result;
    if (got % raw->image.file->offset_align == 0 && got > piece_lead(raw))
        raw->piece.iov_len = got;
    else
        memset(raw->bounce + got, 0, raw->piece.iov_len - got);
    if (raw->reading_around) {
        write_piece(raw);
        return;
    }
    block_request_copy(req, raw->bounce + piece_lead(raw), piece_use(raw));
    block_request_skip(req, piece_use(raw));
    next_piece(raw);
}

static void
next_piece(Raw *raw)
{
    BlockRequest *req = raw->slow;
    uint64_t mask = raw->image.file->offset_align - 1;
    uint64_t until = (req->offset + req->size + mask) & ~mask;

    if (req->size == 0) {
        end_slow(raw, 0);
        return;
    }
    if (req->op == BLOCK_ZERO)
        point_at_zeros(req);
    raw->piece_offset = req->offset & ~mask;
    raw->piece.iov_base = raw->bounce;
    raw->piece.iov_len = min_size(BOUNCE_SIZE, until - raw->piece_offset);
    raw->reading_around =
        raw->patching && (piece_lead(raw) > 0 || piece_use(raw) < raw->piece.iov_len);
    if (req->op == BLOCK_READ || raw->reading_around)
        run_piece(raw, ENGINE_READ, piece_read);
    else
        write_piece(raw);
}

static void
bounce(Raw *raw, BlockRequest *req)
{
    raw->slow = req;
    raw->bounce = aligned_alloc(4096, BOUNCE_SIZE);
    if (raw->bounce)
        next_piece(raw);
    else
        end_slow(raw, ENOMEM);
}

/* Flushing */

/* After a failure Linux takes the pages of its cache for clean, though the file has not got them: the
 * next call would succeed and mean nothing. So flushes go on failing, until the image is opened anew. */
static void
flushed(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;

    if (op->result < 0 && !raw->image.file->direct)
        raw->lost = -op->result;
    end(raw, req, -op->result);
}

static void
flush(Raw *raw, BlockRequest *req)
{
    if (raw->lost || raw->image.file->never_sync)
        end(raw, req, raw->lost);
    else
        run(raw, req, ENGINE_SYNC, flushed);
}

/* Space: punching holes and making zeros */

/* What says that the file, or this part of it, cannot do it; everything else is an error. A device
 * says EINVAL to what is no multiple of its blocks. */
static bool
is_incapable(int64_t result)
{
    return result == -EOPNOTSUPP || result == -ENOSYS || result == -EINVAL || result == -ENODEV;
}

static void
run_range(Raw *raw, BlockRequest *req, EngineOpKind kind, void (*done)(EngineOp *op))
{
    run(raw, req, kind, done);
    req->io.offset = req->offset;
    req->io.size = req->size;
}

static void
run_allocate(Raw *raw, BlockRequest *req, int mode, void (*done)(EngineOp *op))
{
    run_range(raw, req, ENGINE_ALLOCATE, done);
    req->io.mode = mode | FALLOC_FL_KEEP_SIZE;
}

static void
discarded(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;

    raw->no_discard |= is_incapable(op->result) && op->result != -EINVAL;
    end(raw, req, is_incapable(op->result) ? 0 : -op->result);
}

/* A hole in a device is zeros, for which many devices take space rather than give it back. */
static void
discard(Raw *raw, BlockRequest *req)
{
    const BlockFile *file = raw->image.file;

    if (raw->no_discard || (file->is_device && !file->engine->discards))
        end(raw, req, 0);
    else if (file->is_device)
        run_range(raw, req, ENGINE_DISCARD, discarded);
    else
        run_allocate(raw, req, FALLOC_FL_PUNCH_HOLE, discarded);
}

/* Falls from the cheapest way that is allowed to the one that always works. */
static void
zeroed(EngineOp *op)
{
    BlockRequest *req = request_of(op);
    Raw *raw = req->image;

    if (op->result == 0) {
        if (raw->image.file->sync_writes)
            run(raw, req, ENGINE_SYNC, flushed);
        else
            end(raw, req, 0);
        return;
    }
    if (!is_incapable(op->result)) {
        end(raw, req, -op->result);
        return;
    }
    if (op->result == -EINVAL)
        req->zeros.iov_base = zeros; /* from now on this one is a write */
    else if (req->io.mode & FALLOC_FL_PUNCH_HOLE)
        raw->no_punch = true;
    else
        raw->no_zero_range = true;
    go_on(raw, req);
}

static bool
would_punch(const Raw *raw, const BlockRequest *req)
{
    return req->may_unmap && !raw->no_punch;
}

static bool
can_allocate_zeros(const Raw *raw, const BlockRequest *req)
{
    return !req->zeros.iov_base && (would_punch(raw, req) || !raw->no_zero_range);
}

static void
allocate_zeros(Raw *raw, BlockRequest *req)
{
    int mode = would_punch(raw, req) ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

    run_allocate(raw, req, mode, zeroed);
}

/* Whose turn it is */

/* The length of each buffer counts as offsets do: a device moves each by itself. */
static bool
buffers_are_aligned(const BlockFile *file, const BlockRequest *req)
{
    uintptr_t bases = 0;
    size_t lengths = 0;

    for (unsigned i = 0; i < req->n_iov; i++) {
        bases |= (uintptr_t)req->iov[i].iov_base;
        lengths |= req->iov[i].iov_len;
    }
    return !(bases & (file->memory_align - 1)) && !(lengths & (file->offset_align - 1));
}

static Way
way_of(const Raw *raw, const BlockRequest *req)
{
    const BlockFile *file = raw->image.file;
    uint32_t mask = file->offset_align - 1;

    if (!file->direct || req->n_iov == 0)
        return WAY_STRAIGHT;
    if (((req->offset | req->size) & mask) != 0)
        return req->op == BLOCK_READ ? WAY_BOUNCE : WAY_PATCH;
    return buffers_are_aligned(file, req) ? WAY_STRAIGHT : WAY_BOUNCE;
}

static bool
may_begin(const Raw *raw, Way way)
{
    if (raw->patching)
        return false;
    switch (way) {
    case WAY_STRAIGHT:
        return true;
    case WAY_BOUNCE:
        return !raw->slow;
    case WAY_PATCH:
        return raw->running == 0;
    }
    return false;
}

static void
begin(Raw *raw, BlockRequest *req)
{
    Way way = way_of(raw, req);

    raw->running++;
    raw->patching = way == WAY_PATCH;
    if (way != WAY_STRAIGHT)
        bounce(raw, req);
    else if (req->op == BLOCK_FLUSH)
        flush(raw, req);
    else if (req->op == BLOCK_DISCARD)
        discard(raw, req);
    else if (req->op == BLOCK_ZERO && req->n_iov == 0)
        allocate_zeros(raw, req);
    else
        move(raw, req);
}

/* A request of zeros that has to be written has buffers again for its next part. */
static void
prepare(Raw *raw, BlockRequest *req)
{
    if (req->op != BLOCK_ZERO || req->n_iov > 0)
        return;
    if (!can_allocate_zeros(raw, req))
        point_at_zeros(req);
}

/* Requests that end at once would else begin the next from within their own end, deeper each time. */
static void
advance(Raw *raw)
{
    if (raw->advancing)
        return;
    raw->advancing = true;
    while (raw->first) {
        BlockRequest *req = raw->first;

        prepare(raw, req);
        if (!may_begin(raw, way_of(raw, req)))
            break;
        raw->first = req->next;
        begin(raw, req);
    }
    raw->advancing = false;
}

/* How far the file is written, for those who let the space behind it grow in time. */
static void
note_end(BlockFile *file, uint64_t end)
{
    if (end > file->written_to)
        file->written_to = end;
    if (file->threshold == 0 || end <= file->threshold)
        return;
    file->exceeded = end - file->threshold;
    file->threshold = 0;
}

static void
raw_submit(BlockImage *image, BlockRequest *req)
{
    Raw *raw = (Raw *)image;

    if (req->op == BLOCK_WRITE || req->op == BLOCK_ZERO)
        note_end(image->file, req->offset + req->size);
    if (req->op == BLOCK_ZERO)
        req->n_iov = 0;
    req->zeros.iov_base = NULL;
    req->next = NULL;
    if (raw->first)
        raw->last->next = req;
    else
        raw->first = req;
    raw->last = req;
    advance(raw);
}

static void
raw_resize(BlockImage *image)
{
    image->size = (image->file->size + BLOCK_SECTOR - 1) / BLOCK_SECTOR * BLOCK_SECTOR;
}

static bool
raw_open(BlockImage *image, VmmError *err)
{
    const BlockFile *file = image->file;

    raw_resize(image);
    if (file->direct && file->writable && image->size % file->offset_align)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "The image's size is no multiple of the %u bytes that its host needs to "
                         "write without cache",
                         file->offset_align);
    return true;
}

static void
raw_close(BlockImage *image)
{
    assert(((Raw *)image)->running == 0);
}

const BlockFormat format_raw = {
    .name = "raw",
    .size = sizeof(Raw),
    .open = raw_open,
    .resize = raw_resize,
    .submit = raw_submit,
    .close = raw_close,
};
