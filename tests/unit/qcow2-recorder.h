/* An engine for tests that keeps the book: what is on the disk after a power cut is what was there at the last sync and
 * any part, in any order, of what was written since. It does everything at once, in an order of its own.
 */
#pragma once

#include "qemu-kvm-backend/block/engine.h"

#include <glib.h>

#define RECORDER_SECTOR 512u

typedef struct Recorder {
    Engine engine;
    int fd, backing_fd;
    GPtrArray *ops;
    GByteArray *stable; /* as the file was at the last sync */
    GPtrArray *writes;  /* since */
    GRand *rand;
    void (*synced)(void); /* before the writes are forgotten */
    unsigned n_reads;     /* of the image, so far */
    unsigned n_changes;   /* writes and syncs so far */
    unsigned fail_after;  /* so many writes succeed from now on; 0: all */
    unsigned fail_change; /* the write or sync that fails; 0: none */
    gboolean lies;        /* although it is done */
    gboolean sync_failed; /* it was a sync */
} Recorder;

extern Recorder recorder;
extern const EngineClass recorder_class;

/* For the image in the file @path, before it is opened. */
void recorder_begin(const char *path, unsigned seed);
void recorder_end(void);
/* Makes up a disk after a cut: each sector of each write is there or not; of two writes to one, the later one may be the
 * one that is not. */
void recorder_cut(const char *path);
