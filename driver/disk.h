/* disk: what a <disk> says, for the files that make up its kind: device-disk.c reads and writes it (and
 * disk-backing.c a part of it), disk-check.c tells whether it can be honoured, disk-open.c opens what is
 * behind it, with disk-chain.c, disk-change.c changes a CD-ROM's medium.
 */
#pragma once

#include "driver/device.h"
#include "driver/disk-limits.h"
#include "driver/image-header.h"

typedef enum DiskType {
    DISK_FILE,
    DISK_BLOCK,
} DiskType;

/* <driver>'s attributes that are words, in the order in which libvirt writes them. */
enum {
    WORD_CACHE,
    WORD_ERROR,
    WORD_READ_ERROR,
    WORD_IO,
    WORD_DISCARD,
    WORD_DETECT_ZEROES,
    N_WORDS
};

/* An image behind the disk's own, or behind the one before. */
typedef struct DiskBacking {
    DiskType type;
    ImageFormat format;
    char *path;
    gboolean detected; /* named by a header, not by the document */
} DiskBacking;

/* A CD-ROM is a read-only virtio disk whose medium can change. */
typedef enum DiskDevice {
    DISK_DISK,
    DISK_CDROM,
} DiskDevice;

#define DISK_TRAY_OPEN 1

typedef struct Disk {
    Device dev;
    int type, device;
    int tray; /* of a CD-ROM: 0 closed, DISK_TRAY_OPEN, or -1: not said */
    const char *model;    /* "virtio" or "virtio-non-transitional", which is the same here; NULL: not said */
    const char *snapshot; /* as snapshots have it, where one does not say; NULL: not said */
    gboolean driver_said;
    ImageFormat format;
    GPtrArray *backing;                /* of DiskBacking, the nearest first */
    gboolean backing_ends;             /* the document says that there is no more */
    gboolean backing_end_detected;     /* a header does */
    char *source;                      /* path; NULL: a CD-ROM without a medium */
    const char *startup;               /* a word of disk_startup_words; NULL: not said, which is "mandatory" */
    char *target;                      /* "vda" */
    const char *words[N_WORDS];        /* as the document has them; NULL: not said */
    guint queues, queue_size;          /* 0: not said */
    guint iothread;                    /* that serves it; 0: not said */
    guint logical_size, physical_size; /* bytes, 0: not said */
    gboolean readonly, shareable;
    char *serial; /* NULL: none */
    DiskLimits limits;
} Disk;

/* What a start does where the source is missing (startupPolicy). NULL ends it. */
extern const char *const disk_startup_words[];

/* A disk's place in the alphabet: "vda" is 0, "vdz" 25, "vdaa" 26. @ret_rest is what follows. */
gboolean disk_parse_target(const char *name, guint *ret_index, const char **ret_rest);
/* The kind's hooks of these names. */
gboolean disk_check(const Device *dev, GError **error);
gboolean disk_lower(Device *dev, const DeviceLowering *to, GError **error);
gboolean disk_may_attach(const GPtrArray *devices, const Device *dev, gboolean config,
                         GError **error);
Device *disk_find(const GPtrArray *devices, const Device *wanted, gboolean config, GError **error);
gboolean disk_update(Device *dev, const Device *wanted, const DeviceLowering *to,
                     struct VmmMsg *tell, GError **error);

/* Whether the guest finds something in the drive. */
gboolean disk_has_medium(const Disk *disk);
/* Opens and locks the image, and puts it into @msg as the VMM's disk wants to have it, once @images have been waited for. */
gboolean disk_put_medium(Disk *disk, struct ImageWait *images, struct VmmMsg *msg, GError **error);
