#include "driver/cpu-features.h"

#include <string.h>

/* In libvirt's order, which is that of its messages. */
/* clang-format off */
const CpuWord cpu_words[CPU_N_WORDS] = {
    { 0x1, 0, CPU_EDX, { [0] = "fpu", [1] = "vme", [2] = "de", [3] = "pse", [4] = "tsc", [5] = "msr",
      [6] = "pae", [7] = "mce", [8] = "cx8", [9] = "apic", [11] = "sep", [12] = "mtrr", [13] = "pge",
      [14] = "mca", [15] = "cmov", [16] = "pat", [17] = "pse36", [18] = "pn", [19] = "clflush", [21] = "ds",
      [22] = "acpi", [23] = "mmx", [24] = "fxsr", [25] = "sse", [26] = "sse2", [27] = "ss", [28] = "ht",
      [29] = "tm", [30] = "ia64", [31] = "pbe" } },
    { 0x1, 0, CPU_ECX, { [0] = "pni", [1] = "pclmuldq", [2] = "dtes64", [3] = "monitor", [4] = "ds_cpl",
      [5] = "vmx", [6] = "smx", [7] = "est", [8] = "tm2", [9] = "ssse3", [10] = "cid", [12] = "fma",
      [13] = "cx16", [14] = "xtpr", [15] = "pdcm", [17] = "pcid", [18] = "dca", [19] = "sse4.1",
      [20] = "sse4.2", [21] = "x2apic", [22] = "movbe", [23] = "popcnt", [24] = "tsc-deadline", [25] = "aes",
      [26] = "xsave", [27] = "osxsave", [28] = "avx", [29] = "f16c", [30] = "rdrand", [31] = "hypervisor" } },
    { 0x6, 0, CPU_EAX, { [2] = "arat" } },
    { 0x7, 0, CPU_EBX, { [0] = "fsgsbase", [1] = "tsc_adjust", [2] = "sgx", [3] = "bmi1", [4] = "hle",
      [5] = "avx2", [7] = "smep", [8] = "bmi2", [9] = "erms", [10] = "invpcid", [11] = "rtm", [12] = "cmt",
      [14] = "mpx", [16] = "avx512f", [17] = "avx512dq", [18] = "rdseed", [19] = "adx", [20] = "smap",
      [21] = "avx512ifma", [22] = "pcommit", [23] = "clflushopt", [24] = "clwb", [25] = "intel-pt",
      [26] = "avx512pf", [27] = "avx512er", [28] = "avx512cd", [29] = "sha-ni", [30] = "avx512bw",
      [31] = "avx512vl" } },
    { 0x7, 0, CPU_ECX, { [1] = "avx512vbmi", [2] = "umip", [3] = "pku", [4] = "ospke", [5] = "waitpkg",
      [6] = "avx512vbmi2", [8] = "gfni", [9] = "vaes", [10] = "vpclmulqdq", [11] = "avx512vnni",
      [12] = "avx512bitalg", [14] = "avx512-vpopcntdq", [16] = "la57", [22] = "rdpid",
      [24] = "bus-lock-detect", [25] = "cldemote", [27] = "movdiri", [28] = "movdir64b", [30] = "sgxlc",
      [31] = "pks" } },
    { 0x7, 0, CPU_EDX, { [2] = "avx512-4vnniw", [3] = "avx512-4fmaps", [4] = "fsrm", [5] = "uintr",
      [8] = "avx512-vp2intersect", [10] = "md-clear", [14] = "serialize", [16] = "tsx-ldtrk",
      [18] = "pconfig", [19] = "arch-lbr", [22] = "amx-bf16", [23] = "avx512-fp16", [24] = "amx-tile",
      [25] = "amx-int8", [26] = "spec-ctrl", [27] = "stibp", [29] = "arch-capabilities",
      [30] = "core-capability", [31] = "ssbd" } },
    { 0x7, 1, CPU_EAX, { [4] = "avx-vnni", [5] = "avx512-bf16", [7] = "cmpccxadd", [10] = "fzrm",
      [11] = "fsrs", [12] = "fsrc", [21] = "amx-fp16", [23] = "avx-ifma", [26] = "lam" } },
    { 0x7, 1, CPU_EDX, { [4] = "avx-vnni-int8", [5] = "avx-ne-convert", [8] = "amx-complex",
      [14] = "prefetchiti" } },
    { 0x7, 2, CPU_EDX, { [0] = "psfd", [1] = "ipred-ctrl", [2] = "rrsba-ctrl", [3] = "ddpd-u",
      [4] = "bhi-ctrl", [5] = "mcdt-no" } },
    { 0xd, 1, CPU_EAX, { [0] = "xsaveopt", [1] = "xsavec", [2] = "xgetbv1", [3] = "xsaves", [4] = "xfd" } },
    { 0xf, 1, CPU_EDX, { [1] = "mbm_total", [2] = "mbm_local" } },
    { 0x12, 0, CPU_EAX, { [0] = "sgx1", [1] = "sgx2" } },
    { 0x12, 0, CPU_EBX, { [0] = "sgx-exinfo" } },
    { 0x12, 1, CPU_EAX, { [1] = "sgx-debug", [2] = "sgx-mode64", [4] = "sgx-provisionkey",
      [5] = "sgx-tokenkey", [7] = "sgx-kss" } },
    { 0x14, 0, CPU_ECX, { [31] = "intel-pt-lip" } },
    { 0x80000001, 0, CPU_EDX, { [11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt",
      [26] = "pdpe1gb", [27] = "rdtscp", [29] = "lm", [30] = "3dnowext", [31] = "3dnow" } },
    { 0x80000001, 0, CPU_ECX, { [0] = "lahf_lm", [1] = "cmp_legacy", [2] = "svm", [3] = "extapic",
      [4] = "cr8legacy", [5] = "abm", [6] = "sse4a", [7] = "misalignsse", [8] = "3dnowprefetch", [9] = "osvw",
      [10] = "ibs", [11] = "xop", [12] = "skinit", [13] = "wdt", [15] = "lwp", [16] = "fma4", [17] = "tce",
      [18] = "cvt16", [19] = "nodeid_msr", [21] = "tbm", [22] = "topoext", [23] = "perfctr_core",
      [24] = "perfctr_nb" } },
    { 0x80000007, 0, CPU_EDX, { [8] = "invtsc" } },
    { 0x80000008, 0, CPU_EBX, { [0] = "clzero", [2] = "xsaveerptr", [9] = "wbnoinvd", [12] = "ibpb",
      [14] = "ibrs", [15] = "amd-stibp", [17] = "stibp-always-on", [24] = "amd-ssbd", [25] = "virt-ssbd",
      [26] = "amd-no-ssb", [28] = "amd-psfd" } },
    { 0x8000000a, 0, CPU_EDX, { [0] = "npt", [1] = "lbrv", [2] = "svm-lock", [3] = "nrip-save",
      [4] = "tsc-scale", [5] = "vmcb-clean", [6] = "flushbyasid", [7] = "decodeassists",
      [10] = "pause-filter", [12] = "pfthreshold", [13] = "avic", [15] = "v-vmsave-vmload", [16] = "vgif",
      [18] = "x2avic", [25] = "vnmi", [28] = "svme-addr-chk" } },
    { 0x80000021, 0, CPU_EAX, { [0] = "no-nested-data-bp", [2] = "lfence-always-serializing",
      [6] = "null-sel-clr-base", [8] = "auto-ibrs" } },
    { 0x10a, 0, CPU_MSR, { [0] = "rdctl-no", [1] = "ibrs-all", [2] = "rsba", [3] = "skip-l1dfl-vmentry",
      [4] = "ssb-no", [5] = "mds-no", [6] = "pschange-mc-no", [7] = "tsx-ctrl", [8] = "taa-no",
      [13] = "sbdr-ssdp-no", [14] = "fbsdp-no", [15] = "psdp-no", [17] = "fb-clear", [19] = "rrsba",
      [20] = "bhi-no", [24] = "pbrsb-no", [26] = "gds-no", [27] = "rfds-no" } },
    { 0xcf, 0, CPU_MSR, { [5] = "split-lock-detect" } },
};
/* clang-format on */

typedef struct Place {
    int word, bit;
} Place;

static gboolean
find(const char *name, Place *ret)
{
    for (int word = 0; word < CPU_N_WORDS; word++) {
        for (int bit = 0; bit < 32; bit++) {
            const char *here = cpu_words[word].names[bit];

            if (here && strcmp(here, name) == 0) {
                *ret = (Place){ word, bit };
                return TRUE;
            }
        }
    }
    return FALSE;
}

gboolean
cpu_feature_known(const char *name)
{
    Place place;

    return find(name, &place);
}

gboolean
cpu_bits_add_name(CpuBits *bits, const char *name)
{
    Place place;

    if (!find(name, &place))
        return FALSE;
    bits->words[place.word] |= 1u << place.bit;
    return TRUE;
}

gboolean
cpu_bits_have(const CpuBits *bits, const char *name)
{
    Place place;

    return find(name, &place) && bits->words[place.word] & 1u << place.bit;
}

void
cpu_bits_add(CpuBits *bits, const CpuBits *more)
{
    for (int i = 0; i < CPU_N_WORDS; i++)
        bits->words[i] |= more->words[i];
}

void
cpu_bits_remove(CpuBits *bits, const CpuBits *less)
{
    for (int i = 0; i < CPU_N_WORDS; i++)
        bits->words[i] &= ~less->words[i];
}

void
cpu_bits_keep(CpuBits *bits, const CpuBits *only)
{
    for (int i = 0; i < CPU_N_WORDS; i++)
        bits->words[i] &= only->words[i];
}

gboolean
cpu_bits_empty(const CpuBits *bits)
{
    for (int i = 0; i < CPU_N_WORDS; i++) {
        if (bits->words[i])
            return FALSE;
    }
    return TRUE;
}

GPtrArray *
cpu_bits_list(const CpuBits *bits)
{
    GPtrArray *names = g_ptr_array_new();

    for (int word = 0; word < CPU_N_WORDS; word++) {
        for (int bit = 0; bit < 32; bit++) {
            if (bits->words[word] & 1u << bit && cpu_words[word].names[bit])
                g_ptr_array_add(names, (gpointer)cpu_words[word].names[bit]);
        }
    }
    return names;
}

guint
cpu_bits_count(const CpuBits *bits)
{
    g_autoptr(GPtrArray) names = cpu_bits_list(bits);

    return names->len;
}

char *
cpu_bits_names(const CpuBits *bits, const char *separator)
{
    g_autoptr(GPtrArray) names = cpu_bits_list(bits);

    g_ptr_array_add(names, NULL);
    return g_strjoinv(separator, (char **)names->pdata);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

GPtrArray *
cpu_bits_sorted(const CpuBits *bits)
{
    GPtrArray *names = cpu_bits_list(bits);

    g_ptr_array_sort(names, compare_names);
    return names;
}

int
cpu_word_find(guint32 leaf, guint32 index, CpuRegister reg)
{
    for (int i = 0; i < CPU_N_WORDS; i++) {
        if (cpu_words[i].leaf == leaf && cpu_words[i].index == index && cpu_words[i].reg == reg)
            return i;
    }
    return -1;
}
