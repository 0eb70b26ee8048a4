#include "qemu-kvm-backend/virtio/queue.h"

#include "qemu-kvm-backend/error.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* virtio 1.2, section 2.7. Everything that lies in guest memory is read once, by one atomic load or one
 * copy, and only the outcome is looked at. */

#define F_INDIRECT_DESC 28
#define F_EVENT_IDX     29

#define DESC_F_NEXT     1u
#define DESC_F_WRITE    2u
#define DESC_F_INDIRECT 4u

#define AVAIL_F_NO_INTERRUPT 1u
#define USED_F_NO_NOTIFY     1u

typedef struct Desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;
} Desc;

typedef struct AvailRing {
    uint16_t flags;
    uint16_t idx;
    uint16_t ring[]; /* and used_event after the last */
} AvailRing;

typedef struct UsedElement {
    uint32_t id;
    uint32_t len;
} UsedElement;

typedef struct UsedRing {
    uint16_t flags;
    uint16_t idx;
    UsedElement ring[]; /* and avail_event after the last */
} UsedRing;

_Static_assert(sizeof(Desc) == 16 && sizeof(UsedElement) == 8, "2.7.5, 2.7.8");

struct VirtQueue {
    QueueOwner owner;
    unsigned index;
    unsigned size; /* 0: not in use */
    bool abandoned;
    Desc *descs; /* these three in guest memory */
    AvailRing *avail;
    UsedRing *used;
    struct iovec *iov; /* @size of them, for the chain that was popped last */
    struct iovec
        *marked; /* as many, for a chain whose pages are being marked; NULL: none was yet */
    bool indirect, event_idx; /* what was negotiated */
    bool ignores_kicks;
    bool told_once;
    bool pushed;         /* since the last queue_flush() */
    uint16_t next_avail; /* the first entry of the available ring that was not popped */
    uint16_t next_used;
    uint16_t told_used; /* next_used when the driver was last told, or told that it need not be */
    unsigned n_popped;  /* chains that the device owns */
};

/* A table of descriptors: the queue's own, or an indirect one. */
typedef struct Table {
    const Desc *descs;
    unsigned n;
    bool indirect; /* not to be told by the address: a driver may pass the queue's own */
} Table;

VirtQueue *
queue_new(unsigned index, const QueueOwner *owner)
{
    VirtQueue *queue = vmm_must(calloc(1, sizeof(*queue)));

    queue->owner = *owner;
    queue->index = index;
    return queue;
}

void
queue_free(VirtQueue *queue)
{
    if (!queue)
        return;
    free(queue->iov);
    free(queue->marked);
    free(queue);
}

/* An area of the queue in guest memory, aligned as section 2.7 demands, or NULL. */
static void *
area(const VirtQueue *queue, uint64_t gpa, size_t size, unsigned alignment)
{
    return gpa % alignment ? NULL : memory_at(queue->owner.memory, gpa, size);
}

bool
queue_map(VirtQueue *queue, const QueueSetup *setup, unsigned size_max, uint64_t features)
{
    size_t n = setup->size;

    queue_unmap(queue);
    if (n == 0 || n > size_max || n & (n - 1))
        return false;
    queue->descs = area(queue, setup->desc, n * sizeof(Desc), 16);
    queue->avail = area(queue, setup->driver, sizeof(AvailRing) + (n + 1) * 2, 2);
    queue->used = area(queue, setup->device, sizeof(UsedRing) + n * sizeof(UsedElement) + 2, 4);
    if (!queue->descs || !queue->avail || !queue->used)
        return false;
    queue->size = n;
    queue->iov = vmm_must(calloc(n, sizeof(struct iovec)));
    queue->indirect = features >> F_INDIRECT_DESC & 1;
    queue->event_idx = features >> F_EVENT_IDX & 1;
    return true;
}

void
queue_unmap(VirtQueue *queue)
{
    QueueOwner owner = queue->owner;
    unsigned index = queue->index;

    free(queue->iov);
    free(queue->marked);
    *queue = (VirtQueue){ .owner = owner, .index = index };
}

QueuePosition
queue_position(const VirtQueue *queue)
{
    return (QueuePosition){ queue->next_avail, queue->next_used, queue->told_used,
                            queue->told_once };
}

void
queue_set_position(VirtQueue *queue, const QueuePosition *position)
{
    queue->next_avail = position->next_avail;
    queue->next_used = position->next_used;
    queue->told_used = position->told_used;
    queue->told_once = position->told_once;
}

void
queue_abandon(VirtQueue *queue)
{
    queue->abandoned = true;
}

bool
queue_is_ready(const VirtQueue *queue)
{
    return queue->size != 0;
}

unsigned
queue_size(const VirtQueue *queue)
{
    return queue->size;
}

static bool
is_usable(const VirtQueue *queue)
{
    return queue->size != 0 && !queue->abandoned;
}

/* The used ring, with what is behind it, is written. */
static void
mark_used(const VirtQueue *queue)
{
    memory_mark(queue->owner.memory, queue->used,
                sizeof(UsedRing) + queue->size * sizeof(UsedElement) + sizeof(uint16_t));
}

static uint16_t
load16(const uint16_t *at, int order)
{
    return le16toh(__atomic_load_n(at, order));
}

static void
break_rules(VirtQueue *queue, const char *why)
{
    queue->abandoned = true;
    queue->owner.broke(queue->owner.data, why);
}

/* What the driver has made available and was not popped: at most the queue's size, 2.7.13.3. False where
 * the index says otherwise. Acquire: descriptors are read after the index that vouches for them. */
static bool
count_available(VirtQueue *queue, uint16_t *ret)
{
    uint16_t n = load16(&queue->avail->idx, __ATOMIC_SEQ_CST) - queue->next_avail;

    if (n > queue->size) {
        break_rules(queue, "an available index is ahead by more than the queue's size");
        return false;
    }
    *ret = n;
    return true;
}

/* avail_event, after the used ring: the driver notifies for the entry of that index (2.7.10). Then the
 * index is read again: what the driver added before it could see the event came without a notification. */
static void
ask_for_kick(VirtQueue *queue)
{
    uint16_t *avail_event = (uint16_t *)&queue->used->ring[queue->size];

    __atomic_store_n(avail_event, htole16(queue->next_avail), __ATOMIC_SEQ_CST);
    mark_used(queue);
}

static void
set_no_notify(VirtQueue *queue, bool set)
{
    __atomic_store_n(&queue->used->flags, htole16(set ? USED_F_NO_NOTIFY : 0), __ATOMIC_SEQ_CST);
    mark_used(queue);
}

bool
queue_has_work(VirtQueue *queue)
{
    uint16_t n;

    return is_usable(queue) && count_available(queue, &n) && n > 0;
}

void
queue_ignore_kicks(VirtQueue *queue)
{
    if (!is_usable(queue) || queue->ignores_kicks)
        return;
    queue->ignores_kicks = true;
    if (!queue->event_idx) /* else avail_event, which stays behind, does it */
        set_no_notify(queue, true);
}

bool
queue_want_kicks(VirtQueue *queue)
{
    if (!is_usable(queue))
        return false;
    queue->ignores_kicks = false;
    if (queue->event_idx)
        ask_for_kick(queue);
    else
        set_no_notify(queue, false);
    return queue_has_work(queue);
}

/* Whether there is a chain; where there is none, the driver is asked to say when there is. */
static bool
await_chain(VirtQueue *queue)
{
    uint16_t n;

    if (!count_available(queue, &n))
        return false;
    if (n == 0 && queue->event_idx && !queue->ignores_kicks) {
        ask_for_kick(queue);
        if (!count_available(queue, &n))
            return false;
    }
    return n > 0;
}

/* Adds what a descriptor points to; why not, or NULL. */
static const char *
add_buffer(VirtQueue *queue, const Desc *desc, VirtChain *chain)
{
    unsigned n = chain->n_out + chain->n_in;
    bool write = le16toh(desc->flags) & DESC_F_WRITE;
    uint32_t len = le32toh(desc->len);
    void *host;

    if (n == queue->size)
        return "a chain is longer than its queue";
    if (len == 0)
        return "a descriptor has no length";
    if (!write && chain->n_in > 0)
        return "a device-readable descriptor follows a device-writable one";
    if (chain->in_size + chain->out_size + len > UINT32_MAX)
        return "a chain is longer than 4 GiB";
    host = memory_at(queue->owner.memory, le64toh(desc->addr), len);
    if (!host)
        return "a descriptor points outside of RAM";
    queue->iov[n] = (struct iovec){ host, len };
    *(write ? &chain->n_in : &chain->n_out) += 1;
    *(write ? &chain->in_size : &chain->out_size) += len;
    return NULL;
}

/* The table behind an indirect descriptor, which ends its chain (2.7.5.3). */
static const char *
open_indirect(VirtQueue *queue, const Desc *desc, Table *table)
{
    uint32_t len = le32toh(desc->len);

    if (!queue->indirect)
        return "a descriptor is indirect, which was not negotiated";
    if (table->indirect)
        return "a descriptor is indirect inside an indirect table";
    if (le16toh(desc->flags) & DESC_F_NEXT)
        return "an indirect descriptor has a next one";
    if (len == 0 || len % sizeof(Desc))
        return "an indirect table's size is not a multiple of 16";
    table->indirect = true;
    /* Indices have 16 bits: what lies behind them is out of reach. */
    table->n = len / sizeof(Desc) < UINT16_MAX ? len / sizeof(Desc) : UINT16_MAX;
    table->descs = memory_at(queue->owner.memory, le64toh(desc->addr), len);
    return table->descs ? NULL : "an indirect table is not in RAM";
}

/* A chain takes at most as many steps as it has buffers, and one into the indirect table: a loop ends where
 * the queue's size does. */
static const char *
walk(VirtQueue *queue, unsigned head, VirtChain *chain)
{
    Table table = { queue->descs, queue->size, false };
    unsigned next = head;
    const char *wrong;
    Desc desc;

    for (;;) {
        if (next >= table.n)
            return "a descriptor's index is outside of its table";
        memcpy(&desc, &table.descs[next], sizeof(desc));
        if (le16toh(desc.flags) & DESC_F_INDIRECT) {
            wrong = open_indirect(queue, &desc, &table);
            next = 0;
        } else {
            wrong = add_buffer(queue, &desc, chain);
            if (!wrong && !(le16toh(desc.flags) & DESC_F_NEXT))
                return NULL;
            next = le16toh(desc.next);
        }
        if (wrong)
            return wrong;
    }
}

/* The chain that begins at @head becomes the device's. */
static bool
take_chain(VirtQueue *queue, uint16_t head, VirtChain *ret)
{
    VirtChain chain = { .head = head };
    const char *wrong;

    if (queue->n_popped == queue->size)
        wrong = "more chains are available than the queue has descriptors";
    else
        wrong = walk(queue, chain.head, &chain);
    if (wrong) {
        break_rules(queue, wrong);
        return false;
    }
    queue->n_popped++;
    chain.out = queue->iov;
    chain.in = queue->iov + chain.n_out;
    *ret = chain;
    return true;
}

bool
queue_pop(VirtQueue *queue, VirtChain *ret)
{
    uint16_t head;

    if (!is_usable(queue) || !await_chain(queue))
        return false;
    head = load16(&queue->avail->ring[queue->next_avail % queue->size], __ATOMIC_RELAXED);
    if (!take_chain(queue, head, ret))
        return false;
    queue->next_avail++;
    return true;
}

bool
queue_pop_again(VirtQueue *queue, uint16_t head, VirtChain *ret)
{
    return is_usable(queue) && take_chain(queue, head, ret);
}

void
queue_unpop(VirtQueue *queue)
{
    if (queue->n_popped == 0)
        return;
    queue->next_avail--;
    queue->n_popped--;
}

/* The buffers that the device has written to are dirty from when they are, not from when the chain was popped: so
 * the chain is read once more. A driver that has changed it since breaks itself alone. */
static void
mark_chain(VirtQueue *queue, uint16_t head)
{
    struct iovec *iov = queue->iov;
    VirtChain chain = { 0 };

    if (!memory_is_tracked(queue->owner.memory))
        return;
    if (!queue->marked)
        queue->marked = vmm_must(calloc(queue->size, sizeof(struct iovec)));
    queue->iov = queue->marked;
    walk(queue, head, &chain);
    queue->iov = iov;
    for (unsigned i = chain.n_out; i < chain.n_out + chain.n_in; i++)
        memory_mark(queue->owner.memory, queue->marked[i].iov_base, queue->marked[i].iov_len);
    mark_used(queue);
}

void
queue_push(VirtQueue *queue, uint16_t head, uint32_t written)
{
    UsedElement element = { htole32(head), htole32(written) };

    if (!is_usable(queue) || queue->n_popped == 0)
        return;
    queue->n_popped--;
    memcpy(&queue->used->ring[queue->next_used % queue->size], &element, sizeof(element));
    queue->next_used++;
    queue->pushed = true;
    mark_chain(queue, head);
}

/* used_event, after the available ring: the driver wants to hear of the entry of that index (2.7.7.2).
 * The first time it is told in any case, for then there is no index that it was told last. */
static bool
passes_event(const VirtQueue *queue)
{
    uint16_t event = load16(&queue->avail->ring[queue->size], __ATOMIC_SEQ_CST);

    return !queue->told_once || (uint16_t)(queue->next_used - event - 1) <
                                    (uint16_t)(queue->next_used - queue->told_used);
}

void
queue_flush(VirtQueue *queue)
{
    bool tell;

    if (!is_usable(queue) || !queue->pushed)
        return;
    queue->pushed = false;
    /* The driver that sees the index sees the elements and the buffers. And it must be out before the driver's wish
     * is read: else both sides wait. */
    __atomic_store_n(&queue->used->idx, htole16(queue->next_used), __ATOMIC_SEQ_CST);
    mark_used(queue);
    if (queue->event_idx)
        tell = passes_event(queue);
    else
        tell = !(load16(&queue->avail->flags, __ATOMIC_SEQ_CST) & AVAIL_F_NO_INTERRUPT);
    queue->told_used = queue->next_used;
    queue->told_once = true;
    if (tell)
        queue->owner.raise(queue->owner.data, queue->index);
}

/* One copy for both directions. */
static size_t
iov_copy(const struct iovec *iov, unsigned n, size_t offset, uint8_t *data, size_t size,
         bool to_iov)
{
    size_t done = 0;

    for (unsigned i = 0; i < n && done < size; i++) {
        size_t part;

        if (offset >= iov[i].iov_len) {
            offset -= iov[i].iov_len;
            continue;
        }
        part = iov[i].iov_len - offset;
        if (part > size - done)
            part = size - done;
        if (to_iov)
            memcpy((uint8_t *)iov[i].iov_base + offset, data + done, part);
        else
            memcpy(data + done, (uint8_t *)iov[i].iov_base + offset, part);
        done += part;
        offset = 0;
    }
    return done;
}

size_t
iov_read(const struct iovec *iov, unsigned n, size_t offset, void *data, size_t size)
{
    return iov_copy(iov, n, offset, data, size, false);
}

size_t
iov_write(const struct iovec *iov, unsigned n, size_t offset, const void *data, size_t size)
{
    return iov_copy(iov, n, offset, (uint8_t *)data, size, true);
}
