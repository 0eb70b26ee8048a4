/* cpuid: what a vCPU says of where it is: the guest's topology, in the set of features that it has. */
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

/* The width of physical addresses that @cpuid tells of: 36 where it does not (SDM volume 3, 4.1.4). */
unsigned cpuid_physical_bits(const struct kvm_cpuid2 *cpuid);

/* Edits @cpuid, what the guest's CPUs have, for vCPU @index; @cpuid has room for @room entries, and may
 * grow. */
bool cpuid_build(struct kvm_cpuid2 *cpuid, unsigned room, const CpuTopology *topology,
                 unsigned index, bool pae, VmmError *err);
