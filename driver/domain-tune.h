/* domain-tune: how much of the host a domain may have: <vcpu cpuset>, <cputune>, <memtune>, <blkiotune>
 * and <resource>. Values only; guest-limits makes them so.
 */
#pragma once

#include "driver/domain-iothreads.h"

#include <glib.h>

struct XmlWriter;
struct _xmlNode;

/* libvirt's limits. */
#define TUNE_PERIOD_MIN 1000ull
#define TUNE_PERIOD_MAX 1000000ull
#define TUNE_QUOTA_MIN  1000ll
#define TUNE_QUOTA_MAX  17592186044415ll

/* The threads that a share of the CPUs' time is for. */
typedef enum TunePart {
    TUNE_VCPU, /* each of them */
    TUNE_GLOBAL,
    TUNE_EMULATOR,
    TUNE_IOTHREAD,
    TUNE_N_PARTS
} TunePart;

/* In each @period_us, @quota_us of CPU time; a negative quota is no limit; 0: not said. */
typedef struct TuneBandwidth {
    guint64 period_us;
    gint64 quota_us;
} TuneBandwidth;

typedef struct TunePin {
    guint vcpu;
    CpuSet cpus;
} TunePin;

/* Of a disk of the host's; 0: not said. */
typedef struct TuneDevice {
    char *path;
    guint weight, read_iops, write_iops;
    guint64 read_bps, write_bps;
} TuneDevice;
void tune_device_free(TuneDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TuneDevice, tune_device_free)

typedef struct DomainTune {
    CpuSet cpuset; /* <vcpu cpuset>: of every thread that has none of its own */
    CpuSet emulator;
    GArray *pins;   /* of TunePin, in order of vCPU */
    guint64 shares; /* 0: not said */
    TuneBandwidth bandwidth[TUNE_N_PARTS];
    guint64 hard_limit_kib, soft_limit_kib, swap_hard_limit_kib; /* 0: none */
    guint weight;                                                /* of block I/O; 0: not said */
    GPtrArray *devices;                                          /* of TuneDevice */
    char *partition;                                             /* NULL: the usual one */
} DomainTune;

void domain_tune_init(DomainTune *tune);
void domain_tune_clear(DomainTune *tune);
/* Replaces what a copied struct still shares with the original. */
void domain_tune_own(DomainTune *tune);

gboolean domain_tune_parse(DomainTune *tune, const struct _xmlNode *root, GError **error);
gboolean domain_tune_check(const DomainTune *tune, GError **error);
/* The parts of the document, which stand apart. */
void domain_tune_format_before_memory_backing(const DomainTune *tune, struct XmlWriter *out);
void domain_tune_format_cputune(const DomainTune *tune, const DomainIoThreads *iothreads,
                                struct XmlWriter *out);
void domain_tune_format_resource(const DomainTune *tune, struct XmlWriter *out);

/* The CPUs that a vCPU may run on: its own pin, or the domain's set; empty: any. */
CpuSet domain_tune_vcpu_set(const DomainTune *tune, guint vcpu);
CpuSet domain_tune_emulator_set(const DomainTune *tune);
void domain_tune_pin(DomainTune *tune, guint vcpu, const CpuSet *cpus);
/* NULL: nothing was said about that disk. */
TuneDevice *domain_tune_device(const DomainTune *tune, const char *path);
/* The same, made where there is none. */
TuneDevice *domain_tune_need_device(DomainTune *tune, const char *path);
/* Forgets the disks that nothing is said about any more. */
void domain_tune_prune(DomainTune *tune);
