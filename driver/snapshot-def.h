/* snapshot-def: what a domain was at a moment, as <domainsnapshot> tells: the same whoever makes a snapshot and wherever
 * what is in it is kept.
 */
#pragma once

#include "driver/domain-def.h"

/* virDomainState's numbers, and one more. */
typedef enum SnapshotState {
    SNAPSHOT_NOSTATE,
    SNAPSHOT_RUNNING,
    SNAPSHOT_BLOCKED,
    SNAPSHOT_PAUSED,
    SNAPSHOT_SHUTDOWN,
    SNAPSHOT_SHUTOFF,
    SNAPSHOT_CRASHED,
    SNAPSHOT_PMSUSPENDED,
    SNAPSHOT_DISK_ONLY, /* of a domain that ran, without its memory */
} SnapshotState;

/* Where the memory is, or a disk's contents. */
typedef enum SnapshotLocation {
    SNAPSHOT_UNSAID,
    SNAPSHOT_NO,       /* nowhere */
    SNAPSHOT_INTERNAL, /* in the disks' images */
    SNAPSHOT_EXTERNAL, /* in a file of its own */
    SNAPSHOT_MANUAL,   /* whoever asked sees to it */
} SnapshotLocation;

/* A row of <disks>. */
typedef struct SnapshotDisk {
    char *name; /* the disk's target, or its source until it is aligned */
    SnapshotLocation location;
    int type;     /* of what is behind @path: snapshot_type_words */
    char *format; /* NULL: not said */
    char *path;   /* NULL: none */
} SnapshotDisk;

typedef struct SnapshotDef {
    char *name;
    char *description; /* NULL: none */
    char *parent;      /* its name; NULL: it is a root */
    gint64 created;    /* seconds since 1970 */
    SnapshotState state;
    SnapshotLocation memory;
    char *memory_file;   /* where it is external */
    GPtrArray *disks;    /* of SnapshotDisk */
    DomainDef *domain;   /* as it was; NULL: a document that says so little */
    DomainDef *inactive; /* as it would have started anew; NULL: the same */
} SnapshotDef;

SnapshotDef *snapshot_def_new(void);
void snapshot_def_free(SnapshotDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SnapshotDef, snapshot_def_free)

SnapshotDisk *snapshot_disk_new(const char *name);
void snapshot_disk_free(SnapshotDisk *disk);

/* The memory or a disk is in a file of its own. */
gboolean snapshot_def_is_external(const SnapshotDef *def);
/* The domain ran, and so does one that goes back to it. */
gboolean snapshot_def_runs(const SnapshotDef *def);

/* Makes <disks> a row for each disk of @domain, in its order, known by its target, and settles where each is:
 * @location where nothing else is said. @uniform: all of them have to be there. */
gboolean snapshot_def_align(SnapshotDef *def, const DomainDef *domain, SnapshotLocation location,
                            gboolean uniform, GError **error);

/* The words of the enums, each list in the enum's order and ended by NULL. */
extern const char *const snapshot_state_words[];
extern const char *const snapshot_location_words[];
extern const char *const snapshot_type_words[];
#define SNAPSHOT_TYPE_FILE 0
