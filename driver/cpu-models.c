#include "driver/cpu-models.h"

#include <string.h>

/* clang-format off */
const CpuModel cpu_models[] = {
    { "486", { 4, 8, 0 }, 0x1, 0x0, NULL, NULL,
      "fpu pse vme" },
    { "pentium", { 5, 4, 3 }, 0x1, 0x0, NULL, "486",
      "cx8 de mce mmx msr tsc" },
    { "pentium2", { 6, 5, 2 }, 0x2, 0x0, NULL, "pentium",
      "cmov fxsr mca mtrr pae pat pge pse36 sep" },
    { "pentium3", { 6, 7, 3 }, 0x3, 0x0, NULL, "pentium2",
      "sse" },
    { "pentiumpro", { 6, 1, 9 }, 0x2, 0x0, NULL, "pentium3",
      "apic sse2 -mca -mtrr -pse36 -vme" },
    { "coreduo", { 6, 14, 8 }, 0xa, 0x80000008, "Intel", "pentium3",
      "apic clflush monitor nx pni sse2 -pse36" },
    { "n270", { 6, 28, 2 }, 0xa, 0x80000008, "Intel", "coreduo",
      "ssse3" },
    { "core2duo", { 6, 15, 11 }, 0xa, 0x80000008, "Intel", "n270",
      "lm pse36 syscall" },
    { "qemu32", { 6, 6, 3 }, 0x4, 0x80000004, NULL, "pentiumpro",
      "pni" },
    { "kvm32", { 15, 6, 1 }, 0x5, 0x80000008, NULL, "qemu32",
      "clflush mca mtrr pse36" },
    { "cpu64-rhel5", { 15, 107, 1 }, 0x5, 0x80000008, NULL, "kvm32",
      "lm nx syscall", { 0 }, CPU_NOT_HOST | CPU_NOT_GUEST },
    { "cpu64-rhel6", { 15, 107, 1 }, 0xd, 0x8000000a, NULL, "cpu64-rhel5",
      "cx16 lahf_lm", { 0 }, CPU_NOT_HOST | CPU_NOT_GUEST },
    { "qemu64", { 15, 107, 1 }, 0xd, 0x8000000a, NULL, "cpu64-rhel5",
      "cx16 svm" },
    { "kvm64", { 15, 6, 1 }, 0xd, 0x80000008, NULL, "cpu64-rhel5",
      "cx16" },
    { "Conroe", { 6, 15, 3 }, 0xa, 0x80000008, "Intel", "cpu64-rhel5",
      "lahf_lm ssse3", { 6, { 15, 22 }, 0, 15 } },
    { "Penryn", { 6, 23, 3 }, 0xa, 0x80000008, "Intel", "cpu64-rhel6",
      "sse4.1 ssse3", { 6, { 23, 29 }, 0, 15 } },
    { "Nehalem", { 6, 26, 3 }, 0xb, 0x80000008, "Intel", "Penryn",
      "popcnt sse4.2", { 6, { 26, 30, 31, 46 }, 0, 15 } },
    { "Nehalem-IBRS", { 6, 26, 3 }, 0xb, 0x80000008, "Intel", "Nehalem",
      "spec-ctrl", { 6, { 26, 30, 31, 46 }, 0, 15 } },
    { "Westmere", { 6, 44, 1 }, 0xb, 0x80000008, "Intel", "Nehalem",
      "aes", { 6, { 44, 47, 37 }, 0, 15 } },
    { "Westmere-IBRS", { 6, 44, 1 }, 0xb, 0x80000008, "Intel", "Nehalem-IBRS",
      "aes", { 6, { 44 }, 0, 15 } },
    { "SandyBridge", { 6, 42, 1 }, 0xd, 0x80000008, "Intel", "Westmere",
      "avx pclmuldq rdtscp tsc-deadline x2apic xsave", { 6, { 42, 45 }, 0, 15 } },
    { "SandyBridge-IBRS", { 6, 42, 1 }, 0xd, 0x80000008, "Intel", "SandyBridge",
      "spec-ctrl", { 6, { 42, 45 }, 0, 15 } },
    { "IvyBridge", { 6, 58, 9 }, 0xd, 0x80000008, "Intel", "SandyBridge",
      "erms f16c fsgsbase rdrand smep vme", { 6, { 58, 62 }, 0, 15 } },
    { "IvyBridge-IBRS", { 6, 58, 9 }, 0xd, 0x80000008, "Intel", "IvyBridge",
      "spec-ctrl", { 6, { 58, 62 }, 0, 15 } },
    { "Haswell-noTSX", { 6, 60, 1 }, 0xd, 0x80000008, "Intel", "SandyBridge",
      "avx2 bmi1 bmi2 erms fma fsgsbase invpcid movbe pcid smep", { 6, { 60, 63, 69, 70 }, 0, 15 } },
    { "Haswell-noTSX-IBRS", { 6, 60, 1 }, 0xd, 0x80000008, "Intel", "Haswell-noTSX",
      "spec-ctrl", { 6, { 60, 63, 69, 70 }, 0, 15 } },
    { "Haswell", { 6, 60, 4 }, 0xd, 0x80000008, "Intel", "Haswell-noTSX",
      "hle rtm", { 6, { 60, 63, 69, 70 }, 0, 15 } },
    { "Haswell-IBRS", { 6, 60, 4 }, 0xd, 0x80000008, "Intel", "Haswell",
      "spec-ctrl", { 6, { 60, 63, 69, 70 }, 0, 15 } },
    { "Broadwell-noTSX", { 6, 61, 2 }, 0xd, 0x80000008, "Intel", "Haswell-noTSX",
      "3dnowprefetch adx rdseed smap", { 6, { 61, 71, 79, 86 }, 0, 15 } },
    { "Broadwell-noTSX-IBRS", { 6, 61, 2 }, 0xd, 0x80000008, "Intel", "Broadwell-noTSX",
      "spec-ctrl", { 6, { 61, 71, 79, 86 }, 0, 15 } },
    { "Broadwell", { 6, 61, 2 }, 0xd, 0x80000008, "Intel", "Broadwell-noTSX",
      "hle rtm", { 6, { 61, 71, 79, 86 }, 0, 15 } },
    { "Broadwell-IBRS", { 6, 61, 2 }, 0xd, 0x80000008, "Intel", "Broadwell",
      "spec-ctrl", { 6, { 61, 71, 79, 86 }, 0, 15 } },
    { "Skylake-Client", { 6, 94, 3 }, 0xd, 0x80000008, "Intel", "Broadwell",
      "abm arat f16c mpx rdrand vme xgetbv1 xsavec xsaveopt", { 6, { 94, 78, 142, 158 }, 0, 15 } },
    { "Skylake-Client-IBRS", { 6, 94, 3 }, 0xd, 0x80000008, "Intel", "Skylake-Client",
      "spec-ctrl", { 6, { 94, 78, 142, 158 }, 0, 15 } },
    { "Skylake-Client-noTSX-IBRS", { 6, 94, 3 }, 0xd, 0x80000008, "Intel", "Skylake-Client-IBRS",
      "-hle -rtm", { 6, { 94, 78, 142, 158 }, 0, 15 }, CPU_NOT_GUEST },
    { "Skylake-Server", { 6, 85, 4 }, 0xd, 0x80000008, "Intel", "Skylake-Client",
      "avx512bw avx512cd avx512dq avx512f avx512vl clwb pdpe1gb", { 6, { 85 }, 0, 4 } },
    { "Skylake-Server-IBRS", { 6, 85, 4 }, 0xd, 0x80000008, "Intel", "Skylake-Server",
      "spec-ctrl", { 6, { 85 }, 0, 4 } },
    { "Skylake-Server-noTSX-IBRS", { 6, 85, 4 }, 0xd, 0x80000008, "Intel", "Skylake-Server-IBRS",
      "-hle -rtm", { 6, { 85 }, 0, 4 }, CPU_NOT_GUEST },
    { "Cascadelake-Server", { 6, 85, 6 }, 0xd, 0x80000008, "Intel", "Skylake-Server-IBRS",
      "avx512vnni clflushopt ssbd", { 6, { 85 }, 5, 7 } },
    { "Cascadelake-Server-noTSX", { 6, 85, 6 }, 0xd, 0x80000008, "Intel", "Cascadelake-Server",
      "-hle -rtm", { 6, { 85 }, 5, 7 }, CPU_NOT_GUEST },
    { "Icelake-Client", { 6, 126, 0 }, 0xd, 0x80000008, "Intel", "Skylake-Client-IBRS",
      "avx512-vpopcntdq avx512bitalg avx512vbmi avx512vbmi2 avx512vnni gfni pku ssbd umip "
      "vaes vpclmulqdq wbnoinvd", { 6, { 126 }, 0, 15 },
      .removed = "intel-pt" },
    { "Icelake-Client-noTSX", { 6, 126, 0 }, 0xd, 0x80000008, "Intel", "Icelake-Client",
      "-hle -rtm", { 6, { 126 }, 0, 15 }, CPU_NOT_GUEST,
      .removed = "intel-pt" },
    { "Icelake-Server", { 6, 134, 0 }, 0xd, 0x80000008, "Intel", "Icelake-Client",
      "avx512bw avx512cd avx512dq avx512f avx512vl clflushopt clwb la57 pdpe1gb", { 6, { 106 }, 0, 15 },
      .removed = "intel-pt" },
    { "Icelake-Server-noTSX", { 6, 134, 0 }, 0xd, 0x80000008, "Intel", "Icelake-Server",
      "-hle -rtm", { 6, { 106 }, 0, 15 }, CPU_NOT_GUEST,
      .removed = "intel-pt" },
    { "Cooperlake", { 6, 85, 10 }, 0xd, 0x80000008, "Intel", "Cascadelake-Server",
      "arch-capabilities avx512-bf16 ibrs-all mds-no pku pschange-mc-no rdctl-no "
      "skip-l1dfl-vmentry stibp taa-no -mpx", { 6, { 85 }, 10, 11 } },
    { "Snowridge", { 6, 134, 1 }, 0x1b, 0x80000008, "Intel", "IvyBridge-IBRS",
      "3dnowprefetch arat arch-capabilities cldemote clflushopt clwb core-capability gfni "
      "movbe movdir64b movdiri pdpe1gb rdseed sha-ni smap split-lock-detect ssbd umip "
      "xgetbv1 xsavec xsaveopt -avx -f16c", { 6, { 134 }, 0, 15 } },
    { "athlon", { 6, 2, 3 }, 0x2, 0x80000008, "AMD", "pentium3",
      "3dnow 3dnowext apic mmxext sse2 -mca" },
    { "phenom", { 16, 2, 3 }, 0x5, 0x8000001a, "AMD", "cpu64-rhel5",
      "3dnow 3dnowext fxsr_opt mmxext monitor svm" },
    { "Opteron_G1", { 15, 6, 1 }, 0x5, 0x80000008, "AMD", "cpu64-rhel5",
      "", { 15, { 6 }, 0, 15 } },
    { "Opteron_G2", { 15, 6, 1 }, 0x5, 0x8000000a, "AMD", "cpu64-rhel6",
      "rdtscp svm", { 15, { 6 }, 0, 15 } },
    { "Opteron_G3", { 16, 2, 3 }, 0x5, 0x8000000a, "AMD", "Opteron_G2",
      "abm misalignsse popcnt sse4a", { 15, { 6 }, 0, 15 },
      .removed = "monitor" },
    { "Opteron_G4", { 21, 1, 2 }, 0xd, 0x8000001a, "AMD", "Opteron_G3",
      "3dnowprefetch aes avx fma4 pclmuldq pdpe1gb sse4.1 sse4.2 ssse3 xop xsave", { 21, { 1 }, 0, 15 } },
    { "Opteron_G5", { 21, 2, 0 }, 0xd, 0x8000001a, "AMD", "Opteron_G4",
      "f16c fma tbm", { 21, { 2 }, 0, 15 } },
    { "EPYC", { 23, 1, 2 }, 0xd, 0x8000001e, "AMD", "Opteron_G5",
      "adx arat avx2 bmi1 bmi2 clflushopt cr8legacy fsgsbase fxsr_opt mmxext movbe osvw "
      "rdrand rdseed sha-ni smap smep vme xgetbv1 xsavec xsaveopt -fma4 -tbm -xop", { 23, { 1 }, 0, 15 },
      .removed = "monitor" },
    { "EPYC-IBPB", { 23, 1, 2 }, 0xd, 0x8000001e, "AMD", "EPYC",
      "ibpb", { 23, { 1 }, 0, 15 },
      .removed = "monitor" },
    { "EPYC-Rome", { 23, 49, 0 }, 0xd, 0x8000001e, "AMD", "EPYC-IBPB",
      "amd-stibp clwb clzero npt nrip-save perfctr_core rdpid umip wbnoinvd xsaveerptr", { 23, { 49 }, 0, 15 } },
    { "EPYC-Milan", { 25, 1, 1 }, 0xd, 0x8000001e, "AMD", "EPYC-Rome",
      "amd-ssbd erms fsrm ibrs invpcid pcid pku svme-addr-chk xsaves", { 25, { 1 }, 0, 15 } },
    { "Dhyana", { 24, 0, 1 }, 0xd, 0x8000001e, "Hygon", "cpu64-rhel6",
      "3dnowprefetch abm adx arat avx avx2 bmi1 bmi2 clflushopt cr8legacy f16c fma fsgsbase "
      "fxsr_opt ibpb misalignsse mmxext movbe osvw pdpe1gb popcnt rdrand rdseed rdtscp smap "
      "smep sse4.1 sse4.2 sse4a ssse3 svm vme xgetbv1 xsave xsavec xsaveopt", { 24, { 0 }, 0, 15 },
      .removed = "monitor" },
    { "SapphireRapids", { 6, 143, 4 }, 0x20, 0x80000008, "Intel", "Icelake-Server",
      "amx-bf16 amx-int8 amx-tile arch-capabilities avx-vnni avx512-bf16 avx512-fp16 "
      "avx512ifma bus-lock-detect fsrc fsrm fsrs fzrm ibrs-all mds-no pschange-mc-no "
      "rdctl-no rdpid serialize sha-ni skip-l1dfl-vmentry taa-no tsx-ldtrk xfd xsaves -mpx", { 6, { 143 }, 0, 8 } },
    { "EPYC-Genoa", { 25, 17, 0 }, 0xd, 0x80000022, "AMD", "EPYC-Milan",
      "amd-psfd auto-ibrs avx512-bf16 avx512-vpopcntdq avx512bitalg avx512bw avx512cd "
      "avx512dq avx512f avx512ifma avx512vbmi avx512vbmi2 avx512vl avx512vnni gfni la57 "
      "lfence-always-serializing no-nested-data-bp null-sel-clr-base stibp-always-on vaes "
      "vnmi vpclmulqdq", { 25, { 17 }, 0, 15 } },
    { "x86-64-v1", { 15, 107, 1 }, 0xd, 0x80000008, NULL, "cpu64-rhel5",
      "-pni", { 0 }, CPU_NOT_HOST | CPU_OURS },
    { "x86-64-v2", { 15, 107, 1 }, 0xd, 0x80000008, NULL, "cpu64-rhel6",
      "popcnt sse4.1 sse4.2 ssse3", { 0 }, CPU_NOT_HOST | CPU_OURS },
    { "x86-64-v3", { 15, 107, 1 }, 0xd, 0x80000008, NULL, "x86-64-v2",
      "abm avx avx2 bmi1 bmi2 f16c fma movbe xsave", { 0 }, CPU_NOT_HOST | CPU_OURS },
    { "x86-64-v4", { 15, 107, 1 }, 0xd, 0x80000008, NULL, "x86-64-v3",
      "avx512bw avx512cd avx512dq avx512f avx512vl", { 0 }, CPU_NOT_HOST | CPU_OURS },
};
/* clang-format on */

const gsize cpu_n_models = G_N_ELEMENTS(cpu_models);

const CpuModel *
cpu_model_find(const char *name)
{
    for (gsize i = 0; i < cpu_n_models; i++) {
        if (strcmp(cpu_models[i].name, name) == 0)
            return &cpu_models[i];
    }
    return NULL;
}

static void
change(CpuBits *bits, const char *word)
{
    gboolean less = *word == '-';
    CpuBits one = { { 0 } };

    g_assert(cpu_bits_add_name(&one, word + less));
    if (less)
        cpu_bits_remove(bits, &one);
    else
        cpu_bits_add(bits, &one);
}

void
cpu_model_bits(const CpuModel *model, CpuBits *ret)
{
    g_auto(GStrv) words = g_strsplit(model->features, " ", -1);

    if (model->base)
        cpu_model_bits(cpu_model_find(model->base), ret);
    else
        memset(ret, 0, sizeof(*ret));
    for (char **word = words; *word; word++) {
        if (**word)
            change(ret, *word);
    }
}

gboolean
cpu_model_is(const CpuModel *model, const CpuSignature *host)
{
    const CpuHosts *hosts = &model->hosts;

    if (!hosts->family || hosts->family != host->family || host->stepping < hosts->first_stepping ||
        host->stepping > hosts->last_stepping)
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(hosts->models) && (i == 0 || hosts->models[i]); i++) {
        if (hosts->models[i] == host->model)
            return TRUE;
    }
    return FALSE;
}

CpuSignature
cpu_signature_read(guint32 eax)
{
    CpuSignature signature = { eax >> 8 & 0xf, eax >> 4 & 0xf, eax & 0xf };

    if (signature.family == 6 || signature.family == 15)
        signature.model |= eax >> 12 & 0xf0;
    if (signature.family == 15)
        signature.family += eax >> 20 & 0xff;
    return signature;
}

guint32
cpu_signature_write(const CpuSignature *signature)
{
    guint family = MIN(signature->family, 15);

    return (signature->family - family) << 20 | (signature->model & 0xf0) << 12 | family << 8 |
           (signature->model & 0xf) << 4 | (signature->stepping & 0xf);
}
