/* hyperv: what KVM has of Hyper-V beyond registers that are simply there: whether it keeps what the leaves of CPUID promise,
 * and the synthetic interrupt controller (SynIC), which each vCPU has where it is asked for. ("Hypervisor Top Level
 * Functional Specification" 6.0b, 2.4, 4, 11 and 12; Linux, Documentation/virt/kvm/api.rst, 8.x and KVM_EXIT_HYPERV.)
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"

#include <linux/kvm.h>

/* Whether KVM has everything that the leaves of Hyper-V in @cpuid, which guests will get, offer them. Before Linux 5.11 it
 * cannot be asked; then the answer is true. */
bool hyperv_check(const Kvm *kvm, struct kvm_cpuid2 *cpuid, VmmError *err);

/* The same of KVM's answer @host: none of the bits that registers or hypercalls are behind is more than it has. */
bool hyperv_covers(struct kvm_cpuid2 *host, struct kvm_cpuid2 *guest, VmmError *err);

/* Gives a vCPU its SynIC, before anything of its state is set. Its message and event pages are the guest's own RAM, where
 * it says that they are, and are cleared then. */
bool hyperv_enable_synic(int vcpu_fd, VmmError *err);

/* Serves KVM_EXIT_HYPERV. False: it is none that what we asked of KVM leads to. */
bool hyperv_exit(struct kvm_run *run);
