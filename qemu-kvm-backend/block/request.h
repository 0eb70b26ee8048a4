/* request: what a disk may be asked for. */
#pragma once

#include "qemu-kvm-backend/block/engine.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

typedef struct BlockRequest BlockRequest;

typedef enum BlockOp {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,   /* what was written and done before is on stable storage afterwards */
    BLOCK_DISCARD, /* the range's contents are of no interest; may do nothing */
    BLOCK_ZERO,    /* the range reads as zeros; with @may_unmap its space may be given back */
} BlockOp;

/* The submitter's, with its buffers, until done() is called. @offset, @size and @iov are used up on the
 * way: after an error they describe what is left, so that submitting again goes on from there. */
struct BlockRequest {
    BlockOp op;
    bool may_unmap;
    uint64_t offset, size; /* bytes, multiples of BLOCK_SECTOR inside the disk */
    struct iovec *iov;     /* @size bytes, of any alignment; BLOCK_READ and BLOCK_WRITE alone */
    unsigned n_iov;        /* at most IOV_MAX */
    void (*done)(BlockRequest *req, int error); /* 0 or errno */
    /* The format's. */
    BlockRequest *next;
    void *image;
    EngineOp io;
    struct iovec zeros;
};

#define BLOCK_SECTOR 512

/* Takes @size bytes off the front of @req. */
void block_request_skip(BlockRequest *req, uint64_t size);
/* Copies the first @size bytes, no more than are left: from @data where @req reads, else to it. */
void block_request_copy(const BlockRequest *req, uint8_t *data, size_t size);
/* Fills the first @size bytes of a BLOCK_READ with zeros and takes them off. */
void block_request_clear(BlockRequest *req, uint64_t size);
