/* block-private: what a disk is to the files that are behind block.h. */
#pragma once

#include "qemu-kvm-backend/block/block.h"
#include "qemu-kvm-backend/block/file.h"
#include "qemu-kvm-backend/block/format.h"

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
