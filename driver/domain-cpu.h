/* domain-cpu: the <cpu> element: what a guest's CPUs are, as values, read and written. What it comes to on
 * a host is guest-cpu's.
 */
#pragma once

#include <glib.h>

struct _xmlNode;
struct XmlWriter;

typedef enum DomainCpuMode {
    DOMAIN_CPU_CUSTOM, /* a model by name; without one (no <cpu>, or a topology alone) what KVM supports */
    DOMAIN_CPU_HOST_MODEL,
    DOMAIN_CPU_HOST_PASSTHROUGH,
    DOMAIN_CPU_MAXIMUM, /* with KVM the same */
    DOMAIN_N_CPU_MODES
} DomainCpuMode;

typedef enum DomainCpuMatch {
    DOMAIN_CPU_MINIMUM,
    DOMAIN_CPU_EXACT,
    DOMAIN_CPU_STRICT,
} DomainCpuMatch;

typedef enum DomainCpuCheck {
    DOMAIN_CPU_CHECK_NONE,    /* what the host lacks the guest does without */
    DOMAIN_CPU_CHECK_PARTIAL, /* the processor must have it, if not KVM */
    DOMAIN_CPU_CHECK_FULL,
} DomainCpuCheck;

typedef enum DomainCpuPolicy {
    DOMAIN_CPU_FORCE,
    DOMAIN_CPU_REQUIRE,
    DOMAIN_CPU_OPTIONAL,
    DOMAIN_CPU_DISABLE,
    DOMAIN_CPU_FORBID,
} DomainCpuPolicy;

typedef enum DomainCpuCache {
    DOMAIN_CPU_CACHE_EMULATE,
    DOMAIN_CPU_CACHE_PASSTHROUGH,
    DOMAIN_CPU_CACHE_DISABLE,
} DomainCpuCache;

typedef struct DomainCpuFeature {
    char *name;
    DomainCpuPolicy policy;
} DomainCpuFeature;

/* Numbers that are -1 were not said. */
typedef struct DomainCpu {
    gboolean present; /* there is a <cpu> element to format again */
    DomainCpuMode mode;
    int match, check;                    /* DomainCpuMatch, DomainCpuCheck */
    int migratable;                      /* 1 on, 0 off */
    char *model;                         /* NULL: none, and no vendor */
    gboolean may_differ;                 /* fallback='allow' */
    char *vendor_id;                     /* twelve characters for CPUID, or NULL */
    char *vendor;                        /* what the host must be: "Intel"; or NULL */
    guint sockets, dies, cores, threads; /* 0: no <topology> */
    int cache;                           /* DomainCpuCache */
    int cache_level;
    int address_mode;    /* <maxphysaddr>: 0 emulate, 1 passthrough */
    guint address_bits;  /* 0: not said */
    GPtrArray *features; /* of DomainCpuFeature, never NULL */
} DomainCpu;

void domain_cpu_init(DomainCpu *cpu);
void domain_cpu_clear(DomainCpu *cpu);
/* Gives @cpu, a copy of the struct, things of its own. */
void domain_cpu_own(DomainCpu *cpu);
gboolean domain_cpu_has_feature(const DomainCpu *cpu, const char *name);
void domain_cpu_set_feature(DomainCpu *cpu, const char *name, DomainCpuPolicy policy);
/* TRUE where the guest's CPUs are a model that somebody chose. */
gboolean domain_cpu_is_model(const DomainCpu *cpu);

/* The <cpu> child of @root, if there is one. */
gboolean domain_cpu_parse(DomainCpu *cpu, const struct _xmlNode *root, GError **error);
/* What libvirt writes where nothing was said. */
void domain_cpu_complete(DomainCpu *cpu);
gboolean domain_cpu_check(const DomainCpu *cpu, guint vcpus, GError **error);
void domain_cpu_format(const DomainCpu *cpu, struct XmlWriter *out);
