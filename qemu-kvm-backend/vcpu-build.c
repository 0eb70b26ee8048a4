#include "qemu-kvm-backend/vcpu-build.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "qemu-kvm-backend/x86/cpuid-offer.h"
#include "qemu-kvm-backend/x86/hyperv.h"
#include "qemu-kvm-backend/x86/power-on.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPUID_SPARE     128 /* entries that cpu_config_cpuid() and cpuid_build() may add */
#define CPUID_1_ECX_VMX (1u << 5)

/* What goes into each vCPU; room is that of cpuid's entries. */
typedef struct Common {
    struct kvm_cpuid2 *cpuid;
    unsigned room;
} Common;

static bool
number_vcpus(VcpuSet *set, const CpuTopology *topology, Kvm *kvm, VmmError *err)
{
    unsigned max = kvm_max_vcpus(kvm);

    if (topology->n_vcpus > max)
        return vmm_error(err, VMM_ERROR_UNSUPPORTED, "%u vCPUs are more than the %u that KVM has",
                         topology->n_vcpus, max);
    for (unsigned i = 0; i < topology->n_vcpus; i++) {
        set->apic_ids[i] = cpuid_apic_id(topology, i);
        if (set->apic_ids[i] >= MACHINE_VCPUS_MAX)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "This CPU topology gives vCPU %u the APIC id %u, beyond %d", i,
                             set->apic_ids[i], MACHINE_VCPUS_MAX - 1);
    }
    return true;
}

/* The features that every vCPU has, with room for its own leaves; free() the entries. */
static bool
common_features(Common *common, const MachineConfig *config, Kvm *kvm, VmmError *err)
{
    common->cpuid = kvm_supported_cpuid(kvm, CPUID_SPARE, &common->room, err);
    if (!common->cpuid)
        return false;
    cpuid_offer(common->cpuid, kvm_has(kvm, KVM_CAP_TSC_DEADLINE_TIMER) > 0);
    if (cpu_config_cpuid(&config->cpu, common->cpuid, common->room, err) &&
        (!config->cpu.hyperv_leaves || hyperv_check(kvm, common->cpuid, err)))
        return true;
    free(common->cpuid);
    return false;
}

static struct kvm_cpuid2 *
copy_cpuid(const Common *common)
{
    size_t size = sizeof(*common->cpuid) + common->room * sizeof(common->cpuid->entries[0]);

    return memcpy(vmm_must(malloc(size)), common->cpuid, size);
}

static bool
has_vmx(const struct kvm_cpuid2 *cpuid)
{
    for (unsigned i = 0; i < cpuid->nent; i++) {
        if (cpuid->entries[i].function == 1)
            return cpuid->entries[i].ecx & CPUID_1_ECX_VMX;
    }
    return false;
}

/* The highest byte of RAM has an address that the guest's CPUs can form. */
static bool
check_reach(const Memory *memory, const struct kvm_cpuid2 *cpuid, VmmError *err)
{
    unsigned bits = cpuid_physical_bits(cpuid);
    MemoryRegion region;

    for (unsigned i = 0; memory_region(memory, i, &region); i++) {
        if (bits < 64 && (region.gpa + region.size - 1) >> bits)
            return vmm_error(err, VMM_ERROR_UNSUPPORTED,
                             "%" PRIu64 " bytes of memory are more than the CPU's %u address bits "
                             "reach",
                             memory_size(memory), bits);
    }
    return true;
}

/* Its descriptor, with all that it has at power-on; -1 with @err. */
static int
create_vcpu(const VcpuSet *set, const MachineConfig *config, Kvm *kvm, unsigned i,
            const struct kvm_cpuid2 *cpuid, VmmError *err)
{
    int fd = kvm_create_vcpu(kvm, set->apic_ids[i], cpuid, err);

    if (fd < 0 || (cpu_config_vcpu(&config->cpu, kvm, fd, err) &&
                   power_on_prepare(fd, i, config->has_firmware, err)))
        return fd;
    close(fd);
    return -1;
}

static bool
add_vcpu(VcpuSet *set, const MachineConfig *config, Kvm *kvm, unsigned i, const Common *common,
         VmmError *err)
{
    struct kvm_cpuid2 *cpuid = copy_cpuid(common);
    int fd = -1;

    if (cpuid_build(cpuid, common->room, &config->topology, i, config->pae, err)) {
        set->vmx = has_vmx(cpuid);
        fd = create_vcpu(set, config, kvm, i, cpuid, err);
    }
    free(cpuid);
    return fd >= 0 && vcpus_add(set->vcpus, fd, kvm_run_size(kvm), err);
}

bool
vcpu_build(VcpuSet *set, const MachineConfig *config, Kvm *kvm, const VcpuOwner *owner,
           VmmError *err)
{
    unsigned n = config->topology.n_vcpus;
    Common common;
    bool good;

    if (!number_vcpus(set, &config->topology, kvm, err) || !cpu_config_vm(&config->cpu, kvm, err) ||
        !common_features(&common, config, kvm, err))
        return false;
    good = check_reach(owner->memory, common.cpuid, err);
    set->vcpus = vcpus_new(n, owner);
    for (unsigned i = 0; good && i < n; i++)
        good = add_vcpu(set, config, kvm, i, &common, err);
    free(common.cpuid);
    vcpus_wait(set->vcpus); /* each thread has its name, by which the host finds it */
    return good;
}
