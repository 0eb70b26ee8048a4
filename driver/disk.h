/* disk: what a <disk> says, for the files that make up its kind: device-disk.c reads and writes it,
 * disk-check.c tells whether it can be honoured, disk-open.c opens what is behind it.
 */
#pragma once

#include "driver/device.h"

typedef enum DiskType {
    DISK_FILE,
    DISK_BLOCK,
} DiskType;

/* <driver>'s attributes that are words, in the order in which libvirt writes them. */
enum { WORD_CACHE, WORD_ERROR, WORD_READ_ERROR, WORD_IO, WORD_DISCARD, N_WORDS };

typedef struct Disk {
    Device dev;
    int type;
    char *source;                      /* path */
    char *target;                      /* "vda" */
    const char *words[N_WORDS];        /* as the document has them; NULL: not said */
    guint queues, queue_size;          /* 0: not said */
    guint logical_size, physical_size; /* bytes, 0: not said */
    gboolean readonly, shareable;
    char *serial; /* NULL: none */
} Disk;

/* A disk's place in the alphabet: "vda" is 0, "vdz" 25, "vdaa" 26. @ret_rest is what follows. */
gboolean disk_parse_target(const char *name, guint *ret_index, const char **ret_rest);
/* The kind's hooks of these names. */
gboolean disk_check(const Device *dev, GError **error);
gboolean disk_lower(Device *dev, const DeviceLowering *to, GError **error);
