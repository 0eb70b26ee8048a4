/* format: how a disk's contents lie in its file; a row in block.c's table for each.
 *
 * A format turns each request into operations of the file's engine, or into requests of images below it,
 * and reports its end once. Calls are serialized by the disk's lock.
 */
#pragma once

#include "qemu-kvm-backend/block/request.h"

/* The open file, as the host has it. */
typedef struct BlockFile {
    int fd;
    Engine *engine; /* one for all files of the disk, in which this one is number @index */
    unsigned index;
    uint64_t size; /* bytes */
    bool is_device;
    bool writable;
    bool direct;           /* O_DIRECT: what follows are its rules, else 1 */
    uint32_t memory_align; /* bytes, powers of two */
    uint32_t offset_align;
    uint32_t block_size; /* what the host moves at once, bytes */
    bool sync_writes;    /* each write is on stable storage when it is done */
    bool never_sync;     /* flushes are empty promises */
    uint64_t written_to; /* the end of what was written farthest, since it was opened */
    uint64_t threshold;  /* once something is written beyond this it becomes 0; 0: nobody asks */
    uint64_t exceeded;   /* by how much it was then */
} BlockFile;

typedef struct BlockImage BlockImage;

typedef struct BlockFormat {
    const char *name; /* libvirt's driver/@type */
    size_t size;      /* of the instance, whose first member is the BlockImage */
    /* Reads the header, sets @image->size. */
    bool (*open)(BlockImage *image, VmmError *err);
    /* The file's size changed: sets @image->size again. */
    void (*resize)(BlockImage *image);
    /* Gives the disk another size, whatever the file's; @req ends as if it was submitted. False with @err where that
     * cannot be; NULL where the file's size is the disk's. */
    bool (*set_size)(BlockImage *image, BlockRequest *req, uint64_t size, VmmError *err);
    /* @req->image is set. May end the request before it returns. */
    void (*submit)(BlockImage *image, BlockRequest *req);
    /* Begins to write what is held back for later, so that the file is whole without this process; it
     * is @busy until that is done, or has failed. NULL where nothing ever is. */
    void (*settle)(BlockImage *image);
    bool (*busy)(const BlockImage *image);
    void (*close)(BlockImage *image); /* half-open ones too; not the memory itself */
} BlockFormat;

struct BlockImage {
    const BlockFormat *format;
    const char *name; /* the disk's, for errors and the log */
    BlockFile *file;
    BlockImage *backing; /* what the image does not have itself is there; NULL: zeros */
    uint64_t size;       /* bytes that the guest sees, a multiple of BLOCK_SECTOR */
    void (*ended)(BlockImage *image, BlockRequest *req, int error); /* 0 or errno */
};

extern const BlockFormat format_raw;
extern const BlockFormat format_qcow2;
