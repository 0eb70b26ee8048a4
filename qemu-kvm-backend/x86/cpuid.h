/* cpuid: what a vCPU says of itself: KVM's supported set, with this guest's topology. */
#pragma once

#include "qemu-kvm-backend/error.h"

#include <linux/kvm.h>
#include <stdint.h>

typedef struct CpuTopology {
    unsigned n_vcpus;
    unsigned sockets, dies, cores, threads; /* per the level above; product >= n_vcpus */
} CpuTopology;

/* APIC id of vCPU @index: thread, core, die and socket numbers in fields of whole bits (Intel SDM
 * volume 3, 9.9; AMD APM volume 3, E.4). */
uint32_t cpuid_apic_id(const CpuTopology *topology, unsigned index);

/* Edits @cpuid, which holds KVM_GET_SUPPORTED_CPUID's answer, for vCPU @index; @cpuid has room for
 * @room entries, and may grow. */
bool cpuid_build(struct kvm_cpuid2 *cpuid, unsigned room, const CpuTopology *topology, unsigned index,
                 bool pae, bool tsc_deadline, VmmError *err);
