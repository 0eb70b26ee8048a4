/* cpu-features: the bits of x86 CPUID and of feature MSRs by libvirt's names, and sets of them.
 *
 * Positions are those of the Intel SDM (volume 2, CPUID), the AMD APM (volume 3, appendix E) and Linux's
 * cpufeatures.h; names are those of libvirt's CPU map.
 */
#pragma once

#include <glib.h>

typedef enum CpuRegister {
    CPU_EAX,
    CPU_EBX,
    CPU_ECX,
    CPU_EDX,
    CPU_MSR, /* the low half of the model-specific register "leaf" */
} CpuRegister;

/* 32 bits that hold nothing but features. NULL: nobody has a name for the bit. */
typedef struct CpuWord {
    guint32 leaf, index;
    CpuRegister reg;
    const char *names[32];
} CpuWord;

#define CPU_N_WORDS 23
extern const CpuWord cpu_words[CPU_N_WORDS];

/* A set of features, word by word in the table's order. */
typedef struct CpuBits {
    guint32 words[CPU_N_WORDS];
} CpuBits;

/* Adds the feature @name; FALSE where there is none of that name. */
gboolean cpu_bits_add_name(CpuBits *bits, const char *name);
gboolean cpu_bits_have(const CpuBits *bits, const char *name);
gboolean cpu_feature_known(const char *name);

void cpu_bits_add(CpuBits *bits, const CpuBits *more);
void cpu_bits_remove(CpuBits *bits, const CpuBits *less);
void cpu_bits_keep(CpuBits *bits, const CpuBits *only);
gboolean cpu_bits_empty(const CpuBits *bits);
/* Those that have a name. */
guint cpu_bits_count(const CpuBits *bits);

/* The names in the table's order, with @separator in between; free with g_free(). */
char *cpu_bits_names(const CpuBits *bits, const char *separator);
/* The same one by one; g_ptr_array_unref(). */
GPtrArray *cpu_bits_list(const CpuBits *bits);
/* And sorted as strcmp() does, as libvirt writes them in documents. */
GPtrArray *cpu_bits_sorted(const CpuBits *bits);

/* The word of a register, or -1. */
int cpu_word_find(guint32 leaf, guint32 index, CpuRegister reg);
