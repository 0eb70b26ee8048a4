#include "qemu-kvm-backend/x86/cpu-config.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/cpuid-table.h"
#include "qemu-kvm-backend/x86/hyperv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define EDITS_MAX 256
#define MSRS_MAX  16

/* Steps over a hexadecimal number and @end after it. */
static bool
take_hex(const char **at, char end, uint64_t max, uint64_t *ret)
{
    char *after;

    if (!**at || !strchr("0123456789abcdef", **at) || (*at)[1] == 'x')
        return false;
    errno = 0;
    *ret = strtoull(*at, &after, 16);
    if (errno || *ret > max || (end && *after != end))
        return false;
    *at = after + (end != 0);
    return true;
}

static bool
take_reg(const char **at, unsigned *ret)
{
    for (*ret = 0; *ret < 4; ++*ret) {
        if (strncmp(*at, cpuid_reg_names[*ret], 3) == 0 && (*at)[3] == '=') {
            *at += 4;
            return true;
        }
    }
    return false;
}

/* "7.0:ebx=20/20": the leaf, its index, the register, the value and the mask. */
static bool
take_edit(const char **at, CpuidEdit *ret)
{
    uint64_t function, index, value, mask;

    if (!take_hex(at, '.', UINT32_MAX, &function) || !take_hex(at, ':', UINT32_MAX, &index) ||
        !take_reg(at, &ret->reg) || !take_hex(at, '/', UINT32_MAX, &value) ||
        !take_hex(at, '\0', UINT32_MAX, &mask))
        return false;
    ret->function = function;
    ret->index = index;
    ret->value = value;
    ret->mask = mask;
    return true;
}

static bool
take_space(const char **at)
{
    if (**at != ' ')
        return **at == '\0';
    ++*at;
    return **at != '\0';
}

static bool
read_edits(CpuConfig *config, VmmMsg *msg, VmmError *err)
{
    const char *text = "";

    vmm_msg_get_string(msg, "cpuid", &text);
    config->edits = vmm_must(calloc(EDITS_MAX, sizeof(CpuidEdit)));
    for (const char *at = text; *at;) {
        if (config->n_edits == EDITS_MAX || !take_edit(&at, &config->edits[config->n_edits]) ||
            !take_space(&at))
            return vmm_error(err, VMM_ERROR_INVALID, "create: 'cpuid' is not understood: '%s'", at);
        config->n_edits++;
    }
    return true;
}

/* "10a=2b": the register and its value. */
static bool
read_msrs(CpuConfig *config, VmmMsg *msg, VmmError *err)
{
    const char *text = "";

    vmm_msg_get_string(msg, "msrs", &text);
    config->msrs = vmm_must(calloc(MSRS_MAX, sizeof(CpuMsr)));
    for (const char *at = text; *at;) {
        CpuMsr *msr = &config->msrs[config->n_msrs];
        uint64_t index;

        if (config->n_msrs == MSRS_MAX || !take_hex(&at, '=', UINT32_MAX, &index) ||
            !take_hex(&at, '\0', UINT64_MAX, &msr->value) || !take_space(&at))
            return vmm_error(err, VMM_ERROR_INVALID, "create: 'msrs' is not understood: '%s'", at);
        msr->index = index;
        config->n_msrs++;
    }
    return true;
}

static bool
read_cache(CpuConfig *config, VmmMsg *msg, VmmError *err)
{
    static const char *const words[] = { "host", "emulated", "none" };
    const char *word = words[CPU_CACHE_HOST];

    vmm_msg_get_string(msg, "cpu-cache", &word);
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(words[i], word) == 0) {
            config->cache = i;
            return true;
        }
    }
    return vmm_error(err, VMM_ERROR_INVALID, "create: there is no 'cpu-cache' '%s'", word);
}

bool
cpu_config_read(CpuConfig *config, VmmMsg *msg, VmmError *err)
{
    memset(config, 0, sizeof(*config));
    config->kvm_leaves = config->pmu = true;
    vmm_msg_get_bool(msg, "kvm-leaves", &config->kvm_leaves);
    vmm_msg_get_bool(msg, "hyperv-leaves", &config->hyperv_leaves);
    vmm_msg_get_bool(msg, "hyperv-synic", &config->hyperv_synic);
    vmm_msg_get_bool(msg, "pmu", &config->pmu);
    vmm_msg_get_u64(msg, "tsc-khz", &config->tsc_khz);
    if (config->tsc_khz > UINT32_MAX)
        return vmm_error(err, VMM_ERROR_INVALID, "A TSC of %" PRIu64 " kHz is out of range",
                         config->tsc_khz);
    return read_edits(config, msg, err) && read_msrs(config, msg, err) &&
           read_cache(config, msg, err);
}

void
cpu_config_clear(CpuConfig *config)
{
    free(config->edits);
    free(config->msrs);
    memset(config, 0, sizeof(*config));
}

/* Without the capability there is no leaf 10 either, which is what guests go by; but on AMD. */
static bool
turn_pmu_off(const CpuConfig *config, const Kvm *kvm, VmmError *err)
{
    struct kvm_enable_cap off = { .cap = KVM_CAP_PMU_CAPABILITY, .args[0] = KVM_PMU_CAP_DISABLE };

    if (config->pmu || kvm_has(kvm, KVM_CAP_PMU_CAPABILITY) <= 0)
        return true;
    return ioctl(kvm_vm_fd(kvm), KVM_ENABLE_CAP, &off) == 0 ||
           vmm_error_errno(err, "Cannot turn the performance counters off");
}

bool
cpu_config_vm(const CpuConfig *config, const Kvm *kvm, VmmError *err)
{
    return turn_pmu_off(config, kvm, err);
}

/* A leaf that KVM does not have is made where there is something to say in it. */
static bool
apply_edit(const CpuidEdit *edit, struct kvm_cpuid2 *cpuid, unsigned room)
{
    struct kvm_cpuid_entry2 *entry = cpuid_table_find(cpuid, edit->function, edit->index);
    uint32_t *reg;

    if (!entry && !edit->value)
        return true;
    if (!entry)
        entry = cpuid_table_add(cpuid, room, edit->function, edit->index);
    if (!entry)
        return false;
    reg = cpuid_table_reg(entry, edit->reg);
    *reg = (*reg & ~edit->mask) | edit->value;
    return true;
}

/* A hypervisor's leaves can begin at each 0x100 from 0x40000000 on, and those of Hyper-V are looked for at the first
 * (Linux, Documentation/virt/kvm/x86/cpuid.rst). */
static void
move_kvm_leaves(struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        struct kvm_cpuid_entry2 *entry = &cpuid->entries[i];

        if (entry->function < CPUID_KVM || entry->function > CPUID_KVM_END)
            continue;
        if (entry->function == CPUID_KVM && entry->eax)
            entry->eax += CPUID_KVM_BEHIND - CPUID_KVM;
        entry->function += CPUID_KVM_BEHIND - CPUID_KVM;
    }
}

static void
hide_kvm(const CpuConfig *config, struct kvm_cpuid2 *cpuid)
{
    uint32_t first = config->hyperv_leaves ? CPUID_KVM_BEHIND : CPUID_KVM;

    cpuid_table_drop(cpuid, first, first + (CPUID_KVM_END - CPUID_KVM));
}

static void
hide_pmu(struct kvm_cpuid2 *cpuid)
{
    struct kvm_cpuid_entry2 *amd = cpuid_table_find(cpuid, CPUID_FEATURES_AMD, 0);

    cpuid_table_drop(cpuid, CPUID_PMU, CPUID_PMU);
    cpuid_table_drop(cpuid, CPUID_PMU_AMD, CPUID_PMU_AMD);
    if (amd)
        amd->ecx &= ~CPUID_ECX_PERFCTR_CORE;
}

bool
cpu_config_cpuid(const CpuConfig *config, struct kvm_cpuid2 *cpuid, unsigned room, VmmError *err)
{
    bool fits = true;

    if (config->hyperv_leaves)
        move_kvm_leaves(cpuid);
    for (unsigned i = 0; i < config->n_edits; i++)
        fits = fits && apply_edit(&config->edits[i], cpuid, room);
    if (config->n_edits)
        cpuid_table_trim(cpuid);
    if (config->n_edits)
        cpuid_table_trim_xsave(cpuid);
    if (config->cache != CPU_CACHE_HOST)
        fits = cpuid_table_caches(cpuid, room, config->cache == CPU_CACHE_EMULATED) && fits;
    if (!config->pmu)
        hide_pmu(cpuid);
    if (!config->kvm_leaves)
        hide_kvm(config, cpuid);
    return fits || vmm_error(err, VMM_ERROR_FAILED, "The CPUID table is full at %u leaves", room);
}

/* A guest that moves from host to host keeps its frequency, which takes hardware that scales; where the host
 * has it already, give or take what a clock may drift, nothing has to be done. */
static bool
set_tsc(const CpuConfig *config, const Kvm *kvm, int fd, VmmError *err)
{
    int64_t host_khz, apart;

    if (!config->tsc_khz)
        return true;
    host_khz = ioctl(fd, KVM_GET_TSC_KHZ, 0);
    apart = llabs(host_khz - (int64_t)config->tsc_khz);
    if (host_khz > 0 && apart * 1000000 <= host_khz * 250)
        return true;
    if (kvm_has(kvm, KVM_CAP_TSC_CONTROL) <= 0)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                         "Requested TSC frequency %" PRIu64
                         " kHz does not match the host's %" PRId64
                         " kHz, and TSC scaling is not supported by the host CPU",
                         config->tsc_khz, host_khz);
    return ioctl(fd, KVM_SET_TSC_KHZ, (unsigned long)config->tsc_khz) == 0 ||
           vmm_error_errno(err, "Cannot set the TSC to %" PRIu64 " kHz", config->tsc_khz);
}

static bool
set_msr(const CpuMsr *msr, int fd, VmmError *err)
{
    struct {
        struct kvm_msrs head;
        struct kvm_msr_entry entry;
    } one = { .head.nmsrs = 1, .entry = { .index = msr->index, .data = msr->value } };

    return ioctl(fd, KVM_SET_MSRS, &one) == 1 ||
           vmm_error(err, VMM_ERROR_UNSUPPORTED,
                     "KVM does not take 0x%" PRIx64 " for the model-specific register 0x%x",
                     msr->value, msr->index);
}

bool
cpu_config_vcpu(const CpuConfig *config, const Kvm *kvm, int vcpu_fd, VmmError *err)
{
    bool good = set_tsc(config, kvm, vcpu_fd, err) &&
                (!config->hyperv_synic || hyperv_enable_synic(vcpu_fd, err));

    for (unsigned i = 0; good && i < config->n_msrs; i++)
        good = set_msr(&config->msrs[i], vcpu_fd, err);
    return good;
}
