/* fake-kvm: a KVM with one vCPU that refuses what that of real hardware refuses and the host's here may not. It is this
 * program's ioctl(): libvmm calls it. What is not said below is taken, and read as zeros.
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"

#include <glib.h>

#define FAKE_CPUID_MAX 64

typedef struct FakeKvm {
    struct kvm_sregs sregs;
    bool vmxon; /* in VMX operation: CR4.VMXE must not be cleared (Linux, vmx_is_valid_cr4()) */
    struct kvm_cpuid_entry2 cpuid[FAKE_CPUID_MAX]; /* the guest's */
    unsigned n_cpuid;
    struct kvm_cpuid_entry2 supported[FAKE_CPUID_MAX]; /* what KVM has */
    unsigned n_supported;
    uint64_t memory_types; /* IA32_MTRR_DEF_TYPE */
    uint32_t first_unknown_msr; /* it and those above cannot be set; 0: all can */
} FakeKvm;

extern FakeKvm fake_kvm;

/* Each makes what was there before forgotten. */
Kvm *fake_kvm_new(void);
int fake_kvm_vcpu(Kvm *kvm);
