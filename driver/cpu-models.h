/* cpu-models: the CPU models that a document can name: which features each one has, and what it says it is.
 *
 * They are libvirt's, by name and by features, and some that it has got since, and the four levels of
 * the x86-64 psABI. What a model says of itself (family, model, stepping, highest leaves) is what
 * QEMU's model of that name says.
 */
#pragma once

#include "driver/cpu-features.h"

/* Flags. */
#define CPU_NOT_HOST  (1u << 0) /* no host is said to be one */
#define CPU_NOT_GUEST (1u << 1) /* what a host-model comes to is another one */
#define CPU_OURS      (1u << 2) /* libvirt has none of that name */

typedef struct CpuSignature {
    guint family, model, stepping; /* as displayed: the extended fields added in */
} CpuSignature;

/* Which processors it describes. */
typedef struct CpuHosts {
    guint family;
    guint models[5]; /* 0 ends them */
    guint first_stepping, last_stepping;
} CpuHosts;

typedef struct CpuModel {
    const char *name;
    CpuSignature signature;
    guint32 level, xlevel; /* the highest basic and extended leaves */
    const char *vendor;    /* "Intel", "AMD", "Hygon"; NULL: anybody's */
    const char *base;      /* the features of this model, NULL: of none, */
    const char *features;  /* with these added, or taken away where there is a minus */
    CpuHosts hosts;        /* family 0: none */
    guint flags;
    const char *removed; /* a feature that it had in earlier libvirts; NULL: none */
} CpuModel;

/* In libvirt's order: the later ones are tried first for a host. */
extern const CpuModel cpu_models[];
extern const gsize cpu_n_models;

const CpuModel *cpu_model_find(const char *name); /* NULL: there is none */
void cpu_model_bits(const CpuModel *model, CpuBits *ret);
gboolean cpu_model_is(const CpuModel *model, const CpuSignature *host);

/* CPUID leaf 1's EAX (Intel SDM volume 2, "Version Information"). */
CpuSignature cpu_signature_read(guint32 eax);
guint32 cpu_signature_write(const CpuSignature *signature);
