/* blk: what virtio-blk's disk is, for the files that make it up: blk.c is the device and its media, blk-request.c
 * serves its requests, blk-limits.c holds them back where they are too many, blk-params.c reads what the driver
 * says of it, blk-resize.c gives it another size, blk-state.c saves and restores it.
 *
 * All under the device's lock. A request owns its chain from queue_pop() until its status is written; one
 * that failed and has stopped the guest waits in @stalled until the guest runs again or resets the disk.
 */
#pragma once

#include "qemu-kvm-backend/block/block.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/throttle.h"
#include "qemu-kvm-backend/virtio/virtio.h"

#include <linux/virtio_blk.h>

#define BLK_RANGE_SECTORS (1u << 22) /* the most that one discard covers: 2 GiB */

typedef struct Blk Blk;
typedef struct BlkRequest BlkRequest;

struct BlkRequest {
    BlockRequest block; /* first */
    Blk *blk;
    BlkRequest *next; /* of @free, @stalled or a list of those that wait */
    unsigned queue;
    uint16_t head;
    uint32_t in_size;
    uint8_t *status;   /* in guest memory; NULL: nobody asked for this request */
    uint64_t bytes;    /* that it moves, all in all */
    uint64_t since_ns; /* when it was made */
    uint64_t due_ns;   /* when it may go on, where it waits */
    struct iovec *iov;
    unsigned iov_room;
};

/* Requests in order. */
typedef struct BlkList {
    BlkRequest *first, *last;
} BlkList;

/* Where a request is in the guest's memory. */
typedef struct BlkPlace {
    uint16_t queue, head;
} BlkPlace;

typedef enum ErrorPolicy {
    POLICY_REPORT,   /* the guest sees it */
    POLICY_STOP,     /* the guest is stopped, and the request is made again when it runs */
    POLICY_IGNORE,   /* the guest is told that all is well */
    POLICY_ENOSPACE, /* stop where it helps to make space, else report */
} ErrorPolicy;

struct Blk {
    VirtioDevice vdev;
    Block *block; /* NULL: a drive without a medium */
    bool removable;
    struct {
        uint64_t requests, bytes, time_ns;
    } done[BLOCK_ZERO + 1]; /* by what they were: those that went well */
    uint64_t errors;        /* that the guest saw */
    IoThread *thread;       /* NULL: the main thread serves it */
    struct virtio_blk_config config;
    char serial[VIRTIO_BLK_ID_BYTES];
    uint32_t logical_size, physical_size; /* bytes */
    uint16_t n_queues;
    bool discard;
    bool writeback; /* as it was configured, which is what a reset goes back to */
    ErrorPolicy on_read, on_write;
    BlkRequest *free; /* the one used last is first, so that few are touched */
    BlkRequest *stalled, **stalled_end;
    BlkPlace *again; /* requests that stalled before a save, to be read from their queues anew */
    unsigned n_again;
    bool asked_to_stop; /* in this run of the guest */
    int stop_error;     /* errno that it was for; 0: it was not */
    bool must_flush;    /* the cache was turned off with data in it */
    uint64_t reported_ns;
    uint64_t threshold; /* that was set last */
    Throttle *throttle; /* NULL: there are no limits */
    uint64_t limits_version;
    BlkList waiting[2];  /* reads, and the rest, until they are due */
    LoopSource *timer;   /* for those; NULL: none has waited since the start */
    BlockRequest resize; /* that goes on while it is @resizing */
    bool resizing;
};

/* A drive without a medium has no sectors, so that nothing gets as far as the block layer. */
BlockGeometry blk_geometry(const Blk *blk);
/* The configuration that the guest reads (5.2.4), with the cache on or off. */
void blk_fill_config(Blk *blk, bool writeback);

/* Requests. One that nobody asked for has no status and no chain. */
BlkRequest *blk_request_take(Blk *blk);
void blk_request_give_back(BlkRequest *req);
void blk_request_finish(BlkRequest *req, uint8_t status);
void blk_request_submit(BlkRequest *req, BlockOp op, uint64_t sector, uint64_t size);
/* Serves a chain of @queue. */
void blk_serve(Blk *blk, unsigned queue, const VirtChain *chain);

void blk_flush_queues(Blk *blk);

/* How fast it may be. Reads @params, "add-device" or "tell-device", which say "limits" where they say anything; in
 * the loop's thread, once the device is started. */
bool blk_limits_read(Blk *blk, VmmMsg *params, VmmError *err);
/* True where @req has to wait and is kept. */
bool blk_limits_hold(BlkRequest *req);
/* All that waits goes on; the timer is gone. In the loop's thread. */
void blk_limits_release(Blk *blk);
void blk_limits_clear(Blk *blk);

/* What "add-device" says of a disk: what is known without its medium, and then what depends on that. */
bool blk_read_params(Blk *blk, VmmMsg *params, VmmError *err);
bool blk_read_block_sizes(Blk *blk, VmmMsg *params, VmmError *err);

/* Another size: reads "tell-device", which says "resize" where the file has changed already and "new-size" where the
 * image shall; the event "resized" tells the end of that. In the loop's thread. */
bool blk_resize_read(Blk *blk, VmmMsg *request, VmmError *err);

extern const StateTable blk_state;
