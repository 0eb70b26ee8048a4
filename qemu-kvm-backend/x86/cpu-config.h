/* cpu-config: what the driver asks of the guest's CPUs beyond their number: CPUID, feature MSRs, caches,
 * clocks. The driver knows models and names; here are only registers.
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

/* A register of CPUID becomes (register & ~mask) | value. */
typedef struct CpuidEdit {
    uint32_t function, index;
    unsigned reg; /* 0 to 3: EAX to EDX */
    uint32_t value, mask;
} CpuidEdit;

typedef struct CpuMsr {
    uint32_t index;
    uint64_t value;
} CpuMsr;

typedef enum CpuCache {
    CPU_CACHE_HOST,
    CPU_CACHE_EMULATED, /* always the same, whatever the host has */
    CPU_CACHE_NONE,
} CpuCache;

typedef struct CpuConfig {
    CpuidEdit *edits;
    unsigned n_edits;
    CpuMsr *msrs;
    unsigned n_msrs;
    CpuCache cache;
    bool kvm_leaves; /* the guest is told of KVM */
    bool hyperv_leaves; /* and first of Hyper-V, by what the edits say */
    bool hyperv_synic;  /* each vCPU has its synthetic interrupt controller, and so its timers */
    bool pmu;
    uint64_t tsc_khz; /* 0: the host's */
} CpuConfig;

/* The keys "cpuid", "msrs", "cpu-cache", "kvm-leaves", "hyperv-leaves", "hyperv-synic", "pmu" and "tsc-khz" of "create". */
bool cpu_config_read(CpuConfig *config, VmmMsg *msg, VmmError *err);
void cpu_config_clear(CpuConfig *config);

/* Before the first vCPU: what concerns all of them. */
bool cpu_config_vm(const CpuConfig *config, const Kvm *kvm, VmmError *err);
/* Edits @cpuid, KVM's supported set with room for @room entries, before cpuid_build() does. */
bool cpu_config_cpuid(const CpuConfig *config, struct kvm_cpuid2 *cpuid, unsigned room,
                      VmmError *err);
/* The registers of a vCPU that has its CPUID. */
bool cpu_config_vcpu(const CpuConfig *config, const Kvm *kvm, int vcpu_fd, VmmError *err);
