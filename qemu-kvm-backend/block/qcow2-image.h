/* qcow2-image: what the parts of format qcow2 share; no other file includes it.
 *
 * The parts, in the order in which they may call each other:
 *
 *     qcow2-wait        who waits for what
 *     qcow2-cache       slices of the tables on disk, in bounded memory
 *     qcow2-full        which of them have no free clusters
 *     qcow2-refcount    which clusters of the file are free
 *     qcow2-table       tables that are in memory whole
 *     qcow2-clerk       changes of the tables that take several steps, one at a time
 *     qcow2-commit      the writing of what has changed
 *     qcow2-map         where the guest's clusters are
 *     qcow2-compressed  contents of compressed clusters
 *     qcow2-job         a request on its way: ranges it has to itself, its buffers
 *     qcow2-change      what a job needs where it changes the tables
 *     qcow2-read, qcow2-write, qcow2-zero
 *     qcow2-resize      the disk gets another size
 *     qcow2             the format: opening, submitting, and what is whose turn
 *
 * Nothing waits in a call. Steps are written so that they can be made again from their beginning: one that
 * lacks something (a slice that is not in memory, a range that another request holds) leaves its Waiter
 * where it will be called and returns.
 *
 * What is on disk stays consistent at every moment but for clusters that are counted and not used
 * (leaks), whatever part of the writes since the last sync a power cut lets through. For that, tables
 * change in memory only. A commit then writes what changed in the order in which it depends on each other,
 * with a sync between: reference counts, the table of their blocks, L2 tables, the L1 table, the header. It
 * comes with a guest's flush, or when changes have all of the cache that they may have. While its parts are
 * written nobody changes tables (@frozen). Clusters that are not used any more are free after the commit that
 * has written so.
 */
#pragma once

#include "qemu-kvm-backend/block/format.h"
#include "qemu-kvm-backend/block/qcow2-header.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct Qcow2 Qcow2;
typedef struct Qcow2Job Qcow2Job;

/* Entries of L1 and L2 tables. */
#define QCOW2_COPIED          (1ull << 63) /* nobody else uses what it points to */
#define QCOW2_COMPRESSED      (1ull << 62)
#define QCOW2_ZERO            1ull /* reads as zeros, of version 3 */
#define QCOW2_OFFSET          0x00fffffffffffe00ull
#define QCOW2_REFTABLE_OFFSET 0xfffffffffffffe00ull

/* Waiting */

typedef struct Waiter Waiter;

struct Waiter {
    void (*go)(Waiter *waiter, int error); /* @error: what it waited for has failed */
    Waiter *next;
    int error;
};

typedef struct WaitList {
    Waiter *first, *last;
} WaitList;

/* The cache */

typedef enum SliceKind {
    SLICE_REFCOUNTS,
    SLICE_L2,
} SliceKind;

/* A part of a table: a power of two of bytes at a multiple of them, within one cluster. */
typedef struct Slice {
    BlockRequest io; /* first */
    struct iovec iov;
    Qcow2 *q;
    SliceKind kind;
    uint64_t offset; /* in the file */
    uint8_t *data;   /* as on disk */
    bool used, loading, dirty;
    unsigned pins;      /* by those who will change it later */
    struct Slice *next; /* of those with the same hash */
    struct Slice *newer, *older;
    WaitList waiters; /* for it to be loaded */
} Slice;

#define QCOW2_SLICE_MAX 4096
#define QCOW2_N_HASHES  128

typedef struct SliceCache {
    Slice *slices;
    uint8_t *memory; /* as many pages are touched as slices were ever in use */
    size_t memory_size;
    unsigned n_slices, n_touched, n_dirty;
    unsigned n_staying; /* dirty or pinned */
    uint32_t slice_size;
    Slice *by_hash[QCOW2_N_HASHES];
    Slice *newest, *oldest;
} SliceCache;

/* Slices of reference counts without a free one. */
typedef struct FullMap {
    uint64_t *words; /* a bit for each */
    size_t n;
} FullMap;

/* A table that is in memory whole. */
typedef struct Qcow2Table {
    uint64_t *entries; /* as on disk; those behind @n_loaded are zero there */
    uint32_t n, n_loaded;
    uint64_t offset;
    uint32_t dirty_first, dirty_end; /* equal: none */
} Qcow2Table;

/* What of the header goes with the disk's size. */
typedef struct Qcow2Shape {
    uint64_t size; /* bytes */
    uint64_t l1_offset;
    uint32_t l1_entries; /* at least those that @size needs */
} Qcow2Shape;

/* Clusters whose count is to be lowered by one. */
typedef struct FreeRange {
    uint64_t first, n; /* in clusters of the file */
    bool punch;        /* give the host its space back */
} FreeRange;

typedef struct FreeList {
    FreeRange *ranges;
    size_t n, room;
} FreeList;

/* The clerk's work: a request of the file at a time, and what comes after it. */
typedef struct Clerk {
    BlockRequest io; /* first */
    struct iovec iov;
    Qcow2 *q;
    bool busy;
    Waiter *client; /* whose work it is: it goes on at the end, with the error; NULL: nobody's */
    void (*then)(Qcow2 *q, int error);
    uint8_t *buffer;             /* of the work that is being done */
    uint8_t header[24];          /* what changes of it */
    uint64_t host;               /* where it goes */
    bool allocated;              /* and it was counted before */
    uint32_t index;              /* of the table's entry, or the number of entries */
    uint64_t old;                /* cluster that it takes the place of */
    size_t table_at;             /* of a longer refcount table, in the buffer */
    uint32_t n_filled;           /* its entries that are not zero */
    unsigned stage, outstanding; /* the commit's, up to the end */
    Qcow2Shape shape;            /* what it makes of the image */
    bool reshapes;               /* that is another one than before */
    int error;
} Clerk;

/* Another size, step by step: qcow2-resize. */
typedef struct Qcow2Resize {
    Waiter waiter;
    BlockRequest *req; /* who asked; NULL: nobody */
    void (*step)(Qcow2 *q);
    uint64_t size;       /* bytes, the one to be */
    uint32_t l1_entries; /* that it needs */
    uint64_t covered;    /* bytes of the disk that the L1 table at the beginning had entries for */
    uint64_t table;      /* a larger one's place, as far as it is there yet */
    uint64_t n_table;    /* clusters */
    FreeList wasted;     /* clusters that were allocated, and in which it has no room */
    BlockRequest clearing; /* of what comes, or goes */
} Qcow2Resize;

struct Qcow2 {
    BlockImage image;  /* first */
    BlockImage *lower; /* the file's bytes, which format raw moves */
    Qcow2Header header;
    uint32_t cluster_size;
    unsigned l2_bits; /* of an L2 table's index */
    bool corrupt, mark_corrupt;

    Qcow2Shape shape;      /* as the header has it */
    Qcow2Shape next_shape; /* after the next commit, where it @wants_shape */
    bool wants_shape;
    bool header_dirty; /* it has to be written, or was in vain: nobody knows what is there */
    Qcow2Resize resize;

    SliceCache cache;
    Qcow2Table l1, reftable;
    uint64_t free_hint;   /* no cluster of the file before this one is free */
    FullMap full;
    uint64_t virgin_from; /* clusters from here on were never written: they read as zeros */
    FreeList pending;     /* unused after the next commit */
    FreeList committing;  /* after the one under way */
    FreeList ready;       /* now */
    FreeRange current;    /* the freer's, taken from there */
    Waiter freer;
    BlockRequest punch;
    bool freeing; /* the freer waits for something */

    Clerk clerk;
    bool frozen;
    bool unsynced; /* something was written since the last sync began */
    bool settling;
    WaitList flushers;   /* wait for the next commit */
    WaitList committers; /* for the one under way */

    WaitList runnable;
    WaitList parked;  /* until anything changes */
    WaitList starved; /* until the clerk is not busy */
    WaitList copiers; /* until there is a buffer for a copy */
    bool advancing;
    void (*advance)(Qcow2 *q); /* after each event: what can go on */

    Qcow2Job *free_jobs;
    Qcow2Job *active; /* those that hold a range */
    unsigned n_exclusive;
    uint8_t *spare_cluster; /* for the next copy */
    unsigned n_copies;

    uint64_t inflated; /* entry of the compressed cluster whose contents are there, or 0 */
    uint8_t *inflated_data;
    uint8_t *deflated_data;
    uint64_t inflating; /* the one that is on its way, or 0 */
    WaitList inflate_waiters;
    BlockRequest inflate_io;
    struct iovec inflate_iov;
};

static inline uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}
