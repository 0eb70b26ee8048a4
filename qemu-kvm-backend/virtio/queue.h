/* queue: a split virtqueue (virtio 1.2, section 2.7), with indirect descriptors and event index.
 *
 * Ring and buffers are the guest's, who may be hostile: a descriptor is copied once and the copy is
 * checked, a chain longer than the queue, a loop, a range that is not RAM, an indirect table inside
 * an indirect one or an index that jumps by more than the queue's size breaks the device (see
 * virtio_break()), never the VMM, and costs a bounded amount of work. Its owner serializes calls: by the
 * device's lock.
 */
#pragma once

#include "qemu-kvm-backend/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define QUEUE_SIZE_MAX 1024

typedef struct VirtQueue VirtQueue;

/* A descriptor chain that the device owns from queue_pop() to queue_push(). Its buffers lie in guest
 * RAM: the guest can change them at any time, so what decides anything is copied first. */
typedef struct VirtChain {
    uint16_t head;
    unsigned n_out, n_in;   /* device-readable ones come first (2.7.4.2) */
    struct iovec *out, *in; /* the queue's own until the next queue_pop(); copy what has to stay */
    size_t out_size, in_size; /* bytes */
} VirtChain;

/* The next chain; false where there is none or the ring is broken. */
bool queue_pop(VirtQueue *queue, VirtChain *ret);
/* Gives a chain back with @written bytes in its in-buffers. queue_flush() then shows the guest all that was given back
 * since the last one, at once: chains that belong together are seen together, and the index's cache line moves
 * once; and it tells the guest where that wants to be told. */
void queue_push(VirtQueue *queue, uint16_t head, uint32_t written);
void queue_flush(VirtQueue *queue);
/* Takes back the chain that was popped last, as if it had never been seen; called again, the one before. */
void queue_unpop(VirtQueue *queue);

/* The chain that begins at @head, which was popped in the life of the queue before it was saved and not pushed
 * since: it is the device's again. False where there is none. */
bool queue_pop_again(VirtQueue *queue, uint16_t head, VirtChain *ret);

bool queue_is_ready(const VirtQueue *queue); /* enabled by the driver */
unsigned queue_size(const VirtQueue *queue);
/* Whether there are chains to pop. */
bool queue_has_work(VirtQueue *queue);
/* No kicks while the device looks by itself; true from queue_want_kicks() where chains came
 * meanwhile, and then the device has to look again. */
void queue_ignore_kicks(VirtQueue *queue);
bool queue_want_kicks(VirtQueue *queue);

/* Copies between a chain's buffers and @data, from byte @offset of them; the bytes that were there. */
size_t iov_read(const struct iovec *iov, unsigned n, size_t offset, void *data, size_t size);
size_t iov_write(const struct iovec *iov, unsigned n, size_t offset, const void *data, size_t size);

/* For the transport. */

/* Where the driver wants a queue; guest physical addresses. */
typedef struct QueueSetup {
    uint16_t size;
    uint64_t desc, driver, device;
    bool enabled;
} QueueSetup;

typedef struct QueueOwner {
    const Memory *memory;
    void (*raise)(void *data, unsigned index);  /* the driver wants to be told */
    void (*broke)(void *data, const char *why); /* the driver broke the rules */
    void *data;
} QueueOwner;

VirtQueue *queue_new(unsigned index, const QueueOwner *owner);
void queue_free(VirtQueue *queue);
/* Takes the queue into use, empty; false where its size is no power of two up to @size_max, or an area is
 * misaligned or not in RAM. */
bool queue_map(VirtQueue *queue, const QueueSetup *setup, unsigned size_max, uint64_t features);
/* How far the device is in a queue that it has no chain of. */
typedef struct QueuePosition {
    uint16_t next_avail, next_used, told_used;
    bool told_once;
} QueuePosition;

QueuePosition queue_position(const VirtQueue *queue);
/* Goes on from there, after queue_map(). */
void queue_set_position(VirtQueue *queue, const QueuePosition *position);
/* As after queue_new(). */
void queue_unmap(VirtQueue *queue);
/* Leaves the rings alone from now on, until queue_unmap(). */
void queue_abandon(VirtQueue *queue);
