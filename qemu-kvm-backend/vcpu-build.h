/* vcpu-build: the vCPUs that a configuration asks for: their number against KVM's, APIC ids, CPUID and registers at
 * power-on.
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/vcpu.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct VcpuSet {
    Vcpus *vcpus; /* vcpus_free() them */
    uint32_t apic_ids[MACHINE_VCPUS_MAX];
    bool vmx; /* they have it */
} VcpuSet;

/* Fills in the zeroed @set; each vCPU is parked. On false, with @err, there may be some of them. */
bool vcpu_build(VcpuSet *set, const MachineConfig *config, Kvm *kvm, const VcpuOwner *owner,
                VmmError *err);
