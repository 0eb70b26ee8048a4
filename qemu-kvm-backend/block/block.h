/* block: a disk's contents, in a file or block device that the driver has opened.
 *
 * The VMM opens no path: the descriptor comes with the access mode and O_DIRECT that the disk wants, and
 * with another one that keeps other writers out for as long as it is open (driver/image-lock.h).
 *
 * Calls are serialized by the owner's lock, which they are made with; completions come in the loop's
 * thread with that lock held, or from within block_submit() and block_drain().
 */
#pragma once

#include "qemu-kvm-backend/block/request.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <pthread.h>

typedef struct Block Block;

typedef struct BlockOwner {
    const char *name; /* the device's, for errors and the log; lives as long as the owner */
    pthread_mutex_t *lock;
    void (*reaped)(void *data); /* a batch of completions is over */
    void *data;
} BlockOwner;

typedef struct BlockGeometry {
    uint64_t
        size; /* bytes, a multiple of BLOCK_SECTOR: a file's last sector is filled up with zeros */
    uint32_t physical_size; /* bytes that the host moves at once, a power of two: 512 to 65536 */
    bool writable;
} BlockGeometry;

/* Reads of @params: fd (of a regular file or block device), and where they are there
 *     format        string: raw (the default) or qcow2
 *     cache         string: libvirt's driver/@cache; the default is writeback
 *     io            string: io_uring or threads; the default is io_uring where the host allows it, and
 *                   a host that does not gets threads even where it is asked for
 *     workers       u64: 8 (1 to 64): how many threads make the calls where io is threads
 *     read-only     bool: false
 *     discard       bool: false; whether BLOCK_DISCARD is asked for, which a block device takes a thread for
 *     detect-zeroes string: off (the default); on: what is written as zeros is made zeros, which takes
 *                   less; unmap: with its space given back
 *     backing-N-fd, backing-N-format
 *                   from N = 1 on, the images whose contents show where the one before has none, all
 *                   of them only read
 *     lock, backing-N-lock
 *                   descriptors that are kept open until the image is closed, and nothing else
 * NULL with @err. */
Block *block_open(VmmMsg *params, const BlockOwner *owner, VmmError *err);
/* The same with an engine of the caller's choice, which tests replace. */
Block *block_open_with(const EngineClass *class, VmmMsg *params, const BlockOwner *owner,
                       VmmError *err);
/* Nothing is under way, and it is detached. NULL is allowed. */
void block_close(Block *block);

BlockGeometry block_geometry(const Block *block);
/* Whether writes may stay in a cache of the host until the next flush: false makes every write stable
 * before it is done. What was written before is flushed, on a change to false, by the next flush only. */
void block_set_writeback(Block *block, bool writeback);
bool block_writeback(const Block *block);
/* What the disk's own file takes of the host, without those behind it; in bytes. */
typedef struct BlockUse {
    uint64_t file_size;  /* of a block device, its size */
    uint64_t allocated;  /* the blocks that a file has; a block device has them all */
    uint64_t written_to; /* the end of what was written farthest, since it was opened */
} BlockUse;
BlockUse block_use(const Block *block);
/* Once something is written behind @offset of the file, block_take_exceeded() says how many bytes behind it, once.
 * 0: nobody asks any more. */
void block_set_threshold(Block *block, uint64_t offset);
uint64_t block_threshold(const Block *block);
uint64_t block_take_exceeded(Block *block);

/* Looks at the file's size again; true where it is another one. */
bool block_resize(Block *block);
/* Gives a disk, whose format does not take it from its file, the size of @size bytes, a multiple of BLOCK_SECTOR: what
 * comes reads as zeros, what goes is lost. Of @req only done() is the caller's; the geometry is the new one from then
 * on, and as long as before where that comes with an error. One at a time; block_start() sets it off. False
 * with @err, and without done(), where it cannot be. */
bool block_set_size(Block *block, BlockRequest *req, uint64_t size, VmmError *err);

/* Reports completions in @loop, from its own thread, until block_detach(). */
void block_attach(Block *block, Loop *loop);
void block_detach(Block *block);

/* Queues @req; block_start() sets off all that was queued. */
void block_submit(Block *block, BlockRequest *req);
void block_start(Block *block);
/* Calls done() of what has ended by now, which what the host has cached has at once; the owner's reaped() is not called. */
void block_reap(Block *block);
/* Waits until something has happened, if anything is under way. */
void block_wait(Block *block);
/* Returns when nothing is under way: every request has ended, and the file has all that a format held
 * back in memory (it is the guest's flush that puts it on stable storage). */
void block_drain(Block *block);
/* The same of a detached one, and what was written is on stable storage, as far as the cache mode goes: 0, or the errno of
 * what cannot be brought there. It is tried again by the next call, but for what the host has lost for good. That may take
 * minutes, in which the owner's lock is free: who has it may ask for figures and a threshold, have block_resize() look, is
 * refused another size, and does nothing else with the disk. */
int block_flush(Block *block);
