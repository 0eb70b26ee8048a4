/* vcpu-state: all that KVM keeps of a vCPU, read and written back: at a reset, and to save and restore a guest.
 * The orders are those that KVM needs (Linux 6.1, arch/x86/kvm/x86.c and lapic.c).
 *
 * The vCPUs are parked. A restored vCPU's guest RAM is in place before, for some registers write to it.
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/state.h"
#include "qemu-kvm-backend/x86/vcpu-msrs.h"

/* What this host's KVM has for each vCPU. */
typedef struct VcpuLayout {
    size_t xsave_size;  /* bytes, at least those of struct kvm_xsave */
    size_t nested_size; /* bytes of kvm_nested_state; 0: KVM does not nest */
    bool has_sregs2;
    struct kvm_msr_list *msrs;
} VcpuLayout;

/* @synic: vCPUs have the one of Hyper-V. */
bool vcpu_layout_init(VcpuLayout *layout, const Kvm *kvm, bool synic, VmmError *err);
void vcpu_layout_clear(VcpuLayout *layout);

typedef struct VcpuState {
    const VcpuLayout *layout;
    struct kvm_mp_state mp_state;
    struct kvm_vcpu_events events;
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    struct kvm_sregs2 sregs2; /* flags and all, where has_sregs2 is true */
    bool has_sregs2;
    struct kvm_nested_state *nested; /* NULL where KVM does not nest */
    struct kvm_debugregs debugregs;
    struct kvm_xsave *xsave;
    struct kvm_xcrs xcrs;
    bool has_xcrs;
    struct kvm_lapic_state lapic;
    VcpuMsrs msrs;
    struct kvm_cpuid2 *cpuid; /* what the guest sees; NULL where it was neither asked for nor loaded */
} VcpuState;

/* @layout outlives the state. */
void vcpu_state_init(VcpuState *state, const VcpuLayout *layout);
void vcpu_state_clear(VcpuState *state);

bool vcpu_state_get(VcpuState *state, int fd, VmmError *err);
/* What is not needed to reset a vCPU of this process, but for its guest to go on in another. */
bool vcpu_state_get_cpuid(VcpuState *state, int fd, VmmError *err);
/* Before a vCPU goes back to @power_on: its guest may be a hypervisor. As long as that is in VMX operation KVM refuses
 * a CR4 without VMXE (Linux, vmx_is_valid_cr4()), and as long as its own guest runs, what is set is that one's, and
 * lost when SVM is left (svm_leave_nested()). Setting the nested state of a CPU that is in neither leaves both. */
bool vcpu_state_leave_nested(const VcpuState *power_on, int fd, VmmError *err);
/* @strict: a register that KVM refuses, and that has another value, is an error; else it is passed over. */
bool vcpu_state_set(const VcpuState *state, int fd, bool strict, VmmError *err);
/* Before vcpu_state_set(): vcpu_cpuid_restore() of what was loaded. */
bool vcpu_state_set_cpuid(const VcpuState *state, struct kvm_cpuid2 *supported, int fd, VmmError *err);
/* After all vCPUs have been set: none of them may see a time stamp before the one that it saw last. KVM takes
 * stamps that are close to each other for the same one, and a young VM's are close to 0. */
void vcpu_state_catch_up_tsc(const VcpuState *states, const int *fds, unsigned n);

extern const StateTable vcpu_state_table;
